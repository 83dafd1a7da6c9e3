/**
 * How often things go wrong in a simulated world, unless somebody says otherwise.
 *
 * @since 0.1.0
 */
import { type Fault, names, type Rates } from "./Fault.js"
import type { Seeded } from "./Seeded.js"

/**
 * Dense, since a run is a few seconds long: about one fault of the network or a machine each second.
 *
 * @since 0.1.0
 * @category constants
 */
export const rates = (replicas: number): Rates => ({
  loss: 0.01,
  duplication: 0.01,
  delay: 0.003,
  reordering: 0.03,
  corruption: 0.001,
  clog: 0.08,
  halves: 0.06,
  oneWay: 0.06,
  isolate: 0.06,
  ...(replicas < 3 ? {} : { quorumLoss: 0.06, constrained: 0.06, chained: 0.06 }),
  ...(replicas < 4 ? {} : { ring: 0.06 }),
  crash: 0.0006,
  outage: 0.02,
  handOver: 0.08,
  pause: 0.08,
  skew: 0.3,
  jump: 0.08,
  lostWrites: 1,
  tornWrite: 0.7,
  bitFlip: 0.02,
  readError: 0.002,
  syncError: 0.001,
  syncLie: 0.001,
  diskFull: 0.03,
  slowDisk: 0.08,
  wipe: 0.02,
  reconfigure: 0.15
})

/**
 * What one seed makes of them: some are left out, so that others are met in peace, and some come thrice as often.
 *
 * @since 0.1.0
 * @category constructors
 */
export const varied = (all: Rates, seeded: Seeded): Rates => {
  const varied: { -readonly [fault in Fault]?: number } = {}
  for (const name of names) {
    const rate = all[name]
    if (rate === undefined || seeded.chance(0.3)) continue
    varied[name] = Math.min(1, rate * seeded.pick([0.5, 1, 1, 3]))
  }
  return varied
}
