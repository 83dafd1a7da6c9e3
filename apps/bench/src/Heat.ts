/**
 * Before anything is measured, again and again: a process that has just started runs at a fifth of its speed.
 */
import { Effect } from "effect"
import type { Sample } from "./Load.js"

/** With 16 in flight there are many rounds, and each has several commands. */
export const load = { inFlight: 16, warmUp: 0 }

/** How much faster than ever before a system must be to be getting warmer. */
const warmer = 1.05

/** So often in a row it isn't, until it is warm; and so often it is heated at most. */
const steady = 2
const most = 15

/** Measures until it gets no faster. */
export const up = <E>(measure: Effect.Effect<Sample, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    let best = 0
    for (let times = 0, same = 0; times < most && same < steady; times++) {
      const { commandsPerSecond } = yield* measure
      same = commandsPerSecond > best * warmer ? 0 : same + 1
      best = Math.max(best, commandsPerSecond)
    }
  })
