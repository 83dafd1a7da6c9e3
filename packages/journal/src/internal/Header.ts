/**
 * The header row of a journal file: whose it is, and in which format.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos/NodeId"
import * as Effect from "effect/Effect"
import { crc32 } from "node:zlib"
import * as JournalError from "../JournalError.js"
import type { Connection } from "./Connection.js"

/**
 * The highest format that this version reads, and the one it writes. A later format may change the other tables; `header` stays
 * as it is, so that every version can tell whose a file is.
 *
 * @since 0.1.0
 * @category constants
 */
export const format = 1

/**
 * Whose journal it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Identity {
  readonly cluster: string
  readonly node: NodeId
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Header {
  readonly format: number
  readonly cluster: string
  readonly node: number
  /** Every opening and recovery counts up, so that its transaction has something to write. */
  readonly opened: number
}

const checksum = ({ cluster, format, node, opened }: Header): number =>
  crc32(JSON.stringify([format, cluster, node, opened]))

/**
 * @since 0.1.0
 * @category writing
 */
export const write = (file: Connection, header: Header) =>
  file.query(
    "INSERT OR REPLACE INTO header (id, format, cluster, node, opened, crc) VALUES (1, ?, ?, ?, ?, ?)",
    header.format,
    header.cluster,
    header.node,
    header.opened,
    checksum(header)
  )

/**
 * @since 0.1.0
 * @category reading
 */
export const read = (file: Connection) =>
  Effect.gen(function* () {
    const [header] = yield* file.query<Header & { crc: number }>(
      "SELECT format, cluster, node, opened, crc FROM header WHERE id = 1"
    )
    if (header === undefined) return yield* damaged(file, "its header is missing")
    if (checksum(header) !== header.crc) {
      return yield* damaged(file, "the checksum of its header differs")
    }
    return header
  })

/**
 * Fails unless the file, which has these tables, is of the kind that has this one, and the journal that it is opened as. Only reads.
 *
 * @since 0.1.0
 * @category reading
 */
export const identify = (
  file: Connection,
  { cluster, node }: Identity,
  tables: ReadonlyArray<{ name: string }>,
  table: string
) =>
  Effect.gen(function* () {
    if (!tables.some(({ name }) => name === "header") || !tables.some(({ name }) => name === table)) {
      return yield* new JournalError.JournalUnopenable({
        filename: file.filename,
        reason: `it is the database of another program (its tables: ${tables.map(({ name }) => name).join(", ")})`
      })
    }
    const header = yield* read(file)
    const refuse = (subject: "cluster" | "node" | "format", found: string | number, expected: string | number) =>
      new JournalError.JournalRefused({ filename: file.filename, subject, found, expected })
    if (header.format > format) return yield* refuse("format", header.format, format)
    if (header.cluster !== cluster) return yield* refuse("cluster", header.cluster, cluster)
    if (header.node !== node) return yield* refuse("node", header.node, node)
  })

/**
 * The table, and the row of a journal that was never used.
 *
 * @since 0.1.0
 * @category writing
 */
export const create = (file: Connection, { cluster, node }: Identity) =>
  Effect.zipRight(
    file.query(
      "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, cluster TEXT NOT NULL, " +
        "node INTEGER NOT NULL, opened INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT"
    ),
    write(file, { format, cluster, node, opened: 0 })
  )

const damaged = ({ filename }: Connection, reason: string) =>
  new JournalError.JournalDamaged({ filename, slot: undefined, reason })
