/**
 * `balance` and `statement ACCOUNT`
 */
import { Consistency } from "@synod/state-machine"
import { Console, Effect, Option, Schema, Stream } from "effect"
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

/**
 * Prints an account's statement after a line, page by page, so that its length doesn't matter; and if it is to be followed, each
 * line that comes, until it is interrupted. Lines are numbered and only ever added, so their numbers say where to go on.
 */
export const statement = (name: string, options: { readonly after: number; readonly follow: boolean }) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    const account = yield* Schema.decode(AccountName)(name).pipe(
      Effect.mapError(() => new CliFailure({ problems: [], sentence: `"${name}" is not the name of an account.` }))
    )
    let shown = options.after
    const print = Effect.gen(function* () {
      const look = yield* styles
      for (let next = Option.some(shown); Option.isSome(next);) {
        const page = yield* bank.Statement({ account, after: next.value, limit: maximumPage })
        if (page.lines.length > 0) yield* Console.log(StatementReport.render(page.lines, look))
        shown = page.lines.at(-1)?.number ?? shown
        next = page.next
      }
    })
    if (!options.follow) return yield* print
    yield* bank.follow.Lines({ account }).pipe(
      Stream.mapEffect(({ exit, slot }) => Effect.map(exit, (lines) => ({ lines, slot }))),
      Stream.runForEach(({ lines, slot }) => (lines > shown ? Consistency.atLeast(slot)(print) : Effect.void)),
      Effect.tapErrorTag("Unavailable", () =>
        Console.error(`Line ${shown} was the last one; --after ${shown} goes on behind it.`)
      )
    )
  })
