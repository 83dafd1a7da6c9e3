/**
 * How far a restart is, told in the log: a long one should not look like a dead one.
 *
 * @since 0.1.0
 */
import type { NodeId, Slot } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { LearnerActor } from "./LearnerActor.js"

/** How often a long restart tells how far it is: a person looks that often. */
const every = Duration.seconds(2)

/**
 * Tells now and then how far the machine is, until it has reached `through`, and then how long that took.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tell = (
  learner: Pick<LearnerActor, "through" | "reached">,
  options: {
    readonly node: NodeId.NodeId
    /** When it began, in milliseconds since 1970. */
    readonly started: number
    /** Where the machine stood at first; 0 for the very beginning. */
    readonly from: Slot.Slot
    readonly through: Slot.Slot
  }
): Effect.Effect<void> => {
  const { from, node, started, through } = options
  if (through === 0) return Effect.void
  const say = (what: string) =>
    Effect.flatMap(
      Effect.clockWith((clock) => clock.currentTimeMillis),
      (now) => Effect.logInfo(`node ${node} ${what} after ${((now - started) / 1000).toFixed(1)} s`)
    )
  const saying = Effect.forever(
    Effect.zipRight(
      Effect.sleep(every),
      Effect.suspend(() => say(`has applied slot ${learner.through()} of ${through}`))
    )
  )
  const source = from === 0 ? "the first slot" : `slot ${from}`
  return Effect.zipRight(
    Effect.race(saying, Effect.ignore(learner.reached(through))),
    say(`is up to slot ${through}, from ${source},`)
  )
}
