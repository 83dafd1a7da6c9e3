/**
 * A replicated state machine whose state is SQL tables: as large as a disk, and in no need of memory for it.
 *
 * ```ts
 * const Deposit = Rpc.make("Deposit", { payload: { account: Schema.String, amount: Schema.Int } })
 * const Balance = Rpc.make("Balance", { payload: { account: Schema.String }, success: Schema.Int })
 *
 * const Ledger = SqlMachine.make("Ledger", {
 *   version: 1,
 *   migrations: ["CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT, WITHOUT ROWID"],
 *   commands: [Deposit],
 *   queries: [Balance]
 * })
 *
 * const LedgerLive = Ledger.toLayer({
 *   Deposit: ({ account, amount }) =>
 *     Effect.flatMap(SqlClient.SqlClient, (sql) =>
 *       sql`INSERT INTO account VALUES (${account}, ${amount})
 *           ON CONFLICT DO UPDATE SET balance = balance + excluded.balance`
 *     ),
 *   …
 * })
 * ```
 *
 * Handlers get an `SqlClient` inside of the transaction that also holds the sessions and the slot: a command is applied with
 * all that belongs to it, or not at all. They are deterministic by construction, as those of `StateMachine` are, and so are
 * the functions of SQLite that tell the time and roll dice.
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Caller, Executor, Kind, type StateMachine } from "@synod/state-machine"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Types from "effect/Types"
import * as Rules from "./internal/rules.js"
import * as SqlExecutor from "./internal/executor.js"
import { SqlStore } from "./SqlStore.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@synod/sql-machine/SqlMachine")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * A machine: its name, its schemas, its tables, and the tags under which its executor and its caller are found. Clients and
 * browsers import no more than this: SQLite comes with the store that replicas are given.
 *
 * @since 0.1.0
 * @category models
 */
export interface SqlMachine<
  in out Name extends string,
  in out Commands extends Rpc.Any,
  in out Queries extends Rpc.Any
> extends StateMachine.Runnable<Name, Executor.Executor> {
  readonly [TypeId]: TypeId
  readonly name: Name
  readonly version: number
  readonly commands: ReadonlyArray<Commands>
  readonly queries: ReadonlyArray<Queries>
  /** What replicas run; provided by `toLayer`. */
  readonly executor: Context.Tag<Executor.Id<Name>, Executor.Executor>
  /** What the client calls through; provided by deployments and by `StateMachine.layerLocal`. */
  readonly caller: Context.Tag<Caller.Id<Name>, Caller.Caller>
  /** A method for every command and query: the same client as that of a machine whose state is a value. */
  readonly client: Effect.Effect<StateMachine.Client<Commands, Queries>, never, Caller.Id<Name>>
  /** The machine with its handlers, or with an effect that builds them, on the tables of a store. */
  readonly toLayer: <E = never, R = never>(
    handlers: Handlers<Commands, Queries> | Effect.Effect<Handlers<Commands, Queries>, E, R>
  ) => Layer.Layer<Executor.Id<Name>, E, R | SqlStore>
}

/**
 * A handler of a command or query: its reply, or an error. An error, of its own or of SQL, undoes what it has written. An error
 * of SQL that it lets go is a `CommandDefect` for the caller.
 *
 * @since 0.1.0
 * @category handlers
 */
export type Handler<Procedure extends Rpc.Any> = (
  payload: Rpc.Payload<Procedure>
) => Effect.Effect<Rpc.Success<Procedure>, Rpc.Error<Procedure> | SqlError, SqlClient>

/**
 * A handler for every command and query of a machine, under its tag. Those of queries may not write.
 *
 * @since 0.1.0
 * @category handlers
 */
export type Handlers<Commands extends Rpc.Any, Queries extends Rpc.Any> = Types.Simplify<
  { readonly [Command in Commands as Rpc.Tag<Command>]: Handler<Command> } & {
    readonly [Query in Queries as Rpc.Tag<Query>]: Handler<Query>
  }
>

/**
 * Makes a machine.
 *
 * Throws `Kind.InvalidMachine` for what `StateMachine.make` refuses, for another number of migrations than the version says,
 * and for migrations that do what isn't for the tables of a machine.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  const Commands extends ReadonlyArray<StateMachine.AnyRpc>,
  const Queries extends ReadonlyArray<StateMachine.AnyRpc>
>(
  name: Name,
  options: {
    /** Raised with every change of the tables, of what handlers do, or of the bounds of sessions. */
    readonly version: number
    /**
     * SQL, one text a version: the first makes the tables, and each other one brings those of the version before it to its
     * own. It may be empty. What a version has run is never changed.
     */
    readonly migrations: ReadonlyArray<string>
    readonly commands: Commands
    readonly queries: Queries
    /** How many clients it remembers, and for how long; `SessionTable.defaults` for what is not named. */
    readonly sessions?: { readonly most?: number; readonly expiry?: Duration.DurationInput }
  }
): SqlMachine<Name, Commands[number], Queries[number]> => {
  const definition = Kind.define(name, options)
  const reason = faultOf(options)
  if (reason !== undefined) throw new Kind.InvalidMachine({ machine: name, reason })
  const executor = Executor.Tag(name)
  const caller = Caller.Tag(name)
  return {
    [TypeId]: TypeId,
    name,
    version: options.version,
    commands: options.commands,
    queries: options.queries,
    executor,
    caller,
    client: Effect.map(
      caller,
      (service) => Kind.client(definition, service) as StateMachine.Client<Commands[number], Queries[number]>
    ),
    toLayer: (handlers) =>
      Layer.effect(
        executor,
        Effect.gen(function* () {
          const built = Effect.isEffect(handlers) ? yield* handlers : handlers
          const store = yield* SqlStore
          return yield* SqlExecutor.make(definition, options.migrations, built as SqlExecutor.UntypedHandlers, store)
        })
      )
  }
}

const faultOf = (options: { readonly version: number; readonly migrations: ReadonlyArray<string> }) => {
  const { migrations, version } = options
  if (migrations.length !== version) {
    return `it is of version ${version} and has ${migrations.length} migrations, and must have one for each version`
  }
  return migrations.map(Rules.ofScript).find((fault) => fault !== undefined)
}
