/**
 * Numbers in messages.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Rounds, bytes, pieces: from 0.
 *
 * @since 0.1.0
 * @category models
 */
export const Count = Schema.Int.pipe(Schema.nonNegative())
