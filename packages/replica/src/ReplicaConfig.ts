/**
 * A replica's bounds and times, each with its unit, default and reason. The same on all replicas of a cluster.
 *
 * @since 0.1.0
 */
import { Bounds } from "@synod/client"
import { Lease as PaxosLease } from "@synod/paxos"
import * as Context from "effect/Context"
import { type Compression, longest } from "./Compression.js"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface Values {
  /**
   * One round of heartbeats, and the pause before a message that seems lost is sent again. Default: 100 milliseconds: a
   * lost leader is replaced after two to four of them, and an idle replica costs next to nothing.
   */
  readonly heartbeat: Duration.DurationInput
  /**
   * How much a replica's rounds may differ from that, as a share of it: replicas that try to lead at the same moment
   * don't do so again. Default: 0.2.
   */
  readonly jitter: number
  /**
   * Rounds that a peer may take to answer before it counts as silent, and a request to it as lost: `silence` heartbeats are the
   * election timeout. A round lasts until everyone has answered or is silent; whoever can't be reached at all, or was silent
   * in the last one, isn't waited for. Default: 4: a machine too busy to answer within one heartbeat is no reason for a new
   * leader.
   */
  readonly silence: number
  /**
   * Who should lead, of those that can: a number for each node, the higher the rather, 0 for those without one. A leader hands over
   * to a replica with a higher one that was able to lead for ten heartbeats. Default: none, all are equal, and whoever leads
   * goes on.
   */
  readonly priorities: { readonly [node: number]: number }
  /**
   * Whether `leased` queries are answered by the leader without asking anybody (see `Lease` of `@synod/paxos`). Default: `"off"`:
   * they are confirmed like linearizable ones, and no answer relies on how fast clocks run.
   */
  readonly lease: Lease | "off"
  /**
   * Slots that may be proposed and not yet chosen. Default: 8: enough to keep network and disk busy at once; more makes
   * batches smaller.
   */
  readonly pipeline: number
  /** Envelopes in one slot. Default: 256, so that heartbeats aren't held up by one commit. */
  readonly batchEnvelopes: number
  /** Bytes in one slot; a larger envelope goes alone. Default: 96 KiB: beyond it the slowest commits take milliseconds. */
  readonly batchBytes: number
  /** The longest envelope, in bytes. Default: 72 KiB: a client packs up to 64 KiB of commands. */
  readonly envelope: number
  /**
   * Bytes of envelopes that may wait for a slot; past it clients get `Overloaded`. Default: 2 MiB, about a second's work:
   * what waits longer than a client's `attempt` is sent a second time, and the more of that, the less is done.
   */
  readonly waitingBytes: number
  /**
   * Requests with queries that may wait at a replica: for the leader's word, or for a slot to be applied; past it clients get
   * `Overloaded`. Default: 4,096.
   */
  readonly waitingReads: number
  /** What an overloaded client is told to wait. Default: 50 milliseconds. */
  readonly retryAfter: Duration.DurationInput
  /**
   * Bytes of log in one message of catching up, and of a snapshot in one piece, before it is compressed. Default: 256 KiB; at
   * most 16 MiB.
   */
  readonly chunk: number
  /** Chosen slots kept in memory for followers that are a little behind. Default: 256. */
  readonly keep: number
  /** Rounds a new leader waits for a piece of the log it adopts before it seeks it elsewhere. Default: 4. */
  readonly patience: number
  /**
   * Heartbeats for which a leader that hands over proposes nothing; then it goes on to lead. Default: 10: many times what it
   * takes, and less than clients notice.
   */
  readonly handOver: number
  /** Inputs an actor may have waiting. Default: 4,096; what doesn't fit is lost and sent again. */
  readonly mailbox: number
  /** Requests to one peer that may be under way. Default: 64; what doesn't fit is lost and sent again. */
  readonly outstanding: number
  /**
   * A snapshot is taken after so many slots. Default: 50,000: fewer are applied again at a restart within seconds, as far as
   * commands are quick.
   */
  readonly snapshotSlots: number
  /**
   * A snapshot is taken after so many bytes of log, or as many as the last one had if these are more: then no more is
   * written for snapshots than for the log. Default: 16 MiB.
   */
  readonly snapshotBytes: number
  /**
   * Slots that stay in the log behind the newest snapshot, for replicas that were away for a moment; a snapshot would
   * cost them more. Default: 4,096.
   */
  readonly margin: number
  /**
   * Bytes that these slots may have; of larger ones fewer stay. The log behind the snapshot before the newest stays whatever
   * it has. Default: 64 MiB: what goes over a network within seconds, as a snapshot would.
   */
  readonly marginBytes: number
  /**
   * How pieces of snapshots are compressed, in the journal and on the way. A replica reads both kinds, whatever it is set to.
   * Default: `zstd`.
   */
  readonly compression: Compression
  /**
   * How long a snapshot, and the log behind it, stay after a replica has asked for a piece of it. Default: 30 seconds: time
   * enough to ask again, and to restore a large machine.
   */
  readonly pin: Duration.DurationInput
  /** Slots read from the journal at once when the machine is rebuilt. Default: 256. */
  readonly replay: number
  /**
   * Bytes of applied commands and their answers that are kept in memory for those who follow the machine: whoever is that little
   * behind costs next to nothing. Default: 4 MiB, some seconds of load.
   */
  readonly feed: number
  /** Requests of those who follow that may wait for news; one more gets `Overloaded`. Default: 1,024. */
  readonly followers: number
  /**
   * Different queries that may be followed; one more gets `Overloaded`. Default: 64, since each is answered after every slot,
   * once for all who follow it.
   */
  readonly followed: number
  /**
   * How many may be shown at once what is in the log only: each such replay holds a machine of its own, brought on from a
   * snapshot. Default: 2.
   */
  readonly replays: number
  /**
   * How long a replay, and a query that was followed, are kept without being asked for; and how long a request waits for news at
   * most. Default: 5 seconds.
   */
  readonly idle: Duration.DurationInput
  /**
   * How long the machine may apply slots, or write a snapshot, before heartbeats and messages get their turn. Default: 2
   * milliseconds: each of several takes its own, and with 10 a snapshot of 100 MB was measured to hold a replica up for 380. One slot
   * is applied in one go, however long it takes.
   */
  readonly hold: Duration.DurationInput
}

