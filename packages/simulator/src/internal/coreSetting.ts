/**
 * Bounds, times and fault rates of one run of the core tier. A replica's own come from its configuration; sizes are often
 * drawn as small as can be, so that each limit is met often.
 *
 * @internal
 */
import { Lease, type Proposer } from "@synod/paxos"
import { defaults } from "@synod/replica/ReplicaConfig"
import * as Duration from "effect/Duration"
import * as Fault from "../Fault.js"
import type { Seeded } from "../Seeded.js"

/** @internal */
export type Sizes = Pick<Proposer.Options, "pipeline" | "chunk" | "keep" | "patience">

/** Times in milliseconds. @internal */
export interface Setting {
  readonly sizes: Sizes
  /** Commands in one slot. */
  readonly batch: number
  /** Slots that a learner reads from the journal at once. */
  readonly replay: number
  /** Slots between two snapshots, 0 for none, and what of the log stays behind the newest. */
  readonly snapshots: { readonly every: number; readonly margin: number }
  readonly heartbeat: number
  readonly jitter: number
  /** How long a peer may take to answer before it counts as silent. */
  readonly silence: number
  /** The shortest time on a link; the longest is twice that, when nothing is wrong. */
  readonly latency: number
  /** The shortest time of a write until it is synced; the longest is four times that, when nothing is wrong. */
  readonly sync: number
  /** How long a client waits for one replica before it asks another. */
  readonly attempt: number
  /** How long a client waits for an answer at all. */
  readonly deadline: number
  /** Grants of acceptors, if there are any, and how much clocks may drift. */
  readonly lease: { readonly grant: number; readonly terms: Lease.Terms } | undefined
  /** The node that should lead, if anyone. */
  readonly preferred: number | undefined
  /** How long a leader that hands over proposes nothing. */
  readonly handOver: number
  /** A client's pause between two operations, on average. */
  readonly think: number
  /** How often an operation reads. */
  readonly reads: number
}

/** An election timeout: the longest time after which a replica knows that a peer is silent, in milliseconds. @internal */
export const electionTimeout = Duration.toMillis(defaults.heartbeat) * defaults.silence

/** Clients of a cluster, with one operation under way each. @internal */
export const clients = 2

/** Nodes that belong to nothing at first, where the membership changes. @internal */
export const spares = 2

/** How long faults strike, in milliseconds. @internal */
export const chaos = 8000

/**
 * In how many election timeouts a healthy core must have chosen a command that is new; {@link patience} where somebody in it must
 * have a snapshot first.
 *
 * @internal
 */
export const settled = 5

/**
 * In how many election timeouts its leader must have come to stay, and then everybody must have applied all that was chosen. The
 * slowest of 20,000 seeds are in the package's README.
 *
 * @internal
 */
export const patience = 15

/** A leader that nobody replaced for so many election timeouts stays. @internal */
export const steady = 3

/** How long each fault lasts, in milliseconds: at least, and at most. @internal */
export const lasts = {
  partition: [200, 4000],
  clog: [100, 2000],
  pause: [200, 3000],
  full: [500, 2000],
  slow: [500, 3000],
  reconfigure: [1000, 4000]
} as const

/** Clocks run up to a tenth too fast or too slow; as shares of true time that is a little more. */
const drift = 0.112

const leaseOf = (grant: number | undefined): Setting["lease"] =>
  grant === undefined ? undefined : { grant, terms: Lease.terms(grant, drift) }

/**
 * When all grants of before have run out, in milliseconds: what was granted last, and what those are bound by that start meanwhile, by
 * the slowest clock.
 *
 * @internal
 */
export const leaseEnd = ({ grant }: NonNullable<Setting["lease"]>): number => Math.max(0, 1.2 * grant - electionTimeout)

/** @internal */
export const draw = (seeded: Seeded): Setting => ({
  sizes: {
    pipeline: seeded.pick([1, 3, defaults.pipeline]),
    chunk: seeded.pick([40, 80, 200, defaults.chunk]),
    keep: seeded.pick([0, 2, 10, defaults.keep]),
    patience: defaults.patience
  },
  batch: seeded.pick([1, 2, defaults.batchEnvelopes]),
  replay: seeded.pick([2, defaults.replay]),
  snapshots: { every: seeded.pick([0, 2, 5, 15]), margin: seeded.pick([0, 1, 10]) },
  heartbeat: Duration.toMillis(defaults.heartbeat),
  jitter: defaults.jitter,
  silence: electionTimeout,
  latency: seeded.pick([0.2, 1, 10]),
  sync: seeded.pick([0.1, 1, 5]),
  attempt: seeded.pick([200, 500, 1000]),
  deadline: 3000,
  lease: leaseOf(seeded.pick([undefined, undefined, electionTimeout, 8 * electionTimeout])),
  preferred: seeded.pick([undefined, undefined, 2, 3]),
  handOver: Duration.toMillis(defaults.heartbeat) * defaults.handOver,
  // A lease that ended a moment too late shows only to those who ask at that moment.
  think: seeded.pick([100, 400]),
  reads: seeded.pick([0.3, 0.6])
})

/**
 * Rates of a cluster that has a bad day. The faults of bytes (corruption, torn writes, bit flips) need bytes: the world tier
 * has them.
 *
 * @internal
 */
export const rates: Fault.Rates = {
  loss: 0.02,
  duplication: 0.02,
  delay: 0.01,
  reordering: 0.1,
  clog: 0.2,
  halves: 0.06,
  oneWay: 0.06,
  ring: 0.06,
  isolate: 0.06,
  quorumLoss: 0.06,
  constrained: 0.06,
  chained: 0.06,
  crash: 0.003,
  outage: 0.02,
  handOver: 0.05,
  pause: 0.1,
  skew: 0.3,
  lostWrites: 0.5,
  syncError: 0.002,
  diskFull: 0.03,
  slowDisk: 0.1,
  wipe: 0.02,
  reconfigure: 0.4
}

/** More of everything, and journals that are gone beyond what any quorum survives. @internal */
export const harsh: Fault.Rates = { ...rates, loss: 0.1, crash: 0.01, outage: 0.1, pause: 0.3, wipe: 0.3 }

/**
 * Each seed does without some faults and has others more often: what one fault hides another run shows (Groce et al.,
 * *Swarm Testing*, 2012).
 *
 * @internal
 */
export const vary = (all: Fault.Rates, seeded: Seeded): Fault.Rates => {
  const varied: Partial<Record<Fault.Fault, number>> = {}
  for (const name of Fault.names) {
    const rate = all[name]
    if (rate === undefined) continue
    const factor = seeded.chance(0.25) ? 0 : 0.5 + 1.5 * seeded.next()
    varied[name] = Fault.faults[name].unit === "crash" ? rate : rate * factor
  }
  return varied
}
