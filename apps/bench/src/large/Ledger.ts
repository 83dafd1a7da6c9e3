/**
 * A ledger of numbered accounts, on tables and as a value: the same commands, so that one can be held against the other.
 */
import { Rpc } from "@effect/rpc"
import { SqlClient } from "@effect/sql"
import { SqlMachine } from "@synod/sql-machine"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

const Account = Schema.Int

/** Opens the accounts from `first` on. */
const Open = Rpc.make("Open", { payload: { first: Account, count: Schema.Int, balance: Schema.Int } })
const Transfer = Rpc.make("Transfer", { payload: { from: Account, to: Account, amount: Schema.Int } })
const Balance = Rpc.make("Balance", { payload: { account: Account }, success: Schema.Int })

const procedures = { commands: [Open, Transfer], queries: [Balance] } as const

export const Large = SqlMachine.make("Large", {
  version: 1,
  migrations: ["CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT"],
  ...procedures
})

const add = (account: number, amount: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`UPDATE account SET balance = balance + ${amount} WHERE id = ${account}`
  )

export const LargeLive = Large.toLayer({
  Open: ({ balance, count, first }) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (
        sql
      ) => sql`WITH RECURSIVE n (id) AS (SELECT ${first} UNION ALL SELECT id + 1 FROM n WHERE id + 1 < ${first + count})
        INSERT INTO account SELECT id, ${balance} FROM n`
    ),
  Transfer: ({ amount, from, to }) => Effect.asVoid(Effect.zipRight(add(from, -amount), add(to, amount))),
  Balance: ({ account }) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ balance: number }>`SELECT balance FROM account WHERE id = ${account}`
      return row?.balance ?? 0
    })
})

export const Value = StateMachine.make("Value", {
  version: 1,
  state: Schema.HashMap({ key: Account, value: Schema.Int }),
  initial: HashMap.empty(),
  ...procedures
})

type State = HashMap.HashMap<number, number>

const balanceOf = (state: State, account: number): number => Option.getOrElse(HashMap.get(state, account), () => 0)

export const ValueLive = Value.toLayer({
  Open: (state, { balance, count, first }) => {
    const opened = HashMap.mutate(state, (next) => {
      for (let id = first; id < first + count; id++) HashMap.set(next, id, balance)
    })
    return Effect.succeed([undefined, opened])
  },
  Transfer: (state, { amount, from, to }) => {
    const taken = HashMap.set(state, from, balanceOf(state, from) - amount)
    return Effect.succeed([undefined, HashMap.set(taken, to, balanceOf(taken, to) + amount)])
  },
  Balance: (state, { account }) => Effect.succeed(balanceOf(state, account))
})

export type Client = StateMachine.ClientOf<typeof Value>
