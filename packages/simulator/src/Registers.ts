/**
 * A machine of named registers, and clients for it: the least that shows every kind of answer. It is what the world tier
 * runs when nobody brings a machine of their own.
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import { Consistency, StateMachine, Ticket } from "@synod/state-machine"
import type { Outcome } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Workload } from "./Clients.js"
import type { Seeded } from "./Seeded.js"

const Name = Schema.String

/**
 * The register did not hold what a swap expected.
 *
 * @since 0.1.0
 * @category errors
 */
export class Differs extends Schema.TaggedError<Differs>()("Differs", { found: Schema.NullOr(Schema.Int) }) {}

const Write = Rpc.make("Write", { payload: { name: Name, value: Schema.Int } })
const Add = Rpc.make("Add", { payload: { name: Name, amount: Schema.Int }, success: Schema.Int })
const Swap = Rpc.make("Swap", {
  payload: { name: Name, from: Schema.NullOr(Schema.Int), to: Schema.Int },
  error: Differs
})
const Read = Rpc.make("Read", { payload: { name: Name }, success: Schema.NullOr(Schema.Int) })

/**
 * @since 0.1.0
 * @category machines
 */
export const Registers = StateMachine.make("Registers", {
  version: 1,
  state: Schema.HashMap({ key: Name, value: Schema.Int }),
  initial: HashMap.empty(),
  commands: [Write, Add, Swap],
  queries: [Read]
})

type State = HashMap.HashMap<string, number>

const at = (state: State, name: string): number | null => Option.getOrNull(HashMap.get(state, name))

/**
 * @since 0.1.0
 * @category machines
 */
export const handlers = {
  Write: (state: State, { name, value }: { name: string; value: number }) =>
    Effect.succeed([undefined, HashMap.set(state, name, value)] as const),
  Add: (state: State, { amount, name }: { name: string; amount: number }) => {
    const sum = (at(state, name) ?? 0) + amount
    return Effect.succeed([sum, HashMap.set(state, name, sum)] as const)
  },
  Swap: (state: State, { from, name, to }: { name: string; from: number | null; to: number }) => {
    const found = at(state, name)
    return found === from
      ? Effect.succeed([undefined, HashMap.set(state, name, to)] as const)
      : Effect.fail(new Differs({ found }))
  },
  Read: (state: State, { name }: { name: string }) => Effect.succeed(at(state, name))
}

/**
 * @since 0.1.0
 * @category machines
 */
export const layer = Registers.toLayer(handlers)

const names = ["a", "b"]

/** How long a client waits for an answer that it gives up, in milliseconds at most. */
const patience = 300

/**
 * Reads, writes, additions and swaps on two registers, so that clients meet. Some commands are given up before they are
 * answered, and of those whose outcome is unknown most are asked about later.
 *
 * @since 0.1.0
 * @category workloads
 */
export const workload: Workload<(typeof Registers.commands)[number], (typeof Registers.queries)[number]> = (
  client,
  { seeded }
): Effect.Effect<unknown, unknown> => {
  const name = seeded.pick(names)
  const value = seeded.below(10)
  const roll = seeded.next()
  if (roll < 0.35) return read(client, name, seeded)
  const command = (): Effect.Effect<unknown, Failure> => {
    if (roll < 0.6) return client.Add({ name, amount: 1 + value })
    if (roll < 0.8) return client.Write({ name, value })
    return client.Swap({ name, from: seeded.pick([null, value, 0]), to: value + 1 })
  }
  const asksLater = seeded.chance(0.7)
  const resolve = (token: Outcome.Token) => (asksLater ? client.resolve(token) : Effect.void)
  const patient = Effect.catchTag(command(), "OutcomeUnknown", ({ token }) => resolve(token))
  if (!seeded.chance(0.15)) return patient
  return Effect.gen(function* () {
    const ticket = yield* Ticket.make
    const answer = yield* Effect.timeoutOption(Ticket.hold(ticket)(command()), seeded.next() * patience)
    const token = yield* ticket.token
    if (Option.isNone(answer) && Option.isSome(token)) yield* resolve(token.value)
  })
}

type RegistersClient = StateMachine.ClientOf<typeof Registers>
type Failure = Effect.Effect.Error<ReturnType<RegistersClient["Add" | "Write" | "Swap"]>>

/** Most reads are linearizable, so that histories tell much. */
const read = (client: RegistersClient, name: string, seeded: Seeded): Effect.Effect<unknown, unknown> => {
  const value = client.Read({ name })
  const roll = seeded.next()
  if (roll < 0.35) return value
  if (roll < 0.7) return Consistency.leased(value)
  if (roll < 0.8) return Consistency.readYourWrites(value)
  if (roll < 0.9) return Effect.flatMap(client.seen, (slot) => Consistency.atLeast(slot)(value))
  return Consistency.stale(value)
}
