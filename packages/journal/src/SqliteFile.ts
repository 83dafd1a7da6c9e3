/**
 * The file below the SQLite journal: opened, identified, and checked for what it is relied upon.
 *
 * ```
 *   header   one row: format, cluster, node, how often it was opened, checksum
 *   record   slot 0: the acceptor's state · slots 1...: the log, some rows behind its end perhaps     (see Row)
 * ```
 *
 * A file is looked at before it is touched: one that belongs to somebody else stays as it was.
 *
 * @since 0.1.0
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Durable from "@synod/paxos/Durable"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { crc32 } from "node:zlib"
import * as JournalError from "./JournalError.js"
import * as Row from "./Row.js"
import * as SqliteFailure from "./internal/SqliteFailure.js"

/**
 * The highest format that this version reads, and the one it writes. A later format may change `record`; `header` stays as
 * it is, so that every version can tell whose a file is.
 *
 * @since 0.1.0
 * @category constants
 */
export const format = 1

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
 * A query in autocommit mode, through the connection that is kept for as long as the file is open.
 *
 * @since 0.1.0
 * @category models
 */
export type Query = <A = unknown>(sql: string, ...params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<A>, SqlError>

/**
 * @since 0.1.0
 * @category models
 */
export interface SqliteFile {
  readonly filename: string
  readonly query: Query
  /** Like `query`, for a statement that returns no rows; the shortest way to the disk. */
  readonly run: (sql: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, SqlError>
}

/**
 * Opens the file for this process alone, and makes a new journal of it where it is empty. It is closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (
  options: Options
): Effect.Effect<SqliteFile, JournalError.OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { filename } = options
    const file = yield* connect(filename)
    // The lock is held from the first access to the last; whoever comes second is told so instead of being kept waiting.
    yield* file.query("PRAGMA busy_timeout = 0")
    yield* file.query("PRAGMA locking_mode = EXCLUSIVE")
    const tables = yield* file.query<{ name: string }>("SELECT name FROM sqlite_master")
    if (tables.length > 0) yield* identify(file, options, tables)
    const [mode] = yield* file.query<{ journal_mode: string }>("PRAGMA journal_mode = WAL")
    if (mode?.journal_mode !== "wal") {
      return yield* new JournalError.JournalUnopenable({ filename, reason: "SQLite can't keep a write-ahead log there" })
    }
    yield* file.query("PRAGMA synchronous = FULL")
    // macOS: only with these an fsync reaches the medium.
    yield* file.query("PRAGMA fullfsync = ON")
    yield* file.query("PRAGMA checkpoint_fullfsync = ON")
    if (tables.length === 0) yield* create(file, options)
    return file
  }).pipe(Effect.mapError((error) => (error._tag === "SqlError" ? SqliteFailure.opening(options.filename, error) : error)))

/**
 * Makes sure that what the file holds is durable, and returns the acceptor's state.
 *
 * What SQLite finds after a crash may have been written but never synced, and after a failed fsync the operating system
 * may show pages that never reached the disk (Rebello et al., *Can Applications Recover from fsync Failures?*, 2020). So nothing is answered from
 * here before a transaction that really writes has been synced behind it and all of it was copied into the database file.
 *
 * @since 0.1.0
 * @category recovery
 */
export const settle = (
  file: SqliteFile,
  operation: "open" | "recover"
): Effect.Effect<Durable.Durable, JournalError.JournalDamaged | JournalError.JournalFailed> =>
  Effect.gen(function* () {
    const found = yield* readState(file)
    yield* transaction(
      file,
      Effect.gen(function* () {
        const header = yield* readHeader(file)
        yield* writeHeader(file, { ...header, opened: header.opened + 1 })
        yield* file.query("DELETE FROM record WHERE slot > ?", found.acceptedThrough)
      })
    )
    yield* checkDurability(file, operation)
    const [checkpoint] = yield* file.query<{ busy: number }>("PRAGMA wal_checkpoint(RESTART)")
    if (checkpoint?.busy !== 0) {
      return yield* failed(file, operation, "SQLite could not copy its write-ahead log into the database")
    }
    return yield* readState(file)
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "SqlError" ? SqliteFailure.running(file.filename, operation, error) : error
    )
  )

const connect = (filename: string) =>
  SqliteClient.make({
    filename,
    // Left to the client, the switch to WAL would wait five seconds for a lock, before anyone has looked at the file.
    disableWAL: true,
    prepareCacheTTL: Duration.infinity
  }).pipe(
    Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make),
    // The client throws what goes wrong while it opens the file.
    Effect.catchAllDefect((defect) => SqliteFailure.connecting(filename, defect)),
    Effect.flatMap((client) => client.reserve),
    Effect.map((connection): SqliteFile => ({
      filename,
      query: (sql, ...params) => connection.execute(sql, params, undefined),
      run: connection.executeRaw
    }))
  )

interface Header {
  readonly format: number
  readonly cluster: string
  readonly node: number
  /** Every opening and recovery counts up, so that its transaction has something to write. */
  readonly opened: number
}

const headerChecksum = ({ cluster, format, node, opened }: Header): number =>
  crc32(JSON.stringify([format, cluster, node, opened]))

const writeHeader = (file: SqliteFile, header: Header) =>
  file.query(
    "INSERT OR REPLACE INTO header (id, format, cluster, node, opened, crc) VALUES (1, ?, ?, ?, ?, ?)",
    header.format,
    header.cluster,
    header.node,
    header.opened,
    headerChecksum(header)
  )

const readHeader = (file: SqliteFile) =>
  Effect.gen(function* () {
    const [header] = yield* file.query<Header & { crc: number }>(
      "SELECT format, cluster, node, opened, crc FROM header WHERE id = 1"
    )
    if (header === undefined) return yield* damaged(file, undefined, "its header is missing")
    if (headerChecksum(header) !== header.crc) {
      return yield* damaged(file, undefined, "the checksum of its header differs")
    }
    return header
  })

const identify = (file: SqliteFile, { cluster, filename, node }: Options, tables: ReadonlyArray<{ name: string }>) =>
  Effect.gen(function* () {
    if (!tables.some(({ name }) => name === "header") || !tables.some(({ name }) => name === "record")) {
      return yield* new JournalError.JournalUnopenable({
        filename,
        reason: `it is the database of another program (its tables: ${tables.map(({ name }) => name).join(", ")})`
      })
    }
    const header = yield* readHeader(file)
    const refuse = (subject: "cluster" | "node" | "format", found: string | number, expected: string | number) =>
      new JournalError.JournalRefused({ filename, subject, found, expected })
    if (header.format > format) return yield* refuse("format", header.format, format)
    if (header.cluster !== cluster) return yield* refuse("cluster", header.cluster, cluster)
    if (header.node !== node) return yield* refuse("node", header.node, node)
  })

const create = (file: SqliteFile, { cluster, node }: Options) =>
  transaction(
    file,
    Effect.gen(function* () {
      yield* file.query(
        "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, cluster TEXT NOT NULL, " +
          "node INTEGER NOT NULL, opened INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT"
      )
      yield* file.query(
        "CREATE TABLE record (slot INTEGER PRIMARY KEY, body BLOB NOT NULL, crc INTEGER NOT NULL) STRICT"
      )
      yield* writeHeader(file, { format, cluster, node, opened: 0 })
      const { body, crc, slot } = Row.fromState(Durable.initial)
      yield* file.query("INSERT INTO record (slot, body, crc) VALUES (?, ?, ?)", slot, body, crc)
    })
  )

/** Only while nobody else has the journal: a statement of another fiber would become part of it. */
const transaction = <A, E>(file: SqliteFile, body: Effect.Effect<A, E>) =>
  Effect.zipRight(
    file.query("BEGIN IMMEDIATE"),
    // SQLite may have rolled back by itself already.
    Effect.onError(Effect.zipLeft(body, file.query("COMMIT")), () => Effect.ignore(file.query("ROLLBACK")))
  ).pipe(Effect.uninterruptible)

const readState = (file: SqliteFile) =>
  Effect.gen(function* () {
    const [row] = yield* file.query<Row.Row>("SELECT slot, body, crc FROM record WHERE slot = 0")
    if (row === undefined) return yield* damaged(file, 0, "it is missing")
    return yield* Either.match(Row.toState(row), {
      onLeft: (reason) => damaged(file, 0, reason),
      onRight: Effect.succeed
    })
  })

/** After a transaction: straight after the switch to WAL, SQLite reports a value that the first transaction resets. */
const checkDurability = (file: SqliteFile, operation: "open" | "recover") =>
  Effect.gen(function* () {
    const [synchronous] = yield* file.query<{ synchronous: number }>("PRAGMA synchronous")
    if (synchronous?.synchronous !== 2) {
      return yield* failed(file, operation, `SQLite runs with synchronous = ${synchronous?.synchronous}, not with FULL (2)`)
    }
    const [locking] = yield* file.query<{ locking_mode: string }>("PRAGMA locking_mode")
    if (locking?.locking_mode !== "exclusive") {
      return yield* failed(file, operation, `SQLite runs with locking_mode = ${locking?.locking_mode}, not EXCLUSIVE`)
    }
  })

const damaged = ({ filename }: SqliteFile, slot: number | undefined, reason: string) =>
  new JournalError.JournalDamaged({ filename, slot, reason })

const failed = ({ filename }: SqliteFile, operation: "open" | "recover", reason: string) =>
  new JournalError.JournalFailed({ filename, operation, reason })
