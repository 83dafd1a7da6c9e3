/**
 * The journal on SQLite: one file a replica, one statement a write, one fsync before it succeeds.
 *
 * SQLite runs in WAL mode with `synchronous = FULL` and `locking_mode = EXCLUSIVE`, set and read back when the file is
 * opened. State and entries are rows of one table, so that a write is a single statement in autocommit mode: a
 * transaction without the cost of BEGIN and COMMIT, and nothing of another fiber can come between. A log that gets
 * shorter leaves rows behind its end; they are never read, and deleted when the file is opened the next time.
 *
 * @since 0.1.0
 */
import type { Write } from "@synod/paxos/Durable"
import type * as Entry from "@synod/paxos/Entry"
import type { Slot } from "@synod/paxos/Slot"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Contract from "./Contract.js"
import { Journal } from "./Journal.js"
import * as JournalError from "./JournalError.js"
import { JournalStore } from "./JournalStore.js"
import * as Row from "./Row.js"
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
    let settled = true
    let open = true
    yield* Effect.addFinalizer(() => Effect.sync(() => (open = false)))

    type Operation = JournalError.JournalFailed["operation"]
    const whenOpen = <A>(operation: Operation, effect: () => Effect.Effect<A, JournalError.JournalError>) =>
      Effect.suspend(() => (open ? effect() : failed(file, operation, "it is closed")))

    const whenSettled = <A>(operation: Operation, effect: () => Effect.Effect<A, JournalError.JournalError>) =>
      whenOpen(operation, () => (settled ? effect() : new JournalError.JournalUnsettled({ filename: file.filename })))

    const recover = whenOpen("recover", () => {
      settled = false
      return Effect.tap(SqliteFile.settle(file, "recover"), (state) => {
        through = state.acceptedThrough
        settled = true
      })
    }).pipe(recovering.withPermits(1), Effect.uninterruptible)

    const write = (write: Write) =>
      whenSettled("write", () => {
        Contract.checkWrite(through, write)
        const { params, sql } = Upsert.make(rowsOf(write))
        return Effect.matchCauseEffect(file.run(sql, params), {
          onFailure: (cause) => {
            settled = false
            return Effect.failCause(Cause.map(cause, (error) => SqliteFailure.running(file.filename, "write", error)))
          },
          onSuccess: () => {
            through = write.state.acceptedThrough
            return Effect.void
          }
        })
      }).pipe(Effect.uninterruptible)

    const read = (after: Slot, limit: Contract.Limit) =>
      whenSettled("read", () => readEntries(file, after, Contract.lastRead(after, limit, through), limit))

    return Journal.of({ recovered, recover, write, read })
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
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "SqlError" ? SqliteFailure.running(file.filename, "read", error) : error
    )
  )

const damaged = ({ filename }: SqliteFile.SqliteFile, slot: number, reason: string) =>
  new JournalError.JournalDamaged({ filename, slot, reason })

const failed = (
  { filename }: SqliteFile.SqliteFile,
  operation: JournalError.JournalFailed["operation"],
  reason: string
) => new JournalError.JournalFailed({ filename, operation, reason })
