/**
 * A snapshot of the machine as a journal keeps it: pieces of bytes, and what they are.
 *
 * @since 0.1.0
 */
import type { At } from "@synod/paxos/Epoch"
import type { Slot } from "@synod/paxos/Slot"

/**
 * Pieces of a snapshot that isn't whole yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unfinished {
  readonly slot: Slot
  /** How many pieces are there, from the first one on without a hole; at least one. */
  readonly chunks: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  /** It holds what was chosen in all slots through this one. */
  readonly slot: Slot
  /** The agreed time of that slot, in milliseconds since 1970. */
  readonly time: number
  /** The epoch behind that slot, and a ballot: what is in the snapshot of that epoch was chosen at no higher one. */
  readonly at: At
  /** The size of all pieces together. */
  readonly bytes: number
  /** How many pieces it has, at least one. */
  readonly chunks: number
  /** CRC-32 of all its bytes. */
  readonly crc: number
}
