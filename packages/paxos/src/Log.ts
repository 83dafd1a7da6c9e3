/**
 * A run of consecutive entries, the part of a replica's log that is held in memory.
 *
 * It is a value: every operation returns a new log and leaves the old one as it was. Appending to the newest log shares
 * the underlying array (an older log knows its own length), so a step costs what it adds and not what is there already;
 * only appending after a suffix was replaced copies.
 *
 * @since 0.1.0
 */
import * as Entry from "./Entry.js"
import * as Slot from "./Slot.js"

/**
 * Entries of the slots `base + 1` to `through`. Slots up to `base` exist, but only in the journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Log {
  /** The last slot that is no longer (or was never) held in memory. */
  readonly base: Slot.Slot
  /** The last slot of the log; equal to `base` when nothing is held. */
  readonly through: Slot.Slot
  /** @internal shared between versions; `offset` is the array position of slot `base + 1` */
  readonly buffer: Array<Entry.Entry>
  /** @internal */
  readonly offset: number
}

/**
 * A log that holds nothing in memory and ends at `base`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = (base: Slot.Slot = Slot.zero): Log => ({ base, through: base, buffer: [], offset: 0 })

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (base: Slot.Slot, entries: ReadonlyArray<Entry.Entry>): Log => append(empty(base), entries)

/**
 * The entry of a slot, or `undefined` where the log does not hold it in memory.
 *
 * @since 0.1.0
 * @category getters
 */
export const get = (self: Log, slot: Slot.Slot): Entry.Entry | undefined =>
  slot > self.base && slot <= self.through ? self.buffer[self.offset + slot - self.base - 1] : undefined

/**
 * The entries of the slots `after + 1` to `through`, as far as the log reaches. `after` must not lie below `base`.
 *
 * @since 0.1.0
 * @category getters
 */
export const slice = (self: Log, after: Slot.Slot, through: Slot.Slot = self.through): ReadonlyArray<Entry.Entry> => {
  if (after < self.base) throw new RangeError(`slot ${after + 1} is not in memory: the log starts after ${self.base}`)
  const start = self.offset + after - self.base
  const end = self.offset + Math.min(through, self.through) - self.base
  return end <= start ? [] : self.buffer.slice(start, end)
}

/**
 * The last slot of the longest run behind `after` whose sizes stay within `bytes`; the run has at least one entry if the
 * log reaches beyond `after`.
 *
 * @since 0.1.0
 * @category getters
 */
export const reach = (self: Log, after: Slot.Slot, bytes: number): Slot.Slot => {
  let through = after
  let size = 0
  while (through < self.through) {
    const next = Slot.plus(through, 1)
    const entry = get(self, next)
    if (entry === undefined) throw new RangeError(`slot ${next} is not in memory: the log starts after ${self.base}`)
    size += Entry.sizeOf(entry)
    if (size > bytes && through > after) break
    through = next
  }
  return through
}

/**
 * Does `self` surely begin with all that `other` holds? Sharing shows it at no cost; `false` says nothing.
 *
 * @since 0.1.0
 * @category comparing
 */
export const sharesAllOf = (self: Log, other: Log): boolean =>
  self.buffer === other.buffer && self.offset - self.base === other.offset - other.base && self.through >= other.through

/**
 * Adds entries at the end.
 *
 * @since 0.1.0
 * @category combinators
 */
export const append = (self: Log, entries: ReadonlyArray<Entry.Entry>): Log => {
  if (entries.length === 0) return self
  const length = self.through - self.base
  const newest = self.offset + length === self.buffer.length
  const buffer = newest ? self.buffer : self.buffer.slice(self.offset, self.offset + length)
  for (const entry of entries) buffer.push(entry)
  return { base: self.base, through: Slot.plus(self.through, entries.length), buffer, offset: newest ? self.offset : 0 }
}

/**
 * Ends the log at `through`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const truncate = (self: Log, through: Slot.Slot): Log => {
  if (through >= self.through) return self
  if (through < self.base) throw new RangeError(`can't end the log at ${through}: it starts after ${self.base}`)
  return { ...self, through }
}

/**
 * Lets go of the entries up to `through`, which stay in the journal.
 *
 * @since 0.1.0
 * @category combinators
 */
export const evict = (self: Log, through: Slot.Slot): Log => {
  const base = Slot.min(through, self.through)
  if (base <= self.base) return self
  const offset = self.offset + base - self.base
  const length = self.through - base
  // The freed half of the array is given back, so that eviction costs a constant share of what was appended.
  return offset > length + 64
    ? { base, through: self.through, buffer: self.buffer.slice(offset, offset + length), offset: 0 }
    : { ...self, base, offset }
}
