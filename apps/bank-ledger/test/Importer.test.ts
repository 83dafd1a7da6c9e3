import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Bank, check } from "../src/Bank.js"
import type { Overdraft } from "../src/domain/Account.js"
import * as Amount from "../src/domain/Amount.js"
import * as Importer from "../src/import/Importer.js"
import * as JournalReader from "../src/import/JournalReader.js"
import * as Plan from "../src/import/Plan.js"
import { BankTest, Books } from "./fixtures.js"

const plan = (...lines: ReadonlyArray<string>) => Plan.make([JournalReader.parse("j", `${lines.join("\n")}\n`)])[0]!

const run = (plan: Plan.Plan, overdraft: Overdraft["_tag"] = "Unlimited", keepGoing = false) =>
  Importer.run(plan, {
    keepGoing,
    overdraft: overdraft === "None" ? { _tag: "None" } : { _tag: "Unlimited" },
    onProgress: Effect.void
  })

const balances = Effect.gen(function* () {
  const bank = yield* Bank.client
  const books = yield* Books
  assert.deepStrictEqual(check(yield* books.now), [])
  return (yield* bank.TrialBalance()).accounts.map(
    ({ account, balances }) => `${account} ${balances.map((amount) => Amount.show(amount)).join(", ")}`
  )
})

const coffee = ["2026-01-31 Café", "  expenses:coffee  3.20 EUR", "  assets:cash", ""]
const rent = ["2026-02-01 Rent", "  expenses:rent  500 EUR", "  assets:bank", ""]

describe("importing again", () => {
  it.effect("posts nothing twice, and what was added to the journal once", () =>
    Effect.gen(function* () {
      const report = yield* run(plan(...coffee, ...coffee))
      assert.deepInclude(report, { posted: 2, before: 0 }, "the same coffee, twice that day")
      assert.deepInclude(yield* run(plan(...coffee, ...coffee)), { posted: 0, before: 2 })
      assert.deepInclude(yield* run(plan(...coffee, ...coffee, ...rent, ...coffee)), { posted: 2, before: 2 })
      assert.deepStrictEqual(yield* balances, [
        "assets:bank -500 EUR",
        "assets:cash -9.6 EUR",
        "expenses:coffee 9.6 EUR",
        "expenses:rent 500 EUR"
      ])
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("with other words moves no money", () =>
    Effect.gen(function* () {
      yield* run(plan(...coffee))
      const reworded = ["2026-01-31 * Café Kranich  ; reconciled", ...coffee.slice(1)]
      assert.deepInclude(yield* run(plan(...reworded)), { posted: 0, before: 1, reworded: 1, refused: [] })
      assert.deepStrictEqual(yield* balances, ["assets:cash -3.2 EUR", "expenses:coffee 3.2 EUR"])
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("goes by an id tag where there is one", () =>
    Effect.gen(function* () {
      const tagged = (header: string, amount: string) => plan(header, `  a  ${amount}`, "  b")
      assert.deepInclude(yield* run(tagged("2026-01-31 x  ; id: pay-1, note:y", "1 EUR")), { posted: 1 })
      assert.deepInclude(yield* run(tagged("2026-01-31 x  ; id: pay-1, note:y", "1 EUR")), { before: 1 })
      const { refused } = yield* run(tagged("2026-01-31 x  ; id: pay-1, note:y", "2 EUR"))
      assert.deepStrictEqual(refused.map(String), ["j:1:1: The id pay-1 was used before for something else."])
      assert.deepInclude(yield* run(tagged("2026-01-31 x  ; valid:pay-1", "1 EUR")), { posted: 1 }, "another tag")
    }).pipe(Effect.provide(BankTest))
  )
})

describe("refusals by the bank", () => {
  const earned = ["2026-01-01 Pay", "  assets:bank  400 EUR", "  equity:start", ""]
  const journal = plan(...earned, ...rent, ...["2026-02-02 Pay", "  assets:bank  200 EUR", "  equity:start"])
  const limited = Effect.gen(function* () {
    const bank = yield* Bank.client
    const equity = journal.accounts.find((account) => account === "equity:start")!
    yield* bank.OpenAccount({ account: equity, side: "Credit", overdraft: { _tag: "Unlimited" } })
  })

  it.effect("end the import where they happen", () =>
    Effect.gen(function* () {
      yield* limited
      const { refused, ...counts } = yield* run(journal, "None")
      assert.deepStrictEqual(counts, { posted: 1, before: 0, reworded: 0, left: 1 })
      assert.deepStrictEqual(refused.map(String), ["j:5:1: Account assets:bank can give 400 EUR, not 500 EUR."])
      assert.include(yield* balances, "assets:bank 400 EUR")
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("are passed over when told to keep going", () =>
    Effect.gen(function* () {
      yield* limited
      const { refused, ...counts } = yield* run(journal, "None", true)
      assert.deepStrictEqual(counts, { posted: 2, before: 0, reworded: 0, left: 0 })
      assert.lengthOf(refused, 1)
      assert.include(yield* balances, "assets:bank 600 EUR")
    }).pipe(Effect.provide(BankTest))
  )
})
