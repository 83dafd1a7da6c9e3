/**
 * A user's machine in a simulated world: what replicas apply commands to, a value or tables, and the model that clients' answers
 * are held against.
 *
 * @internal
 */
import type * as Rpc from "@effect/rpc/Rpc"
import { SqliteStore, SqlMachine, SqlStore } from "@synod/sql-machine"
import type { Executor, StateMachine, ValueExecutor } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Model from "../Model.js"
import * as Subject from "../Subject.js"
import type * as TableDisk from "../TableDisk.js"
import * as Tables from "../Tables.js"
import type * as World from "../World.js"
import { brief } from "./worldSetting.js"

/** @internal */
export interface WorldMachine {
  readonly onTables: boolean
  /** What a replica applies commands to. */
  readonly subject: (tables: Pick<TableDisk.TableDisk, "store" | "bytes">) => Subject.Subject<any, any>
  /** The machine itself, one operation after the other. */
  readonly model: () => Model.Model<any>
}

/** Whichever kind of machine it is. @internal */
export const make = <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  world: World.World,
  machine: Subject.Simulated<Name, Commands, Queries>,
  layer: Subject.Live<Name>
): WorldMachine => {
  const made = (store: SqlStore.SqlStore["Type"]): Executor.Executor =>
    Effect.runSync(
      machine.executor.pipe(Effect.provide([layer, logger(world)]), Effect.provideService(SqlStore.SqlStore, store))
    )
  const sessions = brief(world.seeded.fork("sessions"), made(nowhere).sessions)
  const executor = (store: SqlStore.SqlStore["Type"]) => made(store).bounded(sessions)
  const values = () => executor(nowhere) as ValueExecutor.ValueExecutor
  const onTables = SqlMachine.TypeId in machine
  return {
    onTables,
    subject: (tables) => (onTables ? Tables.subject(executor, tables) : Subject.ofValues(values())),
    model: () =>
      onTables
        ? Model.ofSubject(machine, Tables.subject(executor, nothing))
        : Model.ofMachine(machine as StateMachine.StateMachine<Name, any, Commands, Queries>, values())
  }
}

/** Of a machine whose state is a value, and needs none. */
const nowhere: SqlStore.SqlStore["Type"] = {
  open: () => SqliteStore.memory(),
  apart: () => SqliteStore.memory()
}

const nothing = { store: nowhere, bytes: () => new Uint8Array(0) }

/** What handlers log is part of what happened. */
const logger = (world: World.World) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, message }) =>
      world.trace.event(
        "",
        "machine",
        () => `${String(message)} ${Cause.isEmpty(cause) ? "" : String(Cause.squash(cause))}`
      )
    )
  )
