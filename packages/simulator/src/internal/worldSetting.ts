/**
 * Bounds and times of one run of a simulated world.
 *
 * @internal
 */
import { ReplicaConfig } from "@synod/replica"
import type { SessionTable } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import type * as Seeded from "../Seeded.js"

/** Heartbeats are sparse, since each of them costs as much as a command does: time is what faults are to fill. */
const heartbeat = Duration.millis(250)

/** How much clocks are skewed at most: what leases are told. */
const skew = 0.1

/** Bounds as small as some users will set them, so that each of them is met. @internal */
export const tight = (seeded: Seeded.Seeded): ReplicaConfig.Values => ({
  ...ReplicaConfig.defaults,
  heartbeat,
  pipeline: seeded.pick([1, 2, ReplicaConfig.defaults.pipeline]),
  batchEnvelopes: seeded.pick([1, 4, ReplicaConfig.defaults.batchEnvelopes]),
  outstanding: seeded.pick([2, 8, ReplicaConfig.defaults.outstanding]),
  keep: seeded.pick([0, 4, ReplicaConfig.defaults.keep]),
  chunk: seeded.pick([200, 2_000, ReplicaConfig.defaults.chunk]),
  replay: seeded.pick([1, 8, ReplicaConfig.defaults.replay]),
  mailbox: seeded.pick([16, 64, ReplicaConfig.defaults.mailbox]),
  snapshotSlots: seeded.pick([5, 20, 100, ReplicaConfig.defaults.snapshotSlots]),
  snapshotBytes: seeded.pick([1_000, ReplicaConfig.defaults.snapshotBytes]),
  margin: seeded.pick([0, 2, 20]),
  marginBytes: seeded.pick([0, 1_000, ReplicaConfig.defaults.marginBytes]),
  compression: seeded.pick(["none", "zstd"]),
  pin: seeded.pick([Duration.seconds(1), ReplicaConfig.defaults.pin]),
  lease: seeded.pick([
    "off",
    { duration: Duration.times(heartbeat, ReplicaConfig.defaults.silence), drift: skew }
  ] as const),
  priorities: seeded.pick([{}, {}, { 2: 1 }]),
  feed: seeded.pick([0, 500, ReplicaConfig.defaults.feed]),
  followed: seeded.pick([1, ReplicaConfig.defaults.followed]),
  replays: seeded.pick([1, ReplicaConfig.defaults.replays]),
  idle: seeded.pick([Duration.millis(300), ReplicaConfig.defaults.idle])
})

/** Room for fewer sessions than there are clients, and sessions that end while their client waits. @internal */
export const brief = (seeded: Seeded.Seeded, { expiry, most }: SessionTable.Bounds): SessionTable.Bounds => ({
  most: seeded.pick([2, 4, most]),
  expiry: seeded.pick([1_000, 3_000, expiry])
})

/** A leader that says nothing for so many heartbeats is given up. @internal */
export const electionTimeout = ReplicaConfig.defaults.silence * Duration.toMillis(heartbeat)

/**
 * How much longer than an election takes a leader may be missed: what was granted last, and what those are bound by that start
 * meanwhile, by the slowest clock; in milliseconds.
 *
 * @internal
 */
export const leaseEnd = (config: ReplicaConfig.Values): number =>
  Math.max(0, (1 + 2 * skew) * ReplicaConfig.grant(config) - electionTimeout)

/** Short, so that a run meets many retries and many unknown outcomes; in milliseconds. @internal */
export const clientConfig = { deadline: 4_000, attempt: 500 } as const
