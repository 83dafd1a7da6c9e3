import type { Machine } from "@synod/state-machine"
import { Answer, Batch, Command, Envelope, Reply, type Executor, type StateMachine } from "@synod/state-machine"
import { Rpc } from "@effect/rpc"
import { SqlClient } from "@effect/sql"
import type { SqlStore } from "@synod/sql-machine"
import { SqlMachine, SqliteStore } from "@synod/sql-machine"
import type { Layer } from "effect"
import { Effect, Either, Logger, Schema, type Scope } from "effect"

/** A machine whose only command runs the SQL it is given. */
export const Probe = SqlMachine.make("Probe", {
  version: 1,
  migrations: ["CREATE TABLE t (id INTEGER PRIMARY KEY, value ANY) STRICT"],
  commands: [Rpc.make("Run", { payload: { sql: Schema.String }, success: Schema.Unknown, error: Schema.String })],
  queries: [Rpc.make("Look", { payload: { sql: Schema.String }, success: Schema.Unknown })]
})

const unsafe = ({ sql }: { readonly sql: string }) =>
  Effect.flatMap(SqlClient.SqlClient, (client) => client.unsafe(sql))

export const ProbeLive = Probe.toLayer({
  Run: (payload) =>
    payload.sql.endsWith("FAIL")
      ? Effect.zipRight(unsafe({ sql: payload.sql.slice(0, -4) }), Effect.fail("as asked"))
      : unsafe(payload),
  Look: unsafe
})

export const quiet = Logger.remove(Logger.defaultLogger)

export const where: Executor.Where = { cluster: "test", node: 1 }

/** The executor of a machine in this store. */
export const executorOf = <Name extends string>(
  machine: StateMachine.Runnable<Name, Executor.Executor>,
  live: Layer.Layer<Executor.Id<Name>, never, SqlStore.SqlStore>,
  store: Layer.Layer<SqlStore.SqlStore> = SqliteStore.layerMemory
): Effect.Effect<Executor.Executor> => machine.executor.pipe(Effect.provide(live), Effect.provide([store, quiet]))

/** A log of one client, which opens session 1 in slot 1. */
export class Log {
  constructor(readonly machine: Machine.Machine) {}

  /** Applies a batch in the next slot, at a time that follows from the slot. */
  tryApply(...envelopes: ReadonlyArray<Envelope.Envelope>) {
    const slot = this.machine.at().slot + 1
    const applied = this.machine.apply({ slot, time: 1_000 * slot }, Batch.encode(envelopes.map(Envelope.encode)))
    return Either.map(applied, (replies) => replies.map((bytes) => Either.getOrThrow(Reply.decode(bytes))))
  }

  apply(...envelopes: ReadonlyArray<Envelope.Envelope>): ReadonlyArray<Reply.Reply> {
    return Either.getOrThrow(this.tryApply(...envelopes))
  }

  private sequence = 0

  /** Commands of session 1, each new. */
  call(...commands: ReadonlyArray<Uint8Array>): ReadonlyArray<Answer.Answer> {
    const first = this.sequence
    this.sequence += commands.length
    const [reply] = this.apply(Envelope.call({ session: 1, acknowledged: first, first, commands }))
    if (reply?._tag !== "Replied") throw new Error(`a command was called and ${reply?._tag} came`)
    return reply.replies.map(readAnswer)
  }

  query(bytes: Uint8Array): Answer.Answer {
    return readAnswer(Either.getOrThrow(this.machine.query(bytes)))
  }

  get digest(): string {
    return Effect.runSync(this.machine.digest).digest
  }
}

export const readAnswer = (bytes: Uint8Array): Answer.Answer => Either.getOrThrow(Answer.decode(bytes))

/** A command or query with a payload that is already encoded. */
export const command = (tag: string, payload?: unknown): Uint8Array => Either.getOrThrow(Command.encode(tag, payload))

export const run = (sql: string): Uint8Array => command("Run", { sql })

export const look = (sql: string): Uint8Array => command("Look", { sql })

/** Opens a machine whose log goes on where it stands; a new one with its session. */
export const open = (executor: Executor.Executor): Effect.Effect<Log, Machine.MachineFailed, Scope.Scope> =>
  Effect.map(executor.open(where), (machine) => {
    const log = new Log(machine)
    if (machine.at().slot === 0) log.apply(Envelope.open)
    return log
  })

export const openProbe = (store?: Layer.Layer<SqlStore.SqlStore>) =>
  Effect.flatMap(executorOf(Probe, ProbeLive, store), open)

export const success = (value: unknown) => ({ _tag: "Success", value }) as const

export const defect = (reason: string, name = "Run") => ({ _tag: "Defect", command: name, reason }) as const
