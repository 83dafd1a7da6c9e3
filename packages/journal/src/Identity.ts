/**
 * What tells one journal from every other one.
 *
 * @since 0.1.0
 */
import type { Incarnation } from "@synod/paxos/Incarnation"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Draws an incarnation: the time tells those of one node apart, and chance those that are begun at once.
 *
 * @since 0.1.0
 * @category constructors
 */
export const draw: Effect.Effect<Incarnation> = Effect.gen(function* () {
  const time = yield* Clock.currentTimeMillis
  const chance = yield* Random.nextIntBetween(0, 2 ** 32)
  return `${Math.floor(time).toString(36)}-${chance.toString(36)}`
})
