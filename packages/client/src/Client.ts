/**
 * A typed client's way to the replicas: it finds the leader, packs calls, retries safely, and knows what it may say when
 * time is up.
 *
 * ```
 *   bank.Transfer(…) ─┐                                 ┌─► replica 1
 *   bank.Transfer(…) ─┼─► packer ─► envelope ─► courier ┼─► replica 2 (leads)
 *   bank.Balance(…) ──┘   (session, sequence)           └─► replica 3
 * ```
 *
 * Exactly once, after RIFL (Lee et al., SOSP 2015): a command gets its session and sequence before it is first sent, and
 * keeps them however often and wherever it is sent again; the replicas apply it once and repeat the first answer.
 *
 * @since 0.1.0
 */
import { Answer, Outcome } from "@synod/state-machine"
import type { StateMachine, Caller } from "@synod/state-machine"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Bounds from "./Bounds.js"
import * as ClientConfig from "./ClientConfig.js"
import * as Conversation from "./Conversation.js"
import * as Courier from "./Courier.js"
import type * as Endpoint from "./Endpoint.js"
import * as Packer from "./Packer.js"
import * as Servers from "./Servers.js"
import * as Subscription from "./Subscription.js"

/**
 * A caller that speaks to these replicas, by node; the first is asked first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  endpoints: ReadonlyMap<number, Endpoint.Endpoint>,
  options: Partial<ClientConfig.ClientConfig> = {},
  /** A request was refused or lost: the replicas may be others by now. */
  doubt?: () => void
): Effect.Effect<Caller.Caller, Bounds.ConfigRefused, Scope.Scope> =>
  Effect.gen(function* () {
    const config = yield* ClientConfig.make(options)
    if (endpoints.size === 0) {
      return yield* new Bounds.ConfigRefused({
        config: "client",
        option: "servers",
        expected: "one replica or more",
        found: "none"
      })
    }
    const courier = yield* Courier.make(endpoints, config, doubt)
    const packing = {
      requests: config.requests,
      calls: config.commands,
      bytes: config.bytes,
      waiting: config.waiting,
      deadline: Duration.toMillis(config.deadline),
      overloaded: () => new Outcome.Overloaded({ retryAfter: Duration.decode(config.pause) })
    }
    let seen = 0
    const saw = (slot: number): void => {
      seen = Math.max(seen, slot)
    }
    const conversation = yield* Conversation.make(courier, { saw })
    const commands = yield* Packer.make<Conversation.Failure>({ ...packing, send: conversation.send })
    const queriesBy = (consistency: Kind) =>
      Packer.make<QueryError>({ ...packing, send: (calls) => ask(courier, calls, consistency, saw) })
    const queries = {
      linearizable: yield* queriesBy("linearizable"),
      leased: yield* queriesBy("leased"),
      atLeast: yield* queriesBy("atLeast"),
      stale: yield* queriesBy("stale")
    }

    const tooLong = (bytes: Uint8Array) =>
      bytes.length <= config.command
        ? undefined
        : Effect.succeed(
            Answer.defect(
              Conversation.nameOf(bytes),
              `it is ${bytes.length} bytes long, more than the ${config.command} that are allowed`
            )
          )

    /** Tells the token, and lets go of the answer once it has come to whoever called. */
    const noted = (command: Uint8Array, note: (token: Outcome.Token) => void) =>
      Effect.suspend(() => {
        let token: Outcome.Token | undefined
        const keep = (told: Outcome.Token): void => {
          token = told
          note(told)
        }
        return Effect.onExit(commands.call(command, { note: keep }), (exit) =>
          Effect.sync(() => {
            if (token !== undefined && isKnown(exit)) conversation.release(token)
          })
        )
      })

    return {
      submit: (command, note) =>
        tooLong(command) ?? (note === undefined ? commands.call(command) : noted(command, note)),
      resolve: (token) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => conversation.resolve(token, now + packing.deadline)),
      query: (query, consistency) => {
        const refused = tooLong(query)
        if (refused !== undefined) return refused
        if (consistency === "linearizable" || consistency === "leased" || consistency === "stale")
          return queries[consistency].call(query)
        return Effect.suspend(() =>
          queries.atLeast.call(query, { slot: consistency === "readYourWrites" ? seen : consistency.atLeast })
        )
      },
      follow: (options) => Subscription.make(courier, config, { ...options, seen: () => seen, saw }),
      seen: Effect.sync(() => seen)
    }
  })

/** Queries that travel together. */
type Kind = "linearizable" | "leased" | "atLeast" | "stale"

const isKnown = (exit: Exit.Exit<unknown, Conversation.Failure>): boolean =>
  Exit.isSuccess(exit) || (exit.cause._tag === "Fail" && exit.cause.error._tag !== "OutcomeUnknown")

/**
 * The client of a machine whose replicas are reached over TCP.
 *
 * @example
 * ```ts
 * const BankClient = Client.layer(Bank, {
 *   cluster: "bank",
 *   servers: { 1: { host: "10.0.0.1", port: 7000 }, 2: { host: "10.0.0.2", port: 7000 }, 3: { host: "10.0.0.3", port: 7000 } }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string>(
  machine: Pick<StateMachine.StateMachine<Name, any, any, any>, "caller">,
  options: {
    /** The cluster's name, the same for all of its replicas and clients. */
    readonly cluster: string
    /** Where the replicas are, by node; any of them. From them it learns who takes part by and by, and where they listen. */
    readonly servers: Readonly<Record<number, { readonly host: string; readonly port: number }>>
    readonly config?: Partial<ClientConfig.ClientConfig>
  }
): Layer.Layer<Caller.Id<Name>, Bounds.ConfigRefused> =>
  Layer.scoped(
    machine.caller,
    Effect.gen(function* () {
      const { doubt, endpoints } = yield* Servers.tcp(options, yield* ClientConfig.make(options.config))
      return yield* make(endpoints, options.config, doubt)
    })
  )

type QueryError = Outcome.Unavailable | Outcome.Overloaded

const noAnswer: Courier.Failed = {
  _tag: "Failed",
  unsure: false,
  reason: "the reply holds no answer",
  overloaded: undefined
}

/** Queries change nothing, so that one which failed was certainly not applied. */
const ask = (
  courier: Courier.Courier,
  calls: ReadonlyArray<Packer.Call<QueryError>>,
  kind: Kind,
  saw: (slot: number) => void
): Effect.Effect<void> => {
  // What travels together is answered from one state, which is to be as new as the most demanding asks.
  const slots = () => calls.reduce((highest, { slot = 0 }) => Math.max(highest, slot), 0)
  return courier
    .query(
      calls.map((call) => call.bytes),
      kind === "atLeast" ? { atLeast: slots() } : kind,
      Conversation.earliest(calls)
    )
    .pipe(
      Effect.filterOrFail(
        ({ answers }) => answers.length > 0,
        () => noAnswer
      ),
      Effect.matchEffect({
        onSuccess: ({ answers, slot }) => {
          saw(slot)
          answers.slice(0, calls.length).forEach((answer, i) => calls[i]!.end(Effect.succeed(answer)))
          const rest = calls.slice(answers.length)
          return rest.length === 0 ? Effect.void : ask(courier, rest, kind, saw)
        },
        onFailure: ({ overloaded, reason }) =>
          Effect.sync(() =>
            calls.forEach((call) => call.end(Effect.fail(overloaded ?? new Outcome.Unavailable({ reason }))))
          )
      })
    )
}
