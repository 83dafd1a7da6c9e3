/**
 * What one slot holds: the envelopes of many clients, side by side. A leader packs them and a learner unpacks them;
 * nobody in between opens either.
 *
 * ```
 * ┌────────┬───────┬────────┬──────────┬────────┬──────────┬──
 * │ format │ count │ length │ envelope │ length │ envelope │ …
 * └────────┴───────┴────────┴──────────┴────────┴──────────┴──
 *   1 byte   varint  varint
 * ```
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import { Reader, stringsSize, Writer } from "./internal/bytes.js"
import type { Malformed } from "./Malformed.js"

const FORMAT = 1

/**
 * @since 0.1.0
 * @category encoding
 */
export const encode = (envelopes: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new Writer(1 + stringsSize(envelopes))
  writer.byte(FORMAT)
  writer.strings(envelopes)
  return writer.bytes
}

/**
 * The batch of a slot in which no client asked for anything.
 *
 * @since 0.1.0
 * @category constants
 */
export const none: Uint8Array = encode([])

/**
 * The envelopes, as views of the batch.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<ReadonlyArray<Uint8Array>, Malformed> => {
  const reader = new Reader("batch", bytes)
  if (reader.byte("the format") !== FORMAT) reader.fail(`format ${FORMAT}`)
  return reader.end(reader.strings("envelopes"))
}
