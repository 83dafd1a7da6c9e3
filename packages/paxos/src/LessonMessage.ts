/**
 * How a replica learns what is chosen of another one, whoever leads them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import { Count } from "./Count.js"
import { Entry } from "./Entry.js"
import { Slot } from "./Slot.js"

/**
 * Asks a replica for what it knows to be chosen: from one that is in an earlier epoch, or that nobody leads.
 *
 * @since 0.1.0
 * @category replica to replica
 */
export const Learn = Schema.TaggedStruct("Learn", {
  /** The piece starts behind this slot; all before it is known. */
  after: Slot,
  /** The size of the piece, in bytes; a single larger entry still comes whole. */
  bytes: Count
})

/**
 * @since 0.1.0
 * @category replica to replica
 */
export type Learn = typeof Learn.Type

/**
 * Entries that are chosen, all in one epoch; none where no more is known to be.
 *
 * @since 0.1.0
 * @category replica to replica
 */
export const Learned = Schema.TaggedStruct("Learned", {
  /** The number of the epoch in which they were chosen. */
  epoch: Count,
  /** They were chosen at no higher ballot of it. */
  ballot: Ballot,
  /** The slot in front of the first entry. */
  after: Slot,
  /** Consecutive entries. */
  entries: Schema.Array(Entry)
})

/**
 * @since 0.1.0
 * @category replica to replica
 */
export type Learned = typeof Learned.Type

/**
 * What was asked for is no longer in the log: a snapshot took its place.
 *
 * @since 0.1.0
 * @category replica to replica
 */
export const Unlearnable = Schema.TaggedStruct("Unlearnable", {
  /** The slot behind which the piece was to start. */
  after: Slot,
  /** The log begins behind this slot; a snapshot here reaches at least as far. */
  trimmedThrough: Slot
})

/**
 * @since 0.1.0
 * @category replica to replica
 */
export type Unlearnable = typeof Unlearnable.Type
