/**
 * The file below the SQLite journal: opened, identified, and checked for what it is relied upon.
 *
 * ```
 *   header   one row: format, cluster, node, how often it was opened, checksum
 *   record   slot 0: the acceptor's state · slots 1...: the log, some rows outside of it perhaps      (see Row)
 *   snapshot, chunk                                                                          (see SnapshotTables)
 * ```
 *
 * Whoever keeps something else as carefully brings a `Layout` of its own.
 *
 * A file is looked at before it is touched: nothing is written to one that belongs to somebody else.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Durable from "@synod/paxos/Durable"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as JournalError from "./JournalError.js"
import * as Row from "./Row.js"
import * as Connection from "./internal/Connection.js"
import * as Header from "./internal/Header.js"
import * as SnapshotTables from "./internal/SnapshotTables.js"
import * as SqliteFailure from "./internal/SqliteFailure.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The file; made when it does not exist. Its directory must exist: a mistyped path would begin an empty memory. */
  readonly filename: string
  /** The cluster whose decisions the journal holds. */
  readonly cluster: string
  /** The node that alone may use it. */
  readonly node: NodeId
}

/**
 * An open file. Closed with the scope in which it was opened.
 *
 * @since 0.1.0
 * @category models
 */
export type SqliteFile = Connection.Connection

/**
 * What a file holds beside its header.
 *
 * @since 0.1.0
 * @category models
 */
export interface Layout {
  /** The table by which such a file is known. */
  readonly table: string
  /** Makes the tables of a new file, in the transaction that makes its header. */
  readonly create: (file: SqliteFile) => Effect.Effect<unknown, SqlError>
}

/**
 * Opens the file for this process alone, and makes a new one of its kind where it is empty; a log's journal unless told otherwise.
 * It is closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (
  options: Options,
  layout: Layout = log
): Effect.Effect<SqliteFile, JournalError.OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { filename } = options
    const file = yield* Connection.connect(filename)
    // The lock is held from the first access to the last; whoever comes second is told so instead of being kept waiting.
    yield* file.query("PRAGMA busy_timeout = 0")
    yield* file.query("PRAGMA locking_mode = EXCLUSIVE")
    const tables = yield* file.query<{ name: string }>("SELECT name FROM sqlite_master")
    if (tables.length > 0) yield* Header.identify(file, options, tables, layout.table)
    const [mode] = yield* file.query<{ journal_mode: string }>("PRAGMA journal_mode = WAL")
    if (mode?.journal_mode !== "wal") {
      return yield* new JournalError.JournalUnopenable({
        filename,
        reason: "SQLite can't keep a write-ahead log there"
      })
    }
    yield* file.query("PRAGMA synchronous = FULL")
    // macOS: only with these an fsync reaches the medium.
    yield* file.query("PRAGMA fullfsync = ON")
    yield* file.query("PRAGMA checkpoint_fullfsync = ON")
    if (tables.length === 0) yield* create(file, options, layout)
    return file
  }).pipe(
    Effect.mapError((error) => (error._tag === "SqlError" ? SqliteFailure.opening(options.filename, error) : error))
  )

/**
 * Makes sure that what the file holds is durable, and does something with it in the same transaction.
 *
 * What SQLite finds after a crash may have been written but never synced, and after a failed fsync the operating system
 * may show pages that never reached the disk (Rebello et al., *Can Applications Recover from fsync Failures?*, 2020). So
 * nothing is answered from here before all of it was copied into the database file, and a transaction that really writes
 * something was synced behind it. The copy comes first: it frees the write-ahead log where that can't grow any more.
 *
 * @since 0.1.0
 * @category recovery
 */
export const secure = <A>(
  file: SqliteFile,
  operation: "open" | "recover",
  use: Effect.Effect<A, SqlError | JournalError.JournalDamaged>
): Effect.Effect<A, JournalError.JournalDamaged | JournalError.JournalFailed> =>
  Effect.gen(function* () {
    const [checkpoint] = yield* file.query<{ busy: number }>("PRAGMA wal_checkpoint(RESTART)")
    if (checkpoint?.busy !== 0) {
      return yield* failed(file, operation, "SQLite could not copy its write-ahead log into the database")
    }
    const used = yield* Connection.transaction(
      file,
      Effect.gen(function* () {
        const header = yield* Header.read(file)
        yield* Header.write(file, { ...header, opened: header.opened + 1 })
        return yield* use
      })
    )
    yield* checkDurability(file, operation)
    return used
  }).pipe(Effect.mapError((error) => (error._tag === "SqlError" ? running(file, operation, error) : error)))

/**
 * {@link secure} for a log's journal: the acceptor's state. Rows behind the end of the log go.
 *
 * @since 0.1.0
 * @category recovery
 */
export const settle = (
  file: SqliteFile,
  operation: "open" | "recover"
): Effect.Effect<Durable.Durable, JournalError.JournalDamaged | JournalError.JournalFailed> =>
  secure(
    file,
    operation,
    Effect.tap(readState(file), ({ acceptedThrough }) =>
      file.query("DELETE FROM record WHERE slot > ?", acceptedThrough)
    )
  )

/**
 * What an error of a statement means for whoever keeps something in the file.
 *
 * @since 0.1.0
 * @category errors
 */
export const running = (
  { filename }: SqliteFile,
  operation: JournalError.JournalFailed["operation"],
  error: SqlError
): JournalError.JournalDamaged | JournalError.JournalFailed => SqliteFailure.running(filename, operation, error)

const log: Layout = {
  table: "record",
  create: (file) =>
    Effect.gen(function* () {
      yield* file.query(
        "CREATE TABLE record (slot INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL) STRICT"
      )
      yield* SnapshotTables.create(file)
      const { body, crc, slot } = Row.fromState(Durable.initial)
      yield* file.query("INSERT INTO record (slot, body, crc) VALUES (?, ?, ?)", slot, body, crc)
    })
}

const create = (file: SqliteFile, { cluster, node }: Options, layout: Layout) =>
  Connection.transaction(file, Effect.zipRight(Header.create(file, { cluster, node }), layout.create(file)))

const readState = (file: SqliteFile) =>
  Effect.gen(function* () {
    const [row] = yield* file.query<Row.Row>("SELECT slot, body, crc FROM record WHERE slot = 0")
    if (row === undefined) return yield* damaged(file, "it is missing")
    return yield* Either.match(Row.toState(row), {
      onLeft: (reason) => damaged(file, reason),
      onRight: Effect.succeed
    })
  })

/** After a transaction: straight after the switch to WAL, SQLite reports a value that the first transaction resets. */
const checkDurability = (file: SqliteFile, operation: "open" | "recover") =>
  Effect.gen(function* () {
    const [synchronous] = yield* file.query<{ synchronous: number }>("PRAGMA synchronous")
    if (synchronous?.synchronous !== 2) {
      return yield* failed(
        file,
        operation,
        `SQLite runs with synchronous = ${synchronous?.synchronous}, not with FULL (2)`
      )
    }
    const [locking] = yield* file.query<{ locking_mode: string }>("PRAGMA locking_mode")
    if (locking?.locking_mode !== "exclusive") {
      return yield* failed(
        file,
        operation,
        `SQLite runs with locking_mode = ${locking?.locking_mode}, not with EXCLUSIVE`
      )
    }
  })

const damaged = ({ filename }: SqliteFile, reason: string) =>
  new JournalError.JournalDamaged({ filename, slot: 0, reason })

const failed = ({ filename }: SqliteFile, operation: "open" | "recover", reason: string) =>
  new JournalError.JournalFailed({ filename, operation, reason })
