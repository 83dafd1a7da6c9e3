import { type History, Linearizability, Models } from "@synod/simulator"
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
