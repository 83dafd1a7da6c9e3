/**
 * How a replica gets a snapshot of another one, piece by piece.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import { Count } from "./Count.js"
import { At } from "./Epoch.js"
import { Slot } from "./Slot.js"

/**
 * Asks another replica for a piece of a snapshot.
 *
 * @since 0.1.0
 * @category snapshots
 */
export const FetchSnapshot = Schema.TaggedStruct("FetchSnapshot", {
  /** The number of the epoch that the asking acceptor is in. */
  epoch: Count,
  /**
   * What the asking acceptor has promised. Whoever promised more in that epoch refuses: its snapshot may hold what was chosen at
   * ballots above, of which the leader that the asking acceptor follows knows nothing.
   */
  ballot: Ballot,
  /** The snapshot's slot; 0 for the newest one. */
  slot: Slot,
  /** Which piece, from 0. */
  index: Count
})

/**
 * @since 0.1.0
 * @category snapshots
 */
export type FetchSnapshot = typeof FetchSnapshot.Type

/**
 * A piece of a snapshot.
 *
 * @since 0.1.0
 * @category snapshots
 */
export const SnapshotChunk = Schema.TaggedStruct("SnapshotChunk", {
  /** The snapshot holds what was chosen in all slots through this one. */
  slot: Slot,
  /** The agreed time of that slot, in milliseconds since 1970. */
  time: Schema.Number,
  /** The epoch behind that slot, and a ballot: what is in the snapshot of that epoch was chosen at no higher one. */
  at: At,
  /** The size of the whole snapshot, in bytes. */
  bytes: Count,
  /** How many pieces it has. */
  chunks: Count,
  /** CRC-32 of the whole snapshot. */
  crc: Count,
  /** Which piece this is, from 0. */
  index: Count,
  body: Schema.Uint8ArrayFromSelf
})

/**
 * @since 0.1.0
 * @category snapshots
 */
export type SnapshotChunk = typeof SnapshotChunk.Type

/**
 * There is no such piece: the snapshot is gone, or none was taken yet.
 *
 * @since 0.1.0
 * @category snapshots
 */
export const NoSnapshot = Schema.TaggedStruct("NoSnapshot", {
  /** The slot of the {@link FetchSnapshot}. */
  slot: Slot
})

/**
 * @since 0.1.0
 * @category snapshots
 */
export type NoSnapshot = typeof NoSnapshot.Type
