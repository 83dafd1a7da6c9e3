/**
 * The journal on SQLite: one file a replica, one statement a write, one fsync before it succeeds.
 *
 * SQLite runs in WAL mode with `synchronous = FULL` and `locking_mode = EXCLUSIVE`, set and read back when the file is
 * opened. State and entries are rows of one table, so that a write is a single statement in autocommit mode: a
 * transaction without the cost of BEGIN and COMMIT, and nothing of another fiber can come between. A log that gets
 * shorter leaves rows behind its end; they are never read, and deleted when the file is opened the next time. So does one that
 * is trimmed in front of its beginning, until it is swept.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import type { Write } from "@synod/paxos/Durable"
import type * as Entry from "@synod/paxos/Entry"
import type { Slot } from "@synod/paxos/Slot"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Contract from "./Contract.js"
import { Journal } from "./Journal.js"
import * as JournalError from "./JournalError.js"
import { JournalStore } from "./JournalStore.js"
import * as Row from "./Row.js"
import * as SnapshotTables from "./internal/SnapshotTables.js"
import * as SqliteFailure from "./internal/SqliteFailure.js"
import * as SqliteFile from "./SqliteFile.js"
import * as Upsert from "./internal/Upsert.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Options = SqliteFile.Options

/**
 * Opens the journal of `node` in `cluster`, or begins it where the file does not exist. It is closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Journal["Type"], JournalError.OpenError, Scope.Scope> =>
  Effect.flatMap(SqliteFile.open(options), fromFile)

/**
 * The journal in a file that is open already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile = (
  file: SqliteFile.SqliteFile
): Effect.Effect<Journal["Type"], JournalError.JournalDamaged | JournalError.JournalFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const recovered = yield* SqliteFile.settle(file, "open")
    const recovering = yield* Effect.makeSemaphore(1)
    let through = recovered.acceptedThrough
    let trimmedThrough: number = recovered.trimmedThrough
    let settled = true
    let open = true
    yield* Effect.addFinalizer(() => Effect.sync(() => (open = false)))

    type Operation = JournalError.JournalFailed["operation"]
    const whenOpen = <A, E>(operation: Operation, effect: () => Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | JournalError.JournalFailed> =>
        open ? effect() : failed(file, operation, "it is closed")
      )

    const whenSettled = <A, E>(operation: Operation, effect: () => Effect.Effect<A, E>) =>
      whenOpen(operation, (): Effect.Effect<A, E | JournalError.JournalUnsettled> =>
        settled ? effect() : new JournalError.JournalUnsettled({ filename: file.filename })
      )

    /** Nobody knows what is there after a statement that failed. */
    const writing = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, JournalError.JournalError> =>
      Effect.matchCauseEffect(effect, {
        onFailure: (cause) => {
          settled = false
          return Effect.failCause(Cause.map(cause, (error) => SqliteFailure.running(file.filename, "write", error)))
        },
        onSuccess: Effect.succeed
      })

    const recover = whenOpen("recover", () => {
      settled = false
      return Effect.tap(SqliteFile.settle(file, "recover"), (state) => {
        through = state.acceptedThrough
        trimmedThrough = state.trimmedThrough
        settled = true
      })
    }).pipe(recovering.withPermits(1), Effect.uninterruptible)

    const write = (write: Write) =>
      whenSettled("write", () => {
        Contract.checkWrite(through, write)
        const { params, sql } = Upsert.make(rowsOf(write))
        return Effect.map(writing(file.run(sql, params)), () => {
          through = write.state.acceptedThrough
          trimmedThrough = write.state.trimmedThrough
        })
      }).pipe(Effect.uninterruptible)

    const read = (after: Slot, limit: Contract.Limit) =>
      whenSettled("read", (): Effect.Effect<ReadonlyArray<Entry.Entry>, JournalError.JournalError> =>
        after < trimmedThrough
          ? new JournalError.JournalTrimmed({ filename: file.filename, slot: after + 1, trimmedThrough })
          : readEntries(file, after, Contract.lastRead(after, limit, through), limit)
      )

    const snapshots = whenSettled("read", () => reading(file, SnapshotTables.whole(file)))

    return Journal.of({
      recovered,
      recover,
      write,
      read,
      snapshots,
      unfinished: whenSettled("read", () => reading(file, SnapshotTables.unfinished(file))),
      readChunk: (slot, index) => whenSettled("read", () => reading(file, SnapshotTables.readChunk(file, slot, index))),
      saveChunk: (slot, index, body) =>
        Effect.tap(snapshots, (whole) => Contract.checkChunk(whole.find((snapshot) => snapshot.slot === slot))).pipe(
          Effect.zipRight(
            whenSettled("write", () => Effect.asVoid(writing(SnapshotTables.saveChunk(file, slot, index, body))))
          ),
          Effect.uninterruptible
        ),
      saveSnapshot: (snapshot) =>
        whenSettled("write", () =>
          Effect.flatMap(reading(file, SnapshotTables.countChunks(file, snapshot.slot)), (saved) => {
            Contract.checkSnapshot(snapshot, saved)
            return Effect.asVoid(writing(SnapshotTables.saveSnapshot(file, snapshot)))
          })
        ).pipe(Effect.uninterruptible),
      sweep: (keep) =>
        Effect.uninterruptible(whenSettled("write", () => writing(SnapshotTables.sweep(file, trimmedThrough, keep))))
    })
  })

