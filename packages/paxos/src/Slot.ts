/**
 * Positions in the log, from 1. The same numbers are watermarks: "through slot n", where 0 means "nothing yet".
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A position in the log, or a watermark (then 0 is allowed and means that nothing is covered).
 *
 * @since 0.1.0
 * @category models
 */
export const Slot = Schema.Int.pipe(Schema.nonNegative(), Schema.brand("@synod/paxos/Slot"))

/**
 * @since 0.1.0
 * @category models
 */
export type Slot = typeof Slot.Type

/**
 * Brands a number that is known to be a slot; messages and journal rows are decoded through the schema instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (slot: number): Slot => slot as Slot

/**
 * The watermark of an empty log.
 *
 * @since 0.1.0
 * @category constants
 */
export const zero: Slot = make(0)

/**
 * @since 0.1.0
 * @category combinators
 */
export const plus = (slot: Slot, count: number): Slot => make(slot + count)

/**
 * @since 0.1.0
 * @category combinators
 */
export const max = (a: Slot, b: Slot): Slot => (a > b ? a : b)

/**
 * @since 0.1.0
 * @category combinators
 */
export const min = (a: Slot, b: Slot): Slot => (a < b ? a : b)
