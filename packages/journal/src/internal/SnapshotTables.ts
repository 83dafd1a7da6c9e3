/**
 * Snapshots in a journal file: their pieces in one table, what they are in another, which gets its row last.
 *
 * ```
 *   chunk      (slot, number): a piece, with its checksum
 *   snapshot   slot: agreed time, epoch and ballot as JSON, bytes, chunks, CRC-32 of all bytes, checksum of the row
 * ```
 *
 * A snapshot without a row in `snapshot`, or with one whose checksum fails, is not there.
 *
 * @since 0.1.0
 */
import * as Epoch from "@synod/paxos/Epoch"
import * as Slot from "@synod/paxos/Slot"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { crc32 } from "node:zlib"
import * as JournalError from "../JournalError.js"
import type { Snapshot, Unfinished } from "../Snapshot.js"
import type { Connection } from "./Connection.js"

/**
 * Rows deleted by one statement: a few milliseconds of work.
 *
 * @since 0.1.0
 * @category constants
 */
export const sweepRows = 256

/**
 * The tables of a journal that was never used.
 *
 * @since 0.1.0
 * @category writing
 */
export const create = (file: Connection) =>
  Effect.zipRight(
    file.query(
      "CREATE TABLE snapshot (slot INTEGER PRIMARY KEY, time REAL NOT NULL, at TEXT NOT NULL, bytes INTEGER NOT NULL, " +
        "chunks INTEGER NOT NULL, crc INTEGER NOT NULL, row INTEGER NOT NULL) STRICT"
    ),
    file.query(
      "CREATE TABLE chunk (slot INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, " +
        "crc INTEGER NOT NULL, PRIMARY KEY (slot, number)) STRICT"
    )
  )

/**
 * The whole ones, newest first.
 *
 * @since 0.1.0
 * @category reading
 */
export const whole = (file: Connection) =>
  Effect.map(
    file.query<Row>("SELECT slot, time, at, bytes, chunks, crc, row FROM snapshot ORDER BY slot DESC"),
    (rows): ReadonlyArray<Snapshot> =>
      rows.flatMap(({ at, bytes, chunks, crc, row, slot, time }) => {
        const decoded = checksum({ at, bytes, chunks, crc, slot, time }) === row ? Option.getRight(decodeAt(at)) : none
        return Option.isSome(decoded) ? [{ at: decoded.value, bytes, chunks, crc, slot: Slot.make(slot), time }] : []
      })
  )

/** As it is in the table. */
interface Row extends Omit<Snapshot, "at" | "slot"> {
  readonly slot: number
  readonly at: string
  readonly row: number
}

const encodeAt = Schema.encodeSync(Schema.parseJson(Epoch.At))
const decodeAt = Schema.decodeEither(Schema.parseJson(Epoch.At))
const none = Option.none<Epoch.At>()

/**
 * The newest one without a row, and how many of its pieces are there before the first that is not.
 *
 * @since 0.1.0
 * @category reading
 */
export const unfinished = (file: Connection) =>
  Effect.map(
    file.query<{ readonly slot: number; readonly chunks: number }>(
      "SELECT slot, count(*) AS chunks FROM (SELECT slot, number, " +
        "row_number() OVER (PARTITION BY slot ORDER BY number) - 1 AS place FROM chunk " +
        "WHERE slot = (SELECT max(slot) FROM chunk WHERE number = 0 AND slot NOT IN (SELECT slot FROM snapshot))) " +
        "WHERE number = place GROUP BY slot"
    ),
    ([row]): Unfinished | undefined => row && { slot: Slot.make(row.slot), chunks: row.chunks }
  )

/**
 * @since 0.1.0
 * @category reading
 */
export const readChunk = (file: Connection, slot: number, index: number) =>
  Effect.gen(function* () {
    const [row] = yield* file.query<{ readonly body: Uint8Array; readonly crc: number }>(
      "SELECT body, crc FROM chunk WHERE slot = ? AND number = ?",
      slot,
      index
    )
    const damaged = (reason: string) => new JournalError.SnapshotDamaged({ filename: file.filename, slot, reason })
    if (row === undefined) return yield* damaged(`piece ${index} is missing`)
    if (chunkChecksum(slot, index, row.body) !== row.crc)
      return yield* damaged(`the checksum of piece ${index} differs`)
    const { body } = row
    return new Uint8Array(body.buffer, body.byteOffset, body.length)
  })

/**
 * @since 0.1.0
 * @category writing
 */
export const saveChunk = (file: Connection, slot: number, index: number, body: Uint8Array) =>
  file.run("INSERT OR REPLACE INTO chunk (slot, number, body, crc) VALUES (?, ?, ?, ?)", [
    slot,
    index,
    body,
    chunkChecksum(slot, index, body)
  ])

/**
 * How many pieces of a snapshot are there.
 *
 * @since 0.1.0
 * @category reading
 */
export const countChunks = (file: Connection, slot: number) =>
  Effect.map(
    file.query<{ readonly count: number }>("SELECT count(*) AS count FROM chunk WHERE slot = ?", slot),
    ([row]) => row?.count ?? 0
  )

/**
 * @since 0.1.0
 * @category writing
 */
export const saveSnapshot = (file: Connection, snapshot: Snapshot) => {
  const { bytes, chunks, crc, slot, time } = snapshot
  const at = encodeAt(snapshot.at)
  return file.run(
    "INSERT OR REPLACE INTO snapshot (slot, time, at, bytes, chunks, crc, row) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [slot, time, at, bytes, chunks, crc, checksum({ at, bytes, chunks, crc, slot, time })]
  )
}

/**
 * Deletes a slice of what is not needed any more; `true` when more is left.
 *
 * @since 0.1.0
 * @category writing
 */
export const sweep = (file: Connection, trimmedThrough: number, keep: ReadonlySet<number>) =>
  Effect.gen(function* () {
    const kept = JSON.stringify([...keep])
    const unkept = "slot NOT IN (SELECT value FROM json_each(?))"
    // First the row that says it is whole: never is a snapshot whole with pieces missing.
    yield* file.query(`DELETE FROM snapshot WHERE ${unkept}`, kept)
    const chunks = yield* file.query(
      `DELETE FROM chunk WHERE rowid IN (SELECT rowid FROM chunk WHERE ${unkept} LIMIT ${chunksAtOnce}) RETURNING slot`,
      kept
    )
    const entries = yield* file.query(
      `DELETE FROM record WHERE slot IN (SELECT slot FROM record WHERE slot > 0 AND slot <= ? ORDER BY slot LIMIT ${sweepRows}) RETURNING slot`,
      trimmedThrough
    )
    return chunks.length === chunksAtOnce || entries.length === sweepRows
  })

/** Pieces are large. */
const chunksAtOnce = 16

const checksum = ({ at, bytes, chunks, crc, slot, time }: Omit<Row, "row">): number =>
  crc32(JSON.stringify([slot, time, at, bytes, chunks, crc]))

/** Over the place as well: a piece that ended up in another one does not pass. */
const chunkChecksum = (slot: number, index: number, body: Uint8Array): number => {
  const place = Buffer.allocUnsafe(16)
  place.writeDoubleBE(slot, 0)
  place.writeDoubleBE(index, 8)
  return crc32(body, crc32(place))
}
