/**
 * A caller that applies what it is asked in this process, through the same bytes and sessions as replicas do, with
 * neither consensus nor durability.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Batch from "../Batch.js"
import type * as Caller from "../Caller.js"
import * as Envelope from "../Envelope.js"
import type * as Executor from "../Executor.js"
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
    const { session } = opened

    return {
      submit: (command) =>
        Effect.flatMap(
          // Every earlier call was answered before this one began, so that none of them is asked for again.
          Effect.suspend(() =>
            apply(Envelope.call({ session, acknowledged: sequence, first: sequence++, commands: [command] }))
          ),
          (reply) =>
            reply._tag === "Replied"
              ? Effect.succeed(reply.replies[0]!)
              : Effect.dieMessage(`a command was sent and ${reply._tag} came`)
        ),
      query: (query) => Effect.sync(() => executor.query(replicated, at, query))
    }
  })
