/**
 * What an acceptor must never forget, and the one kind of change it asks of its journal.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type * as Entry from "./Entry.js"
import * as Epoch from "./Epoch.js"
import type { Membership } from "./Membership.js"
import * as Slot from "./Slot.js"

/**
 * The durable state beside the log itself. `chosenThrough` may be forgotten without harm (it is learned again), so it is
 * written along with what must be, never on its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Durable {
  /** The epoch that the acceptor is in, and those before it; each write holds them, though they change only with a stop sign. */
  readonly epochs: Epoch.Epochs
  /** No ballot below this one may be answered with a promise or an acceptance, in this epoch. */
  readonly promised: Ballot.Ballot
  /** The ballot at which the log, as a whole, was accepted; never above `promised`. */
  readonly acceptedBallot: Ballot.Ballot
  /** The last slot of the log. */
  readonly acceptedThrough: Slot.Slot
  /** Slots up to this one are chosen, as far as is known here; never above `acceptedThrough`. */
  readonly chosenThrough: Slot.Slot
  /** Slots up to this one are no longer in the log but in a snapshot; never above `chosenThrough`. */
  readonly trimmedThrough: Slot.Slot
}

/**
 * A change that must be durable, all of it or none, before any message that relies on it leaves: `entries` replace all
 * that the journal holds from slot `after + 1` on. They reach to the end of the log: `after + entries.length` is
 * `state.acceptedThrough`. Behind the end of the log it may start only at `state.trimmedThrough`: a snapshot took the place of
 * the log up to there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Write {
  readonly state: Durable
  readonly after: Slot.Slot
  readonly entries: ReadonlyArray<Entry.Entry>
}

/**
 * The state of an acceptor that never promised anything.
 *
 * @since 0.1.0
 * @category constants
 */
export const initial: Durable = {
  epochs: Epoch.none,
  promised: Ballot.zero,
  acceptedBallot: Ballot.zero,
  acceptedThrough: Slot.zero,
  chosenThrough: Slot.zero,
  trimmedThrough: Slot.zero
}

/**
 * The same changes in as few writes as can be: what is appended in several steps of one turn becomes one write. Since a
 * write reaches to the end of the log, what the one before put behind its start is gone.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (writes: ReadonlyArray<Write>): ReadonlyArray<Write> => {
  if (writes.length < 2) return writes
  const merged: Array<Write> = []
  for (const write of writes) {
    const last = merged[merged.length - 1]
    const kept = last === undefined ? -1 : write.after - last.after
    if (last !== undefined && kept >= 0 && kept <= last.entries.length) {
      const entries = [...last.entries.slice(0, kept), ...write.entries]
      merged[merged.length - 1] = { state: write.state, after: last.after, entries }
    } else merged.push(write)
  }
  return merged
}

/**
 * The state of an acceptor that founds a cluster with others, all of which know it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const founded = (membership: Membership): Durable => ({ ...initial, epochs: Epoch.founded(membership) })
