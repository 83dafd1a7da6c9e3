/**
 * The machine's own tables, beside the user's and in the same transactions.
 *
 * ```
 *   synod_header    one row: format, cluster, node, machine, version       whose it is
 *   synod_applied   one row: slot, time, sessions ever opened              where it stands
 *   synod_session, synod_answer, synod_over                                (see sessions)
 * ```
 */
import type { Machine } from "@synod/state-machine"
import * as Data from "effect/Data"
import type { Connection, Owner } from "../SqlStore.js"

/** The highest format that is read, and the one that is written. */
const format = 1

/**
 * The database is not this machine's: of another one, or of a later version.
 */
export class DatabaseRefused extends Data.TaggedError("DatabaseRefused")<{
  readonly subject: "cluster" | "node" | "machine" | "version" | "format" | "program"
  readonly found: string | number
  readonly expected: string | number
}> {
  override get message(): string {
    const { expected, found, subject } = this
    return subject === "program"
      ? `its database is that of another program (${found})`
      : `its database is of ${subject} ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`
  }
}

export interface Owned extends Owner {
  readonly version: number
  /** The n-th brings the tables of version n - 1 to version n. */
  readonly migrations: ReadonlyArray<string>
}

interface Header extends Owner {
  readonly format: number
  readonly version: number
}

/** Looks whose the database is; `undefined` for one that is empty. Throws {@link DatabaseRefused}, and writes nothing. */
export const identify = (connection: Connection, owner: Owned): Header | undefined => {
  const names = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").raw().all().flat()
  if (names.length === 0) return undefined
  if (!names.includes("synod_header")) {
    throw new DatabaseRefused({ subject: "program", found: `its tables: ${names.join(", ")}`, expected: "none" })
  }
  const header = connection.prepare("SELECT * FROM synod_header").get() as Header
  const { cluster, machine, node, version } = header
  const refuse = (subject: DatabaseRefused["subject"], found: string | number, expected: string | number) => {
    throw new DatabaseRefused({ subject, found, expected })
  }
  if (header.format > format) refuse("format", header.format, format)
  if (cluster !== owner.cluster) refuse("cluster", cluster, owner.cluster)
  if (machine !== owner.machine) refuse("machine", machine, owner.machine)
  if (node !== owner.node) refuse("node", node, owner.node)
  if (version > owner.version) refuse("version", version, owner.version)
  return header
}

/** What came in a snapshot of another node becomes this node's own. */
export const takeOver = (connection: Connection, owner: Owned): void =>
  void connection.prepare("UPDATE synod_header SET node = ?").run(owner.node)

/** Makes the tables of a database that is empty, and brings those of an older version on; in one transaction. */
export const settle = (connection: Connection, owner: Owned, header: Header | undefined): void => {
  connection.exec("BEGIN IMMEDIATE")
  try {
    if (header === undefined) create(connection, owner)
    for (let version = header?.version ?? 0; version < owner.version; version++) {
      migrate(connection, owner, version + 1)
    }
    connection.exec("COMMIT")
  } catch (cause) {
    if (connection.inTransaction) connection.exec("ROLLBACK")
    throw cause
  }
}

const create = (connection: Connection, { cluster, machine, node }: Owned): void => {
  connection.exec(`
    CREATE TABLE synod_header (
      format INTEGER NOT NULL, cluster TEXT NOT NULL, node INTEGER NOT NULL, machine TEXT NOT NULL, version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE synod_applied (slot INTEGER NOT NULL, time REAL NOT NULL, opened INTEGER NOT NULL) STRICT;
    INSERT INTO synod_applied VALUES (0, 0, 0);
    CREATE TABLE synod_session (
      id INTEGER PRIMARY KEY, used REAL NOT NULL, acknowledged INTEGER NOT NULL, next INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX synod_session_used ON synod_session (used, id);
    CREATE TABLE synod_answer (
      session INTEGER NOT NULL, sequence INTEGER NOT NULL, answer BLOB NOT NULL, PRIMARY KEY (session, sequence)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE synod_over (id INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;
  `)
  connection.prepare("INSERT INTO synod_header VALUES (?, ?, ?, ?, 0)").run(format, cluster, node, machine)
}

const migrate = (connection: Connection, { migrations }: Owned, version: number): void => {
  connection.exec(migrations[version - 1]!)
  connection.prepare("UPDATE synod_header SET version = ?").run(version)
}

/** Where the machine stands. */
export const at = (connection: Connection): Machine.At =>
  connection.prepare("SELECT slot, time FROM synod_applied").get() as Machine.At
