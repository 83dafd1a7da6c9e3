/**
 * The command line: which commands there are, and how they reach the bank.
 */
import { Args, Command, Options } from "@effect/cli"
import type { Socket } from "@synod/replica"
import type { Caller } from "@synod/state-machine"
import type { Layer, Option } from "effect"
import { demo } from "./Demo.js"
import * as Import from "./Import.js"
import { members } from "./Members.js"
import { recover } from "./Recover.js"
import * as Reports from "./Reports.js"
import { parseMembers, serve } from "./Serve.js"

/** Commands reach the bank through the caller of a deployment: that of replicas that run, or of the books in a directory. */
export type Deployment<E, R> = (options: Place) => Layer.Layer<Caller.Id<"Bank">, E, R>

/** Where the books are. */
export interface Place {
  readonly data: string
  readonly servers: Option.Option<Socket.Members>
  readonly cluster: string
}

const data = Options.text("data").pipe(
  Options.withDescription("The directory that holds the books; made if it doesn't exist."),
  Options.withDefault("bank-data")
)

const place = {
  data,
  servers: Options.text("servers").pipe(
    Options.withDescription(
      "Replicas that run, instead of a directory: 1=127.0.0.1:7001,2=127.0.0.1:7002,…; any of them."
    ),
    Options.mapEffect(parseMembers),
    Options.optional
  ),
  cluster: Options.text("cluster").pipe(
    Options.withDescription("The name of their cluster."),
    Options.withDefault("bank")
  )
}

const follow = Options.boolean("follow").pipe(
  Options.withDescription("Go on with each line that comes, until interrupted.")
)

const after = Options.integer("after").pipe(
  Options.withDescription("The number of the last line that is known already."),
  Options.withDefault(0)
)

const version = "0.1.0"

/** The bank's command line on a deployment. */
export const make = <E, R>(deployment: Deployment<E, R>) => {
  const importFiles = Command.make("import", { ...place, ...Import.settings }, Import.runImport).pipe(
    Command.withDescription("Post the transactions of journals and tables; those posted before are not posted again."),
    Command.provide((place) => deployment(place))
  )
  const balance = Command.make(
    "balance",
    {
      ...place,
      accounts: Args.text({ name: "account" }).pipe(Args.repeated)
    },
    ({ accounts }) => Reports.balance(accounts)
  ).pipe(
    Command.withDescription("Show balances in the layout of hledger balance."),
    Command.provide((place) => deployment(place))
  )
  const statement = Command.make(
    "statement",
    { ...place, follow, after, account: Args.text({ name: "account" }) },
    ({ account, ...options }) => Reports.statement(account, options)
  ).pipe(
    Command.withDescription("Show an account's postings and its running balance."),
    Command.provide((place) => deployment(place))
  )
  return Command.run(
    Command.make("bank-ledger").pipe(
      Command.withDescription("A replicated double-entry ledger."),
      Command.withSubcommands([importFiles, balance, statement, Import.check, demo, serve, members, recover])
    ),
    { name: "bank-ledger", version }
  )
}
