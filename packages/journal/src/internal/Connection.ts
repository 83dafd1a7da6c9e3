/**
 * The one connection to a journal file.
 *
 * @since 0.1.0
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqliteFailure from "./SqliteFailure.js"

/**
 * A query in autocommit mode, through the connection that is kept for as long as the file is open.
 *
 * @since 0.1.0
 * @category models
 */
export type Query = <A = unknown>(
  sql: string,
  ...params: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<A>, SqlError>

/**
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  readonly filename: string
  readonly query: Query
  /** Like `query`, for a statement that returns no rows; the shortest way to the disk. */
  readonly run: (sql: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, SqlError>
}

/**
 * Opens the file, without a look at what it is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connect = (filename: string) =>
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
    Effect.map((connection): Connection => ({
      filename,
      query: (sql, ...params) => connection.execute(sql, params, undefined),
      run: connection.executeRaw
    }))
  )

/**
 * All of it or nothing. Only while nobody else has the journal: a statement of another fiber would become part of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const transaction = <A, E>(file: Connection, body: Effect.Effect<A, E>) =>
  Effect.zipRight(
    file.query("BEGIN IMMEDIATE"),
    // SQLite may have rolled back by itself already.
    Effect.onError(Effect.zipLeft(body, file.query("COMMIT")), () => Effect.ignore(file.query("ROLLBACK")))
  ).pipe(Effect.uninterruptible)
