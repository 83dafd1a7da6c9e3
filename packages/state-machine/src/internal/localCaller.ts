/**
 * A caller that applies what it is asked in this process, through the same bytes and sessions as replicas do, with
 * neither consensus nor durability.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Answer from "../Answer.js"
import * as Batch from "../Batch.js"
import type * as Caller from "../Caller.js"
import * as Command from "../Command.js"
import * as Envelope from "../Envelope.js"
import type * as Executor from "../Executor.js"
import { SessionExpired } from "../Outcome.js"
import * as Reply from "../Reply.js"

export const makeLocalCaller = (executor: Executor.Executor): Effect.Effect<Caller.Caller> =>
  Effect.gen(function* () {
    let replicated = executor.initial
    let at: Executor.At = { slot: 0, time: yield* Clock.currentTimeMillis }
    let sequence = 0

    const apply = (envelope: Envelope.Envelope): Effect.Effect<Reply.Reply> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        at = { slot: at.slot + 1, time: Math.max(at.time, now) }
        const { replies, state } = executor.apply(replicated, at, Batch.encode([Envelope.encode(envelope)]))
        replicated = state
        return Either.getOrThrow(Reply.decode(replies[0]!))
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
          return apply(Envelope.call({ session, acknowledged: first, first, commands: [command] }))
        }),
        (reply) => {
          if (reply._tag === "Replied") return Effect.succeed(reply.replies[0]!)
          if (reply._tag !== "SessionExpired") return Effect.dieMessage(`a command was sent and ${reply._tag} came`)
          // Nobody kept the session while nothing was called. The command is the first of the next one.
          return Effect.zipRight(reopen, submit(command, note))
        }
      )

    const reopen = Effect.map(apply(Envelope.open), (reply) => {
      if (reply._tag === "Opened") session = reply.session
    })

    return {
      submit,
      resolve: (token) =>
        Effect.flatMap(apply(Envelope.resolve(token.session, token.sequence)), (reply) => {
          if (reply._tag === "Replied") return Effect.succeed(reply.replies[0]!)
          return reply._tag === "SessionExpired" && token.sequence >= reply.unapplied
            ? Effect.succeed(Answer.withdrawn)
            : Effect.fail(new SessionExpired({ token }))
        }),
      query: (query) => Effect.sync(() => executor.query(replicated, at, query)),
      seen: Effect.sync(() => at.slot)
    }
  })

const nameOf = (command: Uint8Array): string =>
  Either.match(Command.decode(command), { onLeft: () => "command", onRight: ({ tag }) => tag })
