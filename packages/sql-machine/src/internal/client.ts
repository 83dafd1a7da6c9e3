/**
 * The `SqlClient` that handlers get: statements run at once, on the connection whose transaction is the slot's.
 *
 * It is that of `@effect/sql`, on a connection of its own making: the client of `@effect/sql-sqlite-node` hides the connection,
 * on which functions of time and chance must be replaced, and each of its statements passes a semaphore and a cache of
 * effects.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlConnection from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Connection, Prepared } from "../SqlStore.js"
import * as Failure from "./failure.js"
import * as Rules from "./rules.js"

/**
 * Statements that stay prepared. Handlers have some dozen; those who build texts from data take more, and lose by it.
 */
const preparedAtMost = 256

/** Runs the statements of handlers, and keeps what only the machine may know. */
export class Statements {
  /** What went wrong here and not in a statement, whatever the handler made of it: nothing of the slot may stay. */
  trouble: unknown
  /** The command has written something: there is a savepoint to go back to. */
  private marked = false
  private readonly prepared = new Map<string, Prepared>()
  private readonly savepoint: Prepared
  private readonly back: Prepared
  private readonly release: Prepared

  constructor(private readonly connection: Connection) {
    this.savepoint = connection.prepare("SAVEPOINT synod_command")
    this.back = connection.prepare("ROLLBACK TO synod_command")
    this.release = connection.prepare("RELEASE synod_command")
  }

  /** The command is over: what it wrote stays, or goes. */
  end(stays: boolean): void {
    if (!this.marked) return
    this.marked = false
    if (!stays) this.back.run()
    this.release.run()
  }

  /** The whole slot was undone. */
  forget(): void {
    this.marked = false
    this.trouble = undefined
  }

  run(sql: string, params: ReadonlyArray<unknown>, how: How): ReadonlyArray<any> | Changes {
    if (this.trouble !== undefined) throw this.trouble
    try {
      return this.perform(sql, params, how)
    } catch (cause) {
      if (Failure.isHere(cause)) this.trouble = cause
      throw cause
    }
  }

  private perform(sql: string, params: ReadonlyArray<unknown>, how: How): ReadonlyArray<any> | Changes {
    if (Rules.isNested(sql)) {
      if (!how.writes) return []
      this.mark()
      this.connection.exec(sql)
      return []
    }
    const statement = this.prepare(sql)
    if (!statement.readonly) {
      if (!how.writes) throw new Rules.Refused("a query may not write")
      this.mark()
    }
    statement.safeIntegers(how.safeIntegers)
    if (!statement.reader) return { changes: statement.run(...params).changes }
    return statement.raw(how.arrays).all(...params)
  }

  private mark(): void {
    if (this.marked) return
    this.savepoint.run()
    this.marked = true
  }

  /** The statement that was not used for the longest time makes room. */
  private prepare(sql: string): Prepared {
    const known = this.prepared.get(sql)
    this.prepared.delete(sql)
    const statement = known ?? this.checked(sql)
    this.prepared.set(sql, statement)
    if (this.prepared.size > preparedAtMost) this.prepared.delete(this.prepared.keys().next().value!)
    return statement
  }

  private checked(sql: string): Prepared {
    const refused = Rules.ofStatement(sql)
    if (refused !== undefined) throw new Rules.Refused(refused)
    return this.connection.prepare(sql)
  }
}

interface How {
  readonly writes: boolean
  readonly arrays: boolean
  readonly safeIntegers: boolean
}

/** What is known of a statement that gave no rows. The row that was inserted last may be that of another command. */
interface Changes {
  readonly changes: number
}

/** What handlers find in their environment: for commands, or for queries, whose statements may not write. */
export const context = (
  statements: () => Statements,
  options: { readonly writes: boolean }
): Effect.Effect<Context.Context<SqlClient.SqlClient>> =>
  Effect.gen(function* () {
    const connection = connectionOf(statements, options.writes)
    const acquirer = Effect.succeed(connection)
    const client = yield* SqlClient.make({
      acquirer,
      transactionAcquirer: acquirer,
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: []
    })
    return Context.make(SqlClient.SqlClient, client).pipe(
      // What it is in is a transaction already: the client's own are savepoints.
      Context.add(SqlClient.TransactionConnection, [connection, 0] as const)
    ) as Context.Context<SqlClient.SqlClient>
  }).pipe(Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make))

const connectionOf = (statements: () => Statements, writes: boolean): SqlConnection.Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>, arrays: boolean) =>
    Effect.withFiberRuntime<ReadonlyArray<any> | Changes, SqlError>((fiber) => {
      const safeIntegers = Context.get(fiber.currentContext, SqlClient.SafeIntegers)
      try {
        return Effect.succeed(statements().run(sql, params, { writes, arrays, safeIntegers }))
      } catch (cause) {
        return Effect.fail(new SqlError({ cause, message: Failure.words(cause) }))
      }
    })
  const rows = (sql: string, params: ReadonlyArray<unknown>, arrays: boolean) =>
    Effect.map(run(sql, params, arrays), (result) => ("changes" in result ? [] : result))
  const execute: SqlConnection.Connection["execute"] = (sql, params, transform) =>
    transform === undefined ? rows(sql, params, false) : Effect.map(rows(sql, params, false), transform)
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) => run(sql, params, false),
    executeValues: (sql, params) => rows(sql, params, true),
    executeStream: () => Effect.dieMessage("a handler has no streams: it comes to its end at once") as never
  }
}
