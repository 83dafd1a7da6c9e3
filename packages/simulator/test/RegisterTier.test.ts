import { RegisterTier, Runs } from "@synod/simulator"
import type { Tier } from "@synod/simulator"
import { assert, describe, it } from "vitest"

const { tier } = RegisterTier

type Asked = Omit<Tier.Options, "readable">

const asked: Asked = { replicas: 3, harsh: false, rates: undefined }

/** Seeds that must not fail, with their report. */
const slice = (count: number, options: Asked) => {
  const report = Runs.run(tier, { first: 1, count }, options)
  const [failure] = report.failures
  if (failure !== undefined) {
    const { property, seed, sentence, tail } = failure
    const flags = `--tier register --replicas ${options.replicas}${options.harsh ? " --harsh" : ""}`
    throw new Error(`${property}: ${sentence}\n${tail.join("\n")}\nnpm run simulate -- ${flags} --seed ${seed} --trace`)
  }
  return report
}

describe("the register tier", () => {
  it("takes the same steps for the same seed, whether they are told or not", () => {
    const quiet = tier.run(1, { ...asked, readable: false })
    const told = tier.run(1, { ...asked, readable: true })
    assert.strictEqual(told.hash, quiet.hash)
    assert.isEmpty(quiet.lines)
    assert.isAbove(told.lines.length, 100)
    assert.notStrictEqual(quiet.hash, tier.run(2, { ...asked, readable: false }).hash)
  })

  it("survives its faults with three members, 200 seeds", { timeout: 120_000 }, () => {
    const report = slice(200, asked)
    assert.isAbove(report.operations, 100 * 200, "proposers were answered")
    assert.isEmpty(Runs.neverStruck(report, tier.rates(3)), "every fault struck")
    assert.isEmpty(Runs.neverHappened(report, tier, asked), "what should happen sometimes did")
  })

  it("survives its faults with five members, and more of them", { timeout: 120_000 }, () => {
    slice(40, { ...asked, replicas: 5 })
    slice(60, { ...asked, harsh: true })
  })
})
