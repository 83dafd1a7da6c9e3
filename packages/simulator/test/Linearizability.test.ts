import { History, Linearizability, Models } from "@synod/simulator"
import { Either, FastCheck } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { hasOrder, histories, initials, type Model, operation, references } from "./Histories.js"

const models: ReadonlyArray<Model> = ["register", "append", "lock", "bank"]

const check = (model: Model, history: History.History, budget?: Linearizability.Budget) =>
  Linearizability.check(Models.byName(model, model === "lock" ? null : initials[model]), history, budget)

describe("against all orders, tried one by one", () => {
  for (const model of models) {
    it(`${model}`, () => {
      const seen = { Linearizable: 0, NotLinearizable: 0, Unknown: 0 }
      FastCheck.assert(
        FastCheck.property(histories(model), (history) => {
          const verdict = check(model, history)
          seen[verdict._tag]++
          assert.strictEqual(verdict._tag === "Linearizable", hasOrder(references[model], initials[model], history))
        }),
        { numRuns: Number(process.env["SYNOD_RUNS"] ?? 3_000), seed: Number(process.env["SYNOD_SEED"] ?? 11) }
      )
      assert.isAbove(seen.Linearizable, 300)
      assert.isAbove(seen.NotLinearizable, 300)
      assert.strictEqual(seen.Unknown, 0)
    }, 120_000)
  }
})

describe("a verdict", () => {
  const stale = [
    operation(1, "write", 1, null, 0, 1),
    operation(2, "write", 2, null, 2, 3),
    operation(3, "write", 3, null, 4, 9),
    operation(4, "read", null, 1, 5, 6),
    operation(5, "read", null, 2, 7, 8)
  ]

  it("names the first answer that can't be, and what was under way", () => {
    const verdict = check("register", stale)
    assert(verdict._tag === "NotLinearizable")
    assert.isTrue(verdict.isFirst)
    assert.strictEqual(verdict.partition, "x")
    assert.strictEqual(verdict.culprit, stale[3])
    assert.deepStrictEqual(verdict.prefix, stale.slice(0, 2))
    assert.deepStrictEqual(verdict.window, stale.slice(2, 4))
  })

  it("gives an order, for each key", () => {
    const other = { ...operation(6, "read", null, 0, 3, 4), key: "y" }
    const verdict = check("register", [...stale.slice(0, 3), operation(5, "read", null, 2, 7, 8), other])
    assert(verdict._tag === "Linearizable")
    assert.deepStrictEqual(verdict.orders.get("y"), [other])
    assert.deepStrictEqual(
      verdict.orders.get("x")?.map(({ client }) => client),
      [1, 2, 5, 3]
    )
  })

  it("is Unknown when the budget ends first, and says which", () => {
    const bound = { configurations: 500 }
    const history = Array.from({ length: 5_000 }, (_, i) => operation(i, "write", i, null, i, i + 6))
    const verdict = Linearizability.check({ ...Models.register(0), kind: () => "updates" }, history, bound)
    assert(verdict._tag === "Unknown")
    assert.include(verdict.reason, "500 configurations")
    const late = Linearizability.check(Models.register(0), history, { isOver: () => true })
    assert(late._tag === "Unknown")
    assert.include(late.reason, "time")
  })

  it("takes calls and returns of one instant as concurrent", () => {
    const tie = [operation(1, "write", 1, null, 0, 5), operation(2, "read", null, 0, 5, 6)]
    assert.strictEqual(check("register", tie)._tag, "Linearizable")
  })

  it("needs no recursion for a hundred thousand operations", () => {
    const history = Array.from({ length: 100_000 }, (_, i) =>
      i % 2 === 0
        ? operation(0, "write", i, null, 3 * i, 3 * i + 4)
        : operation(1, "read", null, i - 1, 3 * i, 3 * i + 4)
    )
    assert.strictEqual(check("register", history)._tag, "Linearizable")
  })
})

describe("histories that others recorded", () => {
  const folder = process.env["SYNOD_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url))
  const list = `${folder}/histories/verdicts.tsv`

  if (!existsSync(list)) {
    it.skip("SKIPPED: ../shared/histories is not there, nothing is compared with its verdicts", () => undefined)
    return
  }
  const rows = readFileSync(list, "utf8").trim().split("\n")

  it(`all ${rows.length} verdicts match`, () => {
    for (const row of rows) {
      const [file, name, initial, expected] = row.split("\t") as [string, Models.Name, string, string]
      const history = Either.getOrThrow(History.parse(file, readFileSync(`${folder}/histories/${file}`, "utf8")))
      const model = Models.byName(name, initial === "" ? undefined : JSON.parse(initial))
      const verdict = Linearizability.check(model, history)
      assert.strictEqual(verdict._tag, expected === "Ok" ? "Linearizable" : "NotLinearizable", file)
    }
  })
})
