/**
 * How many bytes of log lie behind which slot, in a bounded number of marks.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface LogSizes {
  /** A slot was applied, whose entry has so many bytes. Slots come in order. */
  readonly applied: (slot: number, bytes: number) => void
  /** A slot behind which, up to and with `slot`, lie no more than the bytes asked for; 0 where that isn't known. */
  readonly within: (slot: number) => number
}

/** How fine the answer is: a share of the bytes asked for. */
const marks = 64

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (bytes: number): LogSizes => {
  /** Where the log had so many bytes, all in all; the first of them is where it was first looked at. */
  let known: Array<{ readonly slot: number; readonly total: number }> = []
  let total = 0
  return {
    applied: (slot, size) => {
      if (known.length === 0) known.push({ slot: slot - 1, total })
      total += size
      if (total - known[known.length - 1]!.total < bytes / marks) return
      known.push({ slot, total })
      if (known.length > 4 * marks) known = known.slice(-2 * marks)
    },
    within: (slot) => {
      const end = known.findLast((mark) => mark.slot <= slot)
      if (end === undefined || end.total - known[0]!.total < bytes) return 0
      return known.find((mark) => mark.total >= end.total - bytes + bytes / marks)?.slot ?? 0
    }
  }
}
