/**
 * better-sqlite3, which has no types of its own.
 */
import { createRequire } from "node:module"
import type { Connection } from "../SqlStore.js"

export interface Sqlite extends Connection {
  /** The whole database as bytes. */
  readonly serialize: () => Uint8Array
  readonly close: () => void
}

const Database = createRequire(import.meta.url)("better-sqlite3") as new (
  source: string | Uint8Array,
  options?: { readonly readonly?: boolean }
) => Sqlite

/** Opens a file, a new database in memory (`:memory:`), or one in memory with this content. */
export const connect = (source: string | Uint8Array, options?: { readonly readonly?: boolean }): Sqlite =>
  new Database(source, options)

/** The value of a pragma. */
export const pragma = (connection: Connection, source: string): unknown =>
  connection.prepare(`PRAGMA ${source}`).raw().all()[0]?.[0]
