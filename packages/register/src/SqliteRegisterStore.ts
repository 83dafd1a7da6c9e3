/**
 * Registers on SQLite: one file a member, one statement a write, one fsync before it succeeds, whatever the number of registers.
 *
 * The file is opened, identified and checked as that of a journal is (see `SqliteFile` of `@synod/journal`): WAL, `synchronous = FULL`,
 * `locking_mode = EXCLUSIVE`.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import { JournalError, SqliteFile } from "@synod/journal"
import type { RegisterAcceptor } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as RegisterRow from "./RegisterRow.js"
import { RegisterStore } from "./RegisterStore.js"

/**
 * Opens the registers of `node` in `cluster`, or begins them where the file does not exist. It is closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: SqliteFile.Options
): Effect.Effect<RegisterStore["Type"], JournalError.OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* SqliteFile.open(options, layout)
    const secure = (operation: "open" | "recover") => SqliteFile.secure(file, operation, Effect.void)
    yield* secure("open")
    const { filename } = options
    let settled = true
    let open = true
    yield* Effect.addFinalizer(() => Effect.sync(() => (open = false)))

    type Operation = JournalError.JournalFailed["operation"]
    const whenSettled = <A>(operation: Operation, use: () => Effect.Effect<A, SqlError | JournalError.JournalError>) =>
      Effect.suspend((): Effect.Effect<A, JournalError.JournalError> => {
        if (!open) return new JournalError.JournalFailed({ filename, operation, reason: "it is closed" })
        if (!settled) return new JournalError.JournalUnsettled({ filename })
        return Effect.mapError(use(), (error) =>
          error._tag === "SqlError" ? SqliteFile.running(file, operation, error) : error
        )
      }).pipe(Effect.uninterruptible)

    /** Nobody knows what is there after a statement that failed. */
    const writing = <A>(effect: Effect.Effect<A, SqlError>) =>
      whenSettled("write", () => Effect.onError(effect, () => Effect.sync(() => (settled = false))))

    return RegisterStore.of({
      read: (keys) =>
        whenSettled("read", () =>
          Effect.flatMap(file.query<RegisterRow.Row>(select, JSON.stringify(keys)), (rows) => statesOf(filename, rows))
        ),
      write: (states, now) => {
        const rows = Array.from(states, ([key, state]) => RegisterRow.make(key, state, now))
        return Effect.asVoid(writing(file.run(upsert, paramsOf(rows))))
      },
      forget: (before, most) =>
        Effect.map(writing(file.query<{ key: string }>(remove, before, most)), (rows) => rows.map(({ key }) => key)),
      recover: Effect.suspend(() => {
        if (!open) return new JournalError.JournalFailed({ filename, operation: "recover", reason: "it is closed" })
        settled = false
        return Effect.tap(secure("recover"), () => void (settled = true))
      }).pipe(Effect.uninterruptible)
    })
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: SqliteFile.Options): Layer.Layer<RegisterStore, JournalError.OpenError> =>
  Layer.scoped(RegisterStore, make(options))

const layout: SqliteFile.Layout = {
  table: "register",
  create: (file) =>
    Effect.zipRight(
      file.query(
        "CREATE TABLE register (key TEXT PRIMARY KEY, body BLOB NOT NULL, decided REAL, crc INTEGER NOT NULL) STRICT"
      ),
      file.query("CREATE INDEX register_decided ON register (decided) WHERE decided IS NOT NULL")
    )
}

const select = "SELECT key, body, decided, crc FROM register WHERE key IN (SELECT value FROM json_each(?))"

/** All bodies are one run of bytes, and a list tells where each begins: one statement, and one text, for any number of rows. */
const upsert =
  "INSERT OR REPLACE INTO register (key, body, decided, crc) " +
  "SELECT value->>0, substr(?, value->>1, value->>2), value->>3, value->>4 FROM json_each(?)"

const remove =
  "DELETE FROM register WHERE key IN (SELECT key FROM register WHERE decided < ? ORDER BY decided LIMIT ?) RETURNING key"

const paramsOf = (rows: ReadonlyArray<RegisterRow.Row>): ReadonlyArray<unknown> => {
  // SQL counts bytes from 1.
  let start = 1
  const places = rows.map(({ body, crc, decided, key }) => {
    const place = [key, start, body.length, decided, crc]
    start += body.length
    return place
  })
  return [Buffer.concat(rows.map(({ body }) => body)), JSON.stringify(places)]
}

const statesOf = (filename: string, rows: ReadonlyArray<RegisterRow.Row>) =>
  Effect.suspend(() => {
    const states = new Map<string, RegisterAcceptor.State>()
    for (const row of rows) {
      const state = RegisterRow.toState(row)
      if (Either.isLeft(state)) {
        const reason = `register "${row.key}": ${state.left}`
        return Effect.fail(new JournalError.JournalDamaged({ filename, slot: undefined, reason }))
      }
      states.set(row.key, state.right)
    }
    return Effect.succeed(states)
  })
