/**
 * The committed sample: what the script writes, what hledger makes of it, and what the bank makes of it.
 */
import { NodeContext } from "@effect/platform-node"
import { FileSystem } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Bank, check } from "../src/Bank.js"
import * as Import from "../src/import/Import.js"
import * as Importer from "../src/import/Importer.js"
import * as Plan from "../src/import/Plan.js"
import * as CsvJournal from "../src/import/CsvJournal.js"
import * as BalanceReport from "../src/report/BalanceReport.js"
import { files, sample } from "../src/sample/generate.js"
import { BankTest, Books } from "./fixtures.js"

const directory = fileURLToPath(new URL("../sample", import.meta.url))
const main = `${directory}/bank.journal`

const hledger = (...args: ReadonlyArray<string>): string =>
  execFileSync("hledger", ["-f", main, ...args], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })

const installed = (() => {
  try {
    return hledger("--version") !== ""
  } catch {
    console.warn("SKIPPED: hledger is not installed, so the bank's balances are not held against its own.")
    return false
  }
})()

/** Posts a plan to a new bank, and gives its balances in hledger's layout. */
const balancesOf = (plan: Plan.Plan, styles = plan.styles) =>
  Effect.gen(function* () {
    assert.deepStrictEqual(plan.problems.map(String), [])
    const report = yield* Importer.run(plan, {
      keepGoing: false,
      overdraft: { _tag: "Unlimited" },
      onProgress: Effect.void
    })
    assert.deepStrictEqual(report.refused.map(String), [])
    const books = yield* Books
    assert.deepStrictEqual(check(yield* books.now), [])
    const { accounts } = yield* Effect.flatMap(Bank.client, (bank) => bank.TrialBalance())
    return { report, text: BalanceReport.render(accounts, styles) }
  })

describe("the sample", () => {
  it.effect("is what its script writes", () =>
    Effect.gen(function* () {
      const disk = yield* FileSystem.FileSystem
      const generated = yield* sample
      assert.isAtLeast(generated.transactions, 20_000)
      for (const [name, text] of files(generated)) {
        assert.isTrue(text === (yield* disk.readFileString(`${directory}/${name}`)), `${name} is as committed`)
      }
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.effect(
    "is imported, every transaction once, to the balances that hledger finds",
    () =>
      Effect.gen(function* () {
        const [plan] = yield* Import.read([main], "auto")
        const { report, text } = yield* balancesOf(plan!)
        assert.strictEqual(report.posted, plan!.transactions.length)
        assert.isAtLeast(report.posted, 20_000)
        if (installed) assert.strictEqual(`${text}\n`, hledger("balance"))
      }).pipe(Effect.provide(Layer.merge(BankTest, NodeContext.layer))),
    120_000
  )

  it.effect.skipIf(!installed)(
    "comes to the same balances by way of hledger print -O csv",
    () =>
      Effect.gen(function* () {
        const [journal] = yield* Import.read([main], "auto")
        const [plan] = Plan.make([CsvJournal.parse("sample.csv", hledger("print", "-O", "csv"))])
        const { report, text } = yield* balancesOf(plan!, journal!.styles)
        assert.strictEqual(report.posted, journal!.transactions.length)
        assert.strictEqual(`${text}\n`, hledger("balance"))
      }).pipe(Effect.provide(Layer.merge(BankTest, NodeContext.layer))),
    120_000
  )

  it.skipIf(!installed)("is accepted by hledger", () => {
    assert.strictEqual(hledger("check", "accounts", "commodities"), "")
  })
})
