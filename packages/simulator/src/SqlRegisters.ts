/**
 * The machine of {@link "./Registers"} on tables: the same commands, and what clients see is held against the same value.
 *
 * @since 0.1.0
 */
import { SqlMachine } from "@synod/sql-machine"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { Differs, Registers } from "./Registers.js"

/**
 * @since 0.1.0
 * @category machines
 */
export const SqlRegisters = SqlMachine.make("Registers", {
  version: 1,
  migrations: ["CREATE TABLE register (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID"],
  commands: Registers.commands,
  queries: Registers.queries
})

const at = (name: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly value: number }>`SELECT value FROM register WHERE name = ${name}`
    return row?.value ?? null
  })

const set = (name: string, value: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`INSERT INTO register VALUES (${name}, ${value}) ON CONFLICT DO UPDATE SET value = excluded.value`
  )

/**
 * @since 0.1.0
 * @category machines
 */
export const layer = SqlRegisters.toLayer({
  Write: ({ name, value }) => Effect.asVoid(set(name, value)),
  Add: ({ amount, name }) =>
    Effect.gen(function* () {
      const sum = ((yield* at(name)) ?? 0) + amount
      yield* set(name, sum)
      return sum
    }),
  Swap: ({ from, name, to }) =>
    Effect.gen(function* () {
      const found = yield* at(name)
      // Written first, so that a swap which fails has something to undo.
      yield* set(name, to)
      if (found !== from) return yield* new Differs({ found })
    }),
  Read: ({ name }) => at(name)
})
