/**
 * The last elements of a feed, as many as a bound allows: what most of those who follow ask for.
 *
 * ```
 *      from                                through
 *   ────┼──── slot ─ slot ─ … ─ slot ────────┤
 *   let go    elements, by slot                not applied yet
 * ```
 *
 * @since 0.1.0
 */
import * as Feed from "./Feed.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface FeedWindow {
  /** All elements of the slots after this one, through {@link FeedWindow.through}, are here. */
  readonly from: () => number
  readonly through: () => number
  /** Takes the elements of the next slot, which hold so many bytes of memory; those of old slots go when there are too many. */
  readonly append: (slot: number, records: ReadonlyArray<Feed.Record>, bytes: number) => void
  /** Goes on after another slot, with nothing. */
  readonly reset: (slot: number) => void
  /**
   * What came after a position, of about so many bytes and one element at least, if there is any. Nothing if elements after it
   * were let go.
   */
  readonly page: (after: Feed.Position, bytes: number) => Feed.Page | undefined
  /** Bytes that are held after a position. */
  readonly ahead: (after: Feed.Position) => number
}

interface Slot {
  readonly slot: number
  readonly records: ReadonlyArray<Feed.Record>
  /** Of all that was appended through this slot. */
  readonly total: number
}

/** Slots that were let go, before the array is made shorter: its length stays a small multiple of what is in use. */
const compactAfter = 1024

/**
 * A window that begins after a slot and holds about so many bytes: more only if a single slot does, or if those from `needed` on
 * do, which stay whatever they hold. Without it, none is needed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (slot: number, limit: number, needed: () => number = nothing): FeedWindow => {
  let slots: Array<Slot> = []
  /** Those before are let go. */
  let first = 0
  let from = slot
  let through = slot
  /** Bytes of all that was appended, and of what was let go. */
  let total = 0
  let gone = 0

  const evict = (): void => {
    while (total - gone > limit && first < slots.length - 1 && slots[first]!.slot < needed()) {
      const { slot, total } = slots[first]!
      gone = total
      from = slot
      first++
    }
    if (first >= compactAfter && first * 2 > slots.length) {
      slots = slots.slice(first)
      first = 0
    }
  }

  /** The place of the first slot that holds anything after a position. */
  const find = (after: Feed.Position): number => {
    let low = first
    let high = slots.length
    while (low < high) {
      const middle = (low + high) >> 1
      const { records, slot } = slots[middle]!
      if (Feed.isBefore(after, { slot, index: records.length - 1 })) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    from: () => from,
    through: () => through,
    append: (slot, records, bytes) => {
      through = slot
      if (records.length === 0) return
      total += bytes
      slots.push({ slot, records, total })
      evict()
    },
    reset: (slot) => {
      slots = []
      first = 0
      from = slot
      through = slot
      gone = total
    },
    page: (after, limit) => {
      if (after.slot < from || (after.slot === from && after.index !== undefined)) return undefined
      const records: Array<Feed.Record> = []
      let size = 0
      for (let i = find(after); i < slots.length; i++) {
        for (const record of slots[i]!.records) {
          if (!Feed.isBefore(after, record)) continue
          size += Feed.sizeOf(record)
          const last = records[records.length - 1]
          if (size > limit && last !== undefined) {
            return { records, through: { slot: last.slot, index: last.index } }
          }
          records.push(record)
        }
      }
      const end = { slot: through }
      return { records, through: Feed.isBefore(end, after) ? after : end }
    },
    ahead: (after) => {
      const place = find(after)
      return total - (place === first ? gone : slots[place - 1]!.total)
    }
  }
}

const nothing = (): number => Number.POSITIVE_INFINITY
