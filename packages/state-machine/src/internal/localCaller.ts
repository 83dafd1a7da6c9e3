/**
 * A caller that applies what it is asked in this process, through the same bytes and sessions as replicas do, with
 * neither consensus nor durability.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Answer from "../Answer.js"
import * as Batch from "../Batch.js"
import type * as Caller from "../Caller.js"
import * as Command from "../Command.js"
import * as Envelope from "../Envelope.js"
import type * as Executor from "../Executor.js"
import type * as Feed from "../Feed.js"
import type { MachineFailed } from "../Machine.js"
import { OutcomeUnknown, SessionExpired, Unavailable } from "../Outcome.js"
import * as Reply from "../Reply.js"
import { makeLocalFeed } from "./localFeed.js"

/** Where a machine that keeps something on a disk finds it. */
const here: Executor.Where = { cluster: "local", node: 1 }

/** Without its machine there is nothing to call, so that one that can't be opened is a defect. */
export const makeLocalCaller = (executor: Executor.Executor): Effect.Effect<Caller.Caller, never, Scope.Scope> =>
  Effect.gen(function* () {
    const machine = yield* executor.open(here)
    const feed = makeLocalFeed(machine)
    let sequence = 0

    const apply = (envelope: Envelope.Envelope): Effect.Effect<Reply.Reply, MachineFailed> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const { slot, time } = machine.at()
        const at = { slot: slot + 1, time: Math.max(time, now) }
        const batch = Batch.encode([Envelope.encode(envelope)])
        const performed: Array<Feed.Record> = []
        const applied = machine.apply(at, batch, (index, command, answer) => {
          performed.push({ ...at, index, command, answer })
        })
        return Either.map(applied, ([reply]) => {
          feed.applied(performed)
          return Either.getOrThrow(Reply.decode(reply!))
        })
      })

    const opened = yield* apply(Envelope.open)
    if (opened._tag !== "Opened") return yield* Effect.dieMessage(`a session was asked for and ${opened._tag} came`)
    let { session } = opened

    const submit: Caller.Caller["submit"] = (command, note) =>
      Effect.flatMap(
        Effect.suspend(() => {
          const first = sequence++
          note?.({ session, sequence: first, command: nameOf(command) })
          // Every earlier call was answered before this one began, so that none of them is asked for again.
          return unlessFailed(apply(Envelope.call({ session, acknowledged: first, first, commands: [command] })))
        }),
        (reply) => {
          if (reply._tag === "Replied") return Effect.succeed(reply.replies[0]!)
          if (reply._tag !== "SessionExpired") return Effect.dieMessage(`a command was sent and ${reply._tag} came`)
          // Nobody kept the session while nothing was called. The command is the first of the next one.
          return Effect.zipRight(reopen, submit(command, note))
        }
      )

    const reopen = Effect.map(unlessFailed(apply(Envelope.open)), (reply) => {
      if (reply._tag === "Opened") session = reply.session
    })

    return {
      submit,
      resolve: (token) =>
        Effect.flatMap(
          Effect.mapError(apply(Envelope.resolve(token.session, token.sequence)), () => new OutcomeUnknown({ token })),
          (reply) => {
            if (reply._tag === "Replied") return Effect.succeed(reply.replies[0]!)
            return reply._tag === "SessionExpired" && token.sequence >= reply.unapplied
              ? Effect.succeed(Answer.withdrawn)
              : Effect.fail(new SessionExpired({ token }))
          }
        ),
      query: (query) => unlessFailed(Effect.suspend(() => machine.query(query))),
      follow: feed.follow,
      seen: Effect.sync(() => machine.at().slot)
    } satisfies Caller.Caller
  }).pipe(Effect.orDie)

/** A machine that fails has changed nothing. */
const unlessFailed = <A>(effect: Effect.Effect<A, MachineFailed>): Effect.Effect<A, Unavailable> =>
  Effect.mapError(effect, ({ message }) => new Unavailable({ reason: message }))

const nameOf = (command: Uint8Array): string =>
  Either.match(Command.decode(command), { onLeft: () => "command", onRight: ({ tag }) => tag })
