/**
 * Sessions in tables and sessions as values are told the same, whatever is asked of them.
 */
import { Rpc } from "@effect/rpc"
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { SqlMachine } from "@synod/sql-machine"
import { Batch, Command, Envelope, StateMachine } from "@synod/state-machine"
import { Effect, Either, FastCheck, Schema } from "effect"
import { executorOf, quiet, where } from "./Log.js"

const commands = [Rpc.make("Add", { payload: { by: Schema.Int }, success: Schema.Int, error: Schema.String })] as const
const bounds = { most: 3, expiry: 4_000 }

const Value = StateMachine.make("Counter", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands,
  queries: [],
  sessions: bounds
})

const ValueLive = Value.toLayer({
  Add: (state, { by }) => (by < 0 ? Effect.fail("less") : Effect.succeed([state + by, state + by]))
})

const Sql = SqlMachine.make("Counter", {
  version: 1,
  migrations: ["CREATE TABLE counter (value INTEGER NOT NULL) STRICT; INSERT INTO counter VALUES (0)"],
  commands,
  queries: [],
  sessions: bounds
})

const SqlLive = Sql.toLayer({
  Add: ({ by }) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ value: number }>`UPDATE counter SET value = value + ${by} RETURNING value`
      return by < 0 ? yield* Effect.fail("less") : row!.value
    })
})

const add = (by: number) => Either.getOrThrow(Command.encode("Add", { by }))

const envelope = FastCheck.oneof(
  FastCheck.constant(Envelope.open),
  FastCheck.record({
    session: FastCheck.integer({ min: 0, max: 6 }),
    acknowledged: FastCheck.nat(8),
    first: FastCheck.oneof(FastCheck.nat(12), FastCheck.constant(20_000)),
    commands: FastCheck.array(FastCheck.integer({ min: -1, max: 3 }).map(add), { maxLength: 4 })
  }).map(Envelope.call),
  FastCheck.tuple(FastCheck.integer({ min: 0, max: 6 }), FastCheck.nat(12)).map(([session, sequence]) =>
    Envelope.resolve(session, sequence)
  )
)

/** What is asked in a slot, and how much later than the slot before. */
const slot = FastCheck.tuple(FastCheck.array(envelope, { maxLength: 4 }), FastCheck.constantFrom(0, 1, 1_000, 4_001))

describe("sessions in tables", () => {
  it.effect("answer as sessions that are values do", () =>
    Effect.gen(function* () {
      const values = yield* Value.executor.pipe(Effect.provide([ValueLive, quiet]))
      const tables = yield* executorOf(Sql, SqlLive)
      const same = (slots: ReadonlyArray<readonly [ReadonlyArray<Envelope.Envelope>, number]>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const value = yield* values.open(where)
            const table = yield* tables.open(where)
            let at = { slot: 0, time: 0 }
            for (const [envelopes, later] of slots) {
              at = { slot: at.slot + 1, time: at.time + later }
              const batch = Batch.encode(envelopes.map(Envelope.encode))
              assert.deepStrictEqual(
                Either.getOrThrow(table.apply(at, batch)).map((bytes) => Array.from(bytes)),
                Either.getOrThrow(value.apply(at, batch)).map((bytes) => Array.from(bytes))
              )
            }
          })
        )
      FastCheck.assert(
        FastCheck.property(FastCheck.array(slot, { maxLength: 25, size: "max" }), (slots) =>
          Effect.runSync(same(slots))
        ),
        { numRuns: 150, seed: 20_261_121 }
      )
    })
  )
})
