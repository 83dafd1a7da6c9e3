/**
 * Where machines on SQL tables keep their tables: a database for each, in a file, in memory, or on a simulated disk.
 *
 * Everything here is synchronous and throws what SQLite throws, since it is called in the midst of applying a slot. Nothing of
 * it is for handlers, which see an `SqlClient`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * A statement that was prepared.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prepared {
  /** It returns rows. */
  readonly reader: boolean
  /** It writes nothing, whatever its parameters. */
  readonly readonly: boolean
  readonly all: (...params: ReadonlyArray<unknown>) => ReadonlyArray<any>
  readonly get: (...params: ReadonlyArray<unknown>) => any
  readonly run: (...params: ReadonlyArray<unknown>) => { readonly changes: number }
  readonly iterate: (...params: ReadonlyArray<unknown>) => IterableIterator<any>
  /** Gives rows as arrays, from now on or no more. */
  readonly raw: (on?: boolean) => Prepared
  /** Gives integers as bigints, from now on or no more. */
  readonly safeIntegers: (on?: boolean) => Prepared
}

/**
 * A connection to a database: what is used of better-sqlite3.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  readonly inTransaction: boolean
  /** Takes one statement. */
  readonly prepare: (sql: string) => Prepared
  /** Takes any number of them. */
  readonly exec: (sql: string) => unknown
  readonly function: (
    name: string,
    options: { readonly varargs?: boolean; readonly deterministic?: boolean },
    body: (...args: ReadonlyArray<any>) => unknown
  ) => unknown
}

/**
 * The database of one machine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Database {
  /** The connection that reads and writes; another one once a snapshot has taken the database's place. */
  readonly connection: () => Connection
  /** SQLite as it comes, without tables: for its own functions, where those of the connection are replaced. */
  readonly plain: Connection
  /** It is this machine's own: from now on it may be written to. */
  readonly begin: () => void
  /** Ends the transaction: all of it is there, or nothing. */
  readonly commit: () => void
  /** What was committed is durable when this returns. */
  readonly sync: () => void
  /** The database as it is now, which is durable then. Throws {@link Busy} while another one is open. */
  readonly freeze: () => Image
  /** Begins to read another database, beside this one. */
  readonly restore: () => Incoming
  readonly close: () => void
}

/**
 * A database that stands still, whatever is written meanwhile.
 *
 * @since 0.1.0
 * @category models
 */
export interface Image {
  /** Shows what it holds. */
  readonly connection: () => Connection
  /** The next bytes of it, at most so many; nothing after the last ones. */
  readonly read: (bytes: number) => Uint8Array | undefined
  readonly close: () => void
}

/**
 * A database that comes as bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Incoming {
  readonly write: (bytes: Uint8Array) => void
  /** These were all: shows what came, to be looked at and made one's own. */
  readonly end: () => Connection
  /** It takes the place of the database, at once. Images of that are no more. */
  readonly adopt: () => void
  /** Lets go of it, unless it was adopted. */
  readonly close: () => void
}

/**
 * Why something can't be done for now.
 *
 * @since 0.1.0
 * @category errors
 */
export class Busy extends Error {
  override readonly name = "Busy"
}

/**
 * Whose database it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Owner {
  readonly cluster: string
  readonly node: number
  readonly machine: string
}

/**
 * @since 0.1.0
 * @category tags
 */
export class SqlStore extends Context.Tag("@synod/sql-machine/SqlStore")<
  SqlStore,
  {
    /** Opens a database, and writes nothing to it before `begin`. */
    readonly open: (owner: Owner) => Database
    /** Opens an empty one beside it, which is gone when it is closed. */
    readonly apart: (owner: Owner) => Database
  }
>() {}
