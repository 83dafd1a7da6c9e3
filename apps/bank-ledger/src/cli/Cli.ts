/**
 * The command line: which commands there are, and how they reach the bank.
 */
import { Args, Command, Options } from "@effect/cli"
import type { Caller } from "@synod/state-machine"
import type { Layer } from "effect"
import { demo } from "./Demo.js"
import * as Import from "./Import.js"
import * as Reports from "./Reports.js"
import { serve } from "./Serve.js"

/** Commands reach the bank through the caller of a deployment, made from the directory that holds the books. */
export type Deployment<E, R> = (options: { readonly data: string }) => Layer.Layer<Caller.Id<"Bank">, E, R>

const data = Options.text("data").pipe(
  Options.withDescription("The directory that holds the books; made if it doesn't exist."),
  Options.withDefault("bank-data")
)

const version = "0.1.0"

/** The bank's command line on a deployment. */
export const make = <E, R>(deployment: Deployment<E, R>) => {
  const importFiles = Command.make("import", { data, ...Import.settings }, Import.runImport).pipe(
    Command.withDescription("Post the transactions of journals and tables; those posted before are not posted again."),
    Command.provide(({ data }) => deployment({ data }))
  )
  const balance = Command.make(
    "balance",
    {
      data,
      accounts: Args.text({ name: "account" }).pipe(Args.repeated)
    },
    ({ accounts }) => Reports.balance(accounts)
  ).pipe(
    Command.withDescription("Show balances in the layout of hledger balance."),
    Command.provide(({ data }) => deployment({ data }))
  )
  const statement = Command.make("statement", { data, account: Args.text({ name: "account" }) }, ({ account }) =>
    Reports.statement(account)
  ).pipe(
    Command.withDescription("Show an account's postings and its running balance."),
    Command.provide(({ data }) => deployment({ data }))
  )
  return Command.run(
    Command.make("bank-ledger").pipe(
      Command.withDescription("A replicated double-entry ledger."),
      Command.withSubcommands([importFiles, balance, statement, Import.check, demo, serve])
    ),
    { name: "bank-ledger", version }
  )
}
