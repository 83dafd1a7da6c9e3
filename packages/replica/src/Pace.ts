/**
 * Long work that others need not wait for: it is done a little at a time.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { EventLoop } from "./EventLoop.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * To be passed between two small parts of the work: lets everything else go on once it has been at it for
 * `ReplicaConfig.hold`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Effect.Effect<void>> = Effect.gen(function* () {
  const { turn } = yield* EventLoop
  const clock = yield* Effect.clock
  const hold = Duration.toMillis((yield* ReplicaConfig).hold)
  let since = clock.unsafeCurrentTimeMillis()
  return Effect.suspend(() => {
    if (clock.unsafeCurrentTimeMillis() - since < hold) return Effect.void
    return Effect.map(turn, () => {
      since = clock.unsafeCurrentTimeMillis()
    })
  })
})

/**
 * Bytes that such a part works on: a millisecond or so for most states.
 *
 * @since 0.1.0
 * @category constants
 */
export const part = 16 * 1024
