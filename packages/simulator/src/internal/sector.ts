/**
 * Records on sectors: each sector says by itself which part of which record it is, and whether it is whole. So a sector
 * that was never written can be told from one that was damaged.
 *
 * ```
 *   sector   crc32 │ record │ part │ parts │ length │ of a snapshot? │ up to 41 bytes
 * ```
 */
import { sectorBytes } from "../Disk.js"
import { crc32 } from "node:zlib"

const header = 4 + 8 + 4 + 4 + 2 + 1
const room = sectorBytes - header

/** @internal */
export interface Sector {
  readonly record: number
  readonly part: number
  readonly parts: number
  /** It belongs to a snapshot, without which the journal is still what it must be. */
  readonly snapshot: boolean
  readonly bytes: Uint8Array
}

/** @internal */
export const split = (record: number, bytes: Uint8Array, snapshot: boolean): ReadonlyArray<Uint8Array> => {
  const parts = Math.max(1, Math.ceil(bytes.length / room))
  return Array.from({ length: parts }, (_, part) => {
    const piece = bytes.subarray(part * room, (part + 1) * room)
    const sector = new Uint8Array(sectorBytes)
    const view = new DataView(sector.buffer)
    view.setFloat64(4, record)
    view.setUint32(12, part)
    view.setUint32(16, parts)
    view.setUint16(20, piece.length)
    view.setUint8(22, snapshot ? 1 : 0)
    sector.set(piece, header)
    view.setUint32(0, crc32(sector.subarray(4)))
    return sector
  })
}

/** What a sector holds: nothing, a part of a record, or bytes that nobody wrote. @internal */
export const read = (sector: Uint8Array): Sector | "blank" | "damaged" => {
  if (sector.every((byte) => byte === 0)) return "blank"
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length)
  if (view.getUint32(0) !== crc32(sector.subarray(4))) return "damaged"
  return {
    record: view.getFloat64(4),
    part: view.getUint32(12),
    parts: view.getUint32(16),
    snapshot: view.getUint8(22) === 1,
    bytes: sector.subarray(header, header + view.getUint16(20))
  }
}

/** @internal */
export const join = (parts: ReadonlyArray<Sector>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part.bytes, end)
    end += part.bytes.length
  }
  return bytes
}