/**
 * Leases, and what their promise rests on: a `leased` answer may be stale if a clock drifts more than this.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  /**
   * How long an acceptor that has answered its leader promises nothing to anybody else. A leader that is lost is replaced no
   * sooner than that, so it should be no longer than `silence` heartbeats, after which it would be replaced anyway; and several
   * heartbeats long, to be renewed in time. To shorten it, or to turn leases off, stop all replicas first.
   */
  readonly duration: Duration.DurationInput
  /**
   * How much faster or slower than true time any replica's monotonic clock may run, as a share, below 1. Quartz keeps to
   * 0.0002 and NTP slews by at most 0.0005; 0.01 is plenty. A machine that is suspended, or moved while it runs, has a clock that
   * stands still, beyond any bound: don't use leases on such.
   */
  readonly drift: number
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaults: Values = {
  heartbeat: Duration.millis(100),
  jitter: 0.2,
  silence: 4,
  priorities: {},
  lease: "off",
  pipeline: 8,
  batchEnvelopes: 256,
  batchBytes: 96 * 1024,
  envelope: 72 * 1024,
  waitingBytes: 2 * 1024 * 1024,
  waitingReads: 4096,
  retryAfter: Duration.millis(50),
  chunk: 256 * 1024,
  keep: 256,
  patience: 4,
  handOver: 10,
  mailbox: 4096,
  outstanding: 64,
  snapshotSlots: 50_000,
  snapshotBytes: 16 * 1024 * 1024,
  margin: 4096,
  marginBytes: 64 * 1024 * 1024,
  compression: "zstd",
  pin: Duration.seconds(30),
  replay: 256,
  feed: 4 * 1024 * 1024,
  followers: 1024,
  followed: 64,
  replays: 2,
  idle: Duration.seconds(5),
  hold: Duration.millis(2)
}

