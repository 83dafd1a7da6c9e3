/**
 * One write of a journal as bytes: the point behind which it goes, the rows of its entries, and the row of the state.
 */
import { Row } from "@synod/journal"
import { type Durable, Slot } from "@synod/paxos"
import * as Either from "effect/Either"

const rowHeader = 8 + 4 + 4

/** @internal */
export const encode = ({ after, entries, state }: Durable.Write): Uint8Array => {
  const rows = [...entries.map((entry, i) => Row.fromEntry(after + i + 1, entry)), Row.fromState(state)]
  const bytes = new Uint8Array(8 + rows.reduce((sum, { body }) => sum + rowHeader + body.length, 0))
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, after)
  let end = 8
  for (const { body, crc, slot } of rows) {
    view.setFloat64(end, slot)
    view.setUint32(end + 8, crc)
    view.setUint32(end + 12, body.length)
    bytes.set(body, end + rowHeader)
    end += rowHeader + body.length
  }
  return bytes
}

/** What was written, or what is wrong with it. @internal */
export const decode = (bytes: Uint8Array): Either.Either<Durable.Write, string> =>
  Either.gen(function* () {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const entries = []
    for (let end = 8; end + rowHeader <= bytes.length;) {
      const length = view.getUint32(end + 12)
      const body = bytes.subarray(end + rowHeader, end + rowHeader + length)
      const row = { slot: view.getFloat64(end), crc: view.getUint32(end + 8), body }
      if (row.slot === 0) return { after: Slot.make(view.getFloat64(0)), entries, state: yield* Row.toState(row) }
      entries.push(yield* Row.toEntry(row))
      end += rowHeader + length
    }
    return yield* Either.left("a record has no state")
  })
