/**
 * The parts of a journal's contract that every driver checks in the same way, so that none is laxer than another.
 *
 * @since 0.1.0
 */
import type { Write } from "@synod/paxos/Durable"
import { hold } from "@synod/paxos/Invariant"
import * as Slot from "@synod/paxos/Slot"
import type { Snapshot, Unfinished } from "./Snapshot.js"

/**
 * How much one read may bring into memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limit {
  /** Entries at most; less than one counts as one. */
  readonly slots: number
  /** Bytes at most, as `Entry.sizeOf` counts them; an entry that is larger than that comes alone. */
  readonly bytes: number
}

/**
 * Throws `InvariantBroken` unless `write` leaves a log without holes behind, given that the log ends at `through` before
 * it. A log that had a hole once would report entries as accepted that nobody has.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkWrite = (through: number, { after, entries, state }: Write): void => {
  const end = after + entries.length
  hold(
    "journal",
    "a write starts within the log, right behind it, or where a snapshot ends",
    after <= through || (after === state.trimmedThrough && entries.length === 0)
  )
  hold("journal", "the log reaches what is written to it", entries.length === 0 || end <= state.acceptedThrough)
  hold("journal", "the log ends at an entry that was written", state.acceptedThrough <= Math.max(through, end))
  hold("journal", "trimmed <= chosen", state.trimmedThrough <= state.chosenThrough)
  hold("journal", "chosen <= accepted", state.chosenThrough <= state.acceptedThrough)
}

/**
 * Throws `InvariantBroken` when a piece is saved of a snapshot that is whole: somebody may be reading it.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkChunk = (whole: Snapshot | undefined): void => {
  hold("journal", "a snapshot that is whole never changes", whole === undefined)
}

/**
 * Throws `InvariantBroken` unless as many pieces as the snapshot has were saved.
 *
 * @since 0.1.0
 * @category checking
 */
export const checkSnapshot = ({ chunks }: Snapshot, saved: number): void => {
  hold("journal", "a snapshot becomes whole with its last piece", chunks > 0 && chunks === saved)
}

/**
 * The last slot that a read of a log which ends at `through` may look at.
 *
 * @since 0.1.0
 * @category checking
 */
export const lastRead = (after: number, limit: Limit, through: number): number =>
  Math.min(through, after + Math.max(1, limit.slots))

/**
 * The newest of some snapshots that isn't whole and has its first piece. A list of pieces may have holes.
 *
 * @since 0.1.0
 * @category reading
 */
export const unfinished = (
  snapshots: ReadonlyMap<number, { readonly whole: Snapshot | undefined; readonly chunks: ReadonlyArray<unknown> }>
): Unfinished | undefined => {
  let newest: Unfinished | undefined
  for (const [slot, { chunks, whole }] of snapshots) {
    if (whole !== undefined || chunks[0] === undefined || slot < (newest?.slot ?? 0)) continue
    const hole = Array.from(chunks).indexOf(undefined)
    newest = { slot: Slot.make(slot), chunks: hole < 0 ? chunks.length : hole }
  }
  return newest
}