/**
 * The configuration in force; {@link defaults} unless provided.
 *
 * @since 0.1.0
 * @category tags
 */
export class ReplicaConfig extends Context.Reference<ReplicaConfig>()("@synod/replica/ReplicaConfig", {
  defaultValue: (): Values => defaults
}) {}

/**
 * The configuration in force, if it can work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const checked: Effect.Effect<Values, Bounds.ConfigRefused> = Effect.flatMap(ReplicaConfig, (config) =>
  Bounds.check("replica", config, {
    heartbeat: Bounds.time,
    jitter: Bounds.share,
    silence: Bounds.count(1, 1000),
    priorities,
    lease,
    pipeline: Bounds.count(1, 1024),
    batchEnvelopes: Bounds.count(1, 65_536),
    batchBytes: Bounds.bytes,
    envelope: Bounds.bytes,
    waitingBytes: Bounds.count(config.envelope, Number.MAX_SAFE_INTEGER),
    waitingReads: Bounds.count(1, 1_000_000),
    retryAfter: Bounds.time,
    chunk: Bounds.count(1, longest),
    keep: Bounds.count(0, 1_000_000),
    patience: Bounds.count(1, 1000),
    handOver: Bounds.count(1, 1000),
    mailbox: Bounds.count(16, 1_000_000),
    outstanding: Bounds.count(1, 65_536),
    snapshotSlots: Bounds.count(1, Number.MAX_SAFE_INTEGER),
    snapshotBytes: Bounds.count(1, Number.MAX_SAFE_INTEGER),
    margin: Bounds.count(0, Number.MAX_SAFE_INTEGER),
    marginBytes: Bounds.count(0, Number.MAX_SAFE_INTEGER),
    compression: Bounds.oneOf(["zstd", "none"]),
    pin: Bounds.time,
    replay: Bounds.count(1, 65_536),
    feed: Bounds.count(0, Number.MAX_SAFE_INTEGER),
    followers: Bounds.count(0, 1_000_000),
    followed: Bounds.count(0, 65_536),
    replays: Bounds.count(0, 1024),
    idle: Bounds.time,
    hold: Bounds.time
  })
)

const priorities: Bounds.Rule = {
  expected: "finite numbers by node",
  holds: (value) => typeof value === "object" && value !== null && Object.values(value).every(Number.isFinite)
}

const lease: Bounds.Rule = {
  expected: '"off", or a duration from 1 millisecond to 1 day with a drift from 0 to 0.5',
  holds: (value) =>
    value === "off" ||
    (typeof value === "object" &&
      value !== null &&
      "duration" in value &&
      Bounds.time.holds(value.duration) &&
      "drift" in value &&
      typeof value.drift === "number" &&
      value.drift >= 0 &&
      value.drift <= 0.5)
}

/**
 * How long an acceptor's grants last, in milliseconds; 0 without leases.
 *
 * @since 0.1.0
 * @category getters
 */
export const grant = ({ lease }: Values): number => (lease === "off" ? 0 : Duration.toMillis(lease.duration))

/**
 * On what terms a leader relies on grants.
 *
 * @since 0.1.0
 * @category getters
 */
export const leaseTerms = (config: Values): PaxosLease.Terms | undefined =>
  config.lease === "off" ? undefined : PaxosLease.terms(grant(config), config.lease.drift)

/**
 * The longest frame replicas exchange, in bytes: all slots that can be undecided when the lead changes (twice the
 * pipeline) go to an acceptor in one message, or a piece of catching up.
 *
 * @since 0.1.0
 * @category getters
 */
export const maxFrameBytes = (config: Values): number =>
  Math.max(config.chunk, 2 * config.pipeline * Math.max(config.batchBytes, config.envelope)) + frameOverhead

/**
 * The longest answer that fits into a frame, in bytes.
 *
 * @since 0.1.0
 * @category getters
 */
export const longestReply = (config: Values): number => maxFrameBytes(config) - frameOverhead

/**
 * What a frame holds besides entries or answers, in bytes, at most: 64 KiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const frameOverhead = 64 * 1024