/**
 * A replica's journal in this file.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Pick<Options, "filename">): Layer.Layer<JournalStore> =>
  Layer.succeed(JournalStore, { open: (owner) => make({ ...options, ...owner }) })

const rowsOf = ({ after, entries, state }: Write): ReadonlyArray<Row.Row> => {
  const rows = entries.map((entry, i) => Row.fromEntry(after + i + 1, entry))
  rows.push(Row.fromState(state))
  return rows
}

/** Adds up sizes before it touches a batch, so that what does not fit the limit stays on the disk. */
const selectEntries = `SELECT slot, body, crc FROM record WHERE slot > ? AND slot <= max(? + 1, (
  SELECT coalesce(max(slot), 0) FROM (
    SELECT slot, sum(length(body) + ${Row.entryOverhead}) OVER (ORDER BY slot) AS bytes
    FROM record WHERE slot > ? AND slot <= ?
  ) WHERE bytes <= ?
)) ORDER BY slot`

const readEntries = (file: SqliteFile.SqliteFile, after: Slot, last: number, { bytes }: Contract.Limit) =>
  Effect.gen(function* () {
    if (last <= after) return []
    const rows = yield* file.query<Row.Row>(selectEntries, after, after, after, last, bytes)
    const entries: Array<Entry.Entry> = []
    for (const row of rows) {
      const slot = after + entries.length + 1
      if (row.slot !== slot) return yield* damaged(file, slot, "it is missing")
      entries.push(yield* Either.mapLeft(Row.toEntry(row), (reason) => damaged(file, slot, reason)))
    }
    return entries.length > 0 ? entries : yield* damaged(file, after + 1, "it is missing")
  }).pipe((entries) => reading(file, entries))

const reading = <A, E>(file: SqliteFile.SqliteFile, effect: Effect.Effect<A, E | SqlError>) =>
  Effect.mapError(effect, (error) =>
    isSqlError(error) ? SqliteFailure.running(file.filename, "read", error) : (error as Exclude<E, SqlError>)
  )

const isSqlError = Predicate.isTagged("SqlError") as (error: unknown) => error is SqlError

const damaged = ({ filename }: SqliteFile.SqliteFile, slot: number, reason: string) =>
  new JournalError.JournalDamaged({ filename, slot, reason })

const failed = (
  { filename }: SqliteFile.SqliteFile,
  operation: JournalError.JournalFailed["operation"],
  reason: string
) => new JournalError.JournalFailed({ filename, operation, reason })
