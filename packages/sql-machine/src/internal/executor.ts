/**
 * What `toLayer` makes of a machine on tables and its handlers.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { type Executor, Kind, Machine, type SessionTable } from "@synod/state-machine"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Runtime from "effect/Runtime"
import type { Database, Owner, SqlStore } from "../SqlStore.js"
import * as Client from "./client.js"
import * as Failure from "./failure.js"
import * as SqlMachine from "./machine.js"

export type UntypedHandlers = Readonly<Record<string, (payload: unknown) => Effect.Effect<unknown, unknown, SqlClient>>>

export const make = (
  definition: Kind.Definition,
  migrations: ReadonlyArray<string>,
  handlers: UntypedHandlers,
  store: SqlStore["Type"]
): Effect.Effect<Executor.Executor> =>
  Effect.map(Effect.runtime<never>(), (runtime) =>
    bounded(definition, migrations, handlers, store, runtime)(definition.sessions)
  )

const bounded =
  (
    definition: Kind.Definition,
    migrations: ReadonlyArray<string>,
    handlers: UntypedHandlers,
    store: SqlStore["Type"],
    runtime: Runtime.Runtime<never>
  ) =>
  (bounds: SessionTable.Bounds): Executor.Executor => {
    const { name, version } = definition
    const open =
      (opened: (owner: Owner) => Database): Executor.Executor["open"] =>
      ({ cluster, node }) =>
        Effect.gen(function* () {
          const owner = { cluster, node, machine: name, version, migrations }
          const database = yield* Effect.acquireRelease(
            Effect.try({
              try: () => opened(owner),
              catch: (cause) =>
                new Machine.MachineFailed({ machine: name, reason: Failure.tell(cause), passing: false, cause })
            }),
            ({ close }) => Effect.sync(close)
          )
          return yield* SqlMachine.open(database, {
            owner,
            bounds,
            performer: (statements) => Kind.performer(definition, provided(definition, handlers, statements), runtime)
          })
        })
    return {
      machine: { name, version },
      sessions: bounds,
      bounded: bounded(definition, migrations, handlers, store, runtime),
      open: open(store.open),
      apart: open(store.apart)
    }
  }

/** Handlers with the client that is theirs: of a machine's own making, and so at hand without waiting. */
const provided = (
  definition: Kind.Definition,
  handlers: UntypedHandlers,
  statements: () => Client.Statements
): Readonly<Record<string, Kind.Handler>> => {
  const commands = Effect.runSync(Client.context(statements, { writes: true }))
  const queries = Effect.runSync(Client.context(statements, { writes: false }))
  return Object.fromEntries(
    Object.entries(handlers).map(([tag, handler]) => [
      tag,
      run(handler, definition.commands.has(tag) ? commands : queries)
    ])
  )
}

const run =
  (handler: UntypedHandlers[string], context: Context.Context<SqlClient>): Kind.Handler =>
  (payload) =>
    handler(payload).pipe(
      Effect.provide(context),
      Effect.catchIf(
        (error) => error instanceof SqlError,
        ({ cause }) => Effect.die(new SqlFault(Failure.words(cause)))
      ),
      // A span for every statement would cost more than most statements.
      Effect.withTracerEnabled(false)
    )

/** An error of SQL that a handler let go. */
class SqlFault extends Error {
  override readonly name = "SqlFault"
}
