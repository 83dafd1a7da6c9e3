/**
 * A member's file: batches as rows, durable when `write` returns.
 */
import Database from "better-sqlite3"

export interface Batch {
  /** The first command's place in the log. */
  readonly first: number
  readonly commands: number
  readonly bytes: Uint8Array
}

/** One transaction and one fsync for all of the batches. */
export const open = (filename: string): ((batches: ReadonlyArray<Batch>) => void) => {
  const database = new Database(filename)
  database.pragma("locking_mode = EXCLUSIVE")
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = FULL")
  database.exec("CREATE TABLE log (first INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT")
  const begin = database.prepare("BEGIN IMMEDIATE")
  const insert = database.prepare("INSERT INTO log VALUES (?, ?)")
  const commit = database.prepare("COMMIT")
  return (batches) => {
    if (batches.length === 1) {
      insert.run(batches[0]!.first, batches[0]!.bytes)
      return
    }
    begin.run()
    for (const { bytes, first } of batches) insert.run(first, bytes)
    commit.run()
  }
}
