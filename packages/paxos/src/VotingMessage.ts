/**
 * What proposers and acceptors say to each other: the two phases, and how both get what they lack of the log.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import { Count } from "./Count.js"
import { Entry } from "./Entry.js"
import { NodeId } from "./NodeId.js"
import { Slot } from "./Slot.js"

/** What an acceptor holds, as it tells a proposer who must bring it up to date. */
const held = {
  /** The ballot at which the acceptor's log was accepted as a whole. */
  acceptedBallot: Ballot,
  /** The last slot of that log. */
  acceptedThrough: Slot,
  /** The slots that the acceptor knows to be chosen. */
  chosenThrough: Slot
}

/**
 * Asks for a promise to answer no ballot below this one (phase 1a).
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Prepare = Schema.TaggedStruct("Prepare", {
  /** The proposer's ballot; its own acceptor has promised it, durably, before this message leaves. */
  ballot: Ballot,
  /** The ballot of a leader that handed over to this proposer, and so gave up its leases; zero without one. */
  released: Ballot
})

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Prepare = typeof Prepare.Type

/**
 * The promise, with what the acceptor holds (phase 1b). The entries themselves are asked for with {@link Fetch}, from
 * the one acceptor whose log is adopted.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Promise = Schema.TaggedStruct("Promise", {
  /** The ballot that is promised. */
  ballot: Ballot,
  ...held
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Promise = typeof Promise.Type

/**
 * Asks an acceptor that promised this ballot for a piece of its log.
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Fetch = Schema.TaggedStruct("Fetch", {
  /** The proposer's ballot. */
  ballot: Ballot,
  /** The piece starts behind this slot. */
  after: Slot,
  /** The size of the piece, in bytes; a single larger entry still comes whole. */
  bytes: Count
})

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Fetch = typeof Fetch.Type

/**
 * The piece asked for; empty when the log ends at `after`.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Fetched = Schema.TaggedStruct("Fetched", {
  /** The ballot of the {@link Fetch}. */
  ballot: Ballot,
  /** The slot in front of the first entry. */
  after: Slot,
  /** Consecutive entries. */
  entries: Schema.Array(Entry)
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Fetched = typeof Fetched.Type

/**
 * The piece asked for is no longer in the log: a snapshot took its place.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Trimmed = Schema.TaggedStruct("Trimmed", {
  /** The ballot of the {@link Fetch}. */
  ballot: Ballot,
  /** The slot behind which the piece was to start. */
  after: Slot,
  /** The log begins behind this slot; a snapshot here reaches at least as far. */
  trimmedThrough: Slot
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Trimmed = typeof Trimmed.Type

/**
 * Tells an acceptor that what it lacks is in no log any more: it should get a snapshot. Answered by a {@link Rejected} that
 * says what the acceptor holds, whether it has the snapshot by then or not.
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Behind = Schema.TaggedStruct("Behind", {
  /** The leader's ballot. */
  ballot: Ballot,
  /** A node that has a snapshot, and the log behind it. */
  source: NodeId
})

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Behind = typeof Behind.Type

/**
 * Asks an acceptor to accept `entries` behind slot `after` (phase 2a). Without entries it tells what is chosen, and asks
 * for a confirmation of the ballot.
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Accept = Schema.TaggedStruct("Accept", {
  /** The leader's ballot. */
  ballot: Ballot,
  /** The slot in front of the first entry; the acceptor's log and the leader's agree through it. */
  after: Slot,
  /** Consecutive entries. */
  entries: Schema.Array(Entry),
  /** What the leader knows to be chosen. */
  chosenThrough: Slot,
  /** The log that the leader adopted: where it was accepted, and how far. Acceptors that lack it are synchronised with it first. */
  adopted: Schema.Struct({ acceptedBallot: Ballot, acceptedThrough: Slot }),
  /** The number of the latest round in which the leader has its ballot confirmed for reads; 0 before the first. */
  confirm: Count
})

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Accept = typeof Accept.Type

/**
 * The acceptor holds, durably, the leader's log through `through` (phase 2b, cumulative). This is its vote once `through`
 * covers what the leader adopted; before, only chosen entries came.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Accepted = Schema.TaggedStruct("Accepted", {
  /** The ballot of the {@link Accept}. */
  ballot: Ballot,
  /** The last slot of the agreeing log. Below what the leader adopted, the log is not yet accepted at the ballot. */
  through: Slot,
  /** The slots that the acceptor knows to be chosen; tells the leader that its news arrived. */
  chosenThrough: Slot,
  /** The confirmation round of the {@link Accept}. */
  confirm: Count,
  /**
   * For how long the acceptor promises nothing to anybody else, from when it first answered this round, in milliseconds of its own
   * clock; 0 for not at all.
   */
  grant: Count
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Accepted = typeof Accepted.Type

/**
 * The refusal. `promised` above `ballot`: a newer leader is at work. Otherwise the message does not join on to what the
 * acceptor holds, which is told so that the leader can go back to there.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Rejected = Schema.TaggedStruct("Rejected", {
  /** The ballot that is refused. */
  ballot: Ballot,
  /** The ballot that the acceptor has promised. */
  promised: Ballot,
  ...held
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Rejected = typeof Rejected.Type

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type ToAcceptor = Prepare | Accept | Fetch | Behind

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type ToProposer = Promise | Accepted | Fetched | Trimmed | Rejected
