/**
 * `balance` and `statement ACCOUNT`
 */
import { Console, Effect, Option, Schema } from "effect"
import { Bank, maximumPage } from "../Bank.js"
import { AccountName, isWithin } from "../domain/AccountName.js"
import * as BalanceReport from "../report/BalanceReport.js"
import * as StatementReport from "../report/StatementReport.js"
import { CliFailure } from "./Failure.js"

const styles = Effect.gen(function* () {
  const bank = yield* Bank.client
  return new Map((yield* bank.Commodities()).map(({ commodity, style }) => [commodity, style]))
})

/** Prints the balances of all accounts, or of those at and below the ones named. */
export const balance = (accounts: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    const trial = yield* bank.TrialBalance()
    const wanted =
      accounts.length === 0
        ? trial.accounts
        : trial.accounts.filter(({ account }) => accounts.some((name) => isWithin(account, name)))
    yield* Console.log(BalanceReport.render(wanted, yield* styles))
  })

/** Prints an account's statement page by page, so that its length doesn't matter. */
export const statement = (name: string) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    const account = yield* Schema.decode(AccountName)(name).pipe(
      Effect.mapError(() => new CliFailure({ problems: [], sentence: `"${name}" is not the name of an account.` }))
    )
    const shown = yield* styles
    let after = Option.some(0)
    while (Option.isSome(after)) {
      const page = yield* bank.Statement({ account, after: after.value, limit: maximumPage })
      if (page.lines.length > 0) yield* Console.log(StatementReport.render(page.lines, shown))
      after = page.next
    }
  })
