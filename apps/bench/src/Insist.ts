/**
 * Callers that try again until they are answered, for times when members are lost: when each answer came is what can be learned.
 */
import { Clock, Effect, Schema } from "effect"

export const Insist = Schema.Struct({
  /** By which it is ended. */
  id: Schema.Int,
  /** Callers; each makes its next command when it has the answer to the last. */
  inFlight: Schema.Int.pipe(Schema.positive()),
  /** It ends after so many seconds, or so many answers. */
  seconds: Schema.Positive,
  answers: Schema.Int.pipe(Schema.positive())
})

export type Insist = typeof Insist.Type

export const Timeline = Schema.Struct({
  /** When each answer came, in milliseconds since 1970. */
  answered: Schema.Array(Schema.Number)
})

export type Timeline = typeof Timeline.Type

/** So long is one attempt waited for, since a member may be lost, and so long is the pause after one that failed. */
const patience = "500 millis"
const pause = "5 millis"

export interface Insisting {
  readonly insist: (asked: unknown) => Promise<Timeline>
  /** Ends the one of that id. */
  readonly enough: (id: unknown) => Promise<void>
}

/** Callers begin at different members, and go on to the next one when an attempt fails. */
export const make = (members: number, attempt: (member: number) => Effect.Effect<unknown, unknown>): Insisting => {
  const ended = new Set<unknown>()
  return {
    insist: (asked) =>
      Effect.runPromise(
        Effect.gen(function* () {
          const { answers, id, inFlight, seconds } = yield* Schema.decodeUnknown(Insist)(asked)
          const end = (yield* Clock.currentTimeMillis) + 1000 * seconds
          const answered: Array<number> = []
          const caller = Effect.fnUntraced(function* (first: number) {
            for (let member = first; !ended.has(id) && answered.length < answers;) {
              const outcome = yield* Effect.option(Effect.timeout(attempt(member % members), patience))
              const now = yield* Clock.currentTimeMillis
              if (outcome._tag === "Some") answered.push(now)
              else {
                member++
                yield* Effect.sleep(pause)
              }
              if (now >= end) return
            }
          })
          yield* Effect.forEach(
            Array.from({ length: inFlight }, (_, n) => n),
            caller,
            {
              concurrency: "unbounded",
              discard: true
            }
          )
          return { answered }
        })
      ),
    enough: (id) => {
      ended.add(id)
      return Promise.resolve()
    }
  }
}
