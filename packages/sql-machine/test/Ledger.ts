import { Rpc } from "@effect/rpc"
import { SqlClient } from "@effect/sql"
import { SqlMachine } from "@synod/sql-machine"
import { Effect, Schema } from "effect"

export class NoAccount extends Schema.TaggedError<NoAccount>()("NoAccount", { account: Schema.String }) {}

export class TooPoor extends Schema.TaggedError<TooPoor>()("TooPoor", { balance: Schema.Int }) {}

const Deposit = Rpc.make("Deposit", { payload: { account: Schema.String, amount: Schema.Int } })
const Transfer = Rpc.make("Transfer", {
  payload: { from: Schema.String, to: Schema.String, amount: Schema.Int },
  error: Schema.Union(NoAccount, TooPoor)
})
const Balance = Rpc.make("Balance", {
  payload: { account: Schema.String },
  success: Schema.Int,
  error: NoAccount
})

export const Ledger = SqlMachine.make("Ledger", {
  version: 1,
  migrations: ["CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT, WITHOUT ROWID"],
  commands: [Deposit, Transfer],
  queries: [Balance]
})

const balanceOf = (account: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ balance: number }>`SELECT balance FROM account WHERE name = ${account}`
    return row === undefined ? yield* new NoAccount({ account }) : row.balance
  })

const add = (account: string, amount: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`UPDATE account SET balance = balance + ${amount} WHERE name = ${account}`
  )

export const LedgerLive = Ledger.toLayer({
  Deposit: ({ account, amount }) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        sql`INSERT INTO account VALUES (${account}, ${amount})
          ON CONFLICT DO UPDATE SET balance = balance + excluded.balance`
    ),
  Transfer: ({ amount, from, to }) =>
    Effect.gen(function* () {
      // Money is taken before anything is known, so that a refusal has something to undo.
      yield* add(from, -amount)
      const balance = yield* balanceOf(from)
      if (balance < 0) return yield* new TooPoor({ balance: balance + amount })
      yield* balanceOf(to)
      yield* add(to, amount)
    }),
  Balance: ({ account }) => balanceOf(account)
})
