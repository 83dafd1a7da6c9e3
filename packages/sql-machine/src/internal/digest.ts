/**
 * A digest of what tables hold: of each row, in the order of its key, table by table in the order of their names. How the rows
 * lie in pages does not count, nor where the machine stands in the log.
 */
import { Digest } from "@synod/state-machine"
import type { Connection } from "../SqlStore.js"

/** Rows that are digested together: few enough to be held in memory, whatever they are. */
const rowsAtOnce = 64

/** Digests some rows, and then some more, and gives the digest in the end. */
export function* digests(connection: Connection): Generator<undefined, string> {
  let digest = Digest.of(connection.prepare("SELECT opened FROM synod_applied").raw().get())
  for (const table of tables(connection)) {
    let rows: Array<unknown> = []
    for (const row of connection.prepare(table.sql).raw().safeIntegers().iterate()) {
      rows.push(row)
      if (rows.length < rowsAtOnce) continue
      digest = Digest.of([digest, rows])
      rows = []
      yield undefined
    }
    digest = Digest.of([digest, table.name, rows])
  }
  return digest
}

/** Whose it is and where it stands differs between machines that hold the same. */
const own = new Set(["synod_header", "synod_applied"])

const tables = (connection: Connection): ReadonlyArray<{ readonly name: string; readonly sql: string }> => {
  const listed = connection.prepare("PRAGMA table_list").all() as ReadonlyArray<{
    readonly schema: string
    readonly name: string
    readonly type: string
    readonly wr: number
  }>
  return listed
    .filter(({ name, schema, type }) => schema === "main" && type === "table" && !own.has(name) && !isSchema(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, wr }) => {
      const quoted = `"${name.replaceAll('"', '""')}"`
      return {
        name,
        sql:
          wr === 0
            ? `SELECT rowid, * FROM ${quoted} ORDER BY rowid`
            : `SELECT * FROM ${quoted} ORDER BY ${keyOf(connection, name)}`
      }
    })
}

/** `sqlite_sequence` holds what counts for the next row; the others tell of the tables. */
const isSchema = (name: string): boolean => name.startsWith("sqlite_") && name !== "sqlite_sequence"

const keyOf = (connection: Connection, table: string): string =>
  connection
    .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
    .raw()
    .all(table)
    .map(([name]) => `"${String(name).replaceAll('"', '""')}"`)
    .join()
