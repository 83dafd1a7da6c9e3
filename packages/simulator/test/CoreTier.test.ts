import { NodeId, QuorumSpec } from "@synod/paxos"
import { Atlas, CoreCluster, CoreSteps, CoreTier, Fault, Runs } from "@synod/simulator"
import type { Tier } from "@synod/simulator"
import { assert, describe, it } from "vitest"
import { mutants, type Mutant } from "./coreMutants.js"

const { tier } = CoreTier

const seeds = Number(process.env["SYNOD_SEEDS"] ?? 500)
const first = Number(process.env["SYNOD_SEED"] ?? 1)

type Asked = Omit<Tier.Options, "readable">

const asked: Asked = { replicas: 3, harsh: false, rates: undefined }

const replay = (seed: number, { harsh, replicas }: Asked) =>
  `npm run simulate -- --tier core --replicas ${replicas}${harsh ? " --harsh" : ""} --seed ${seed} --trace`

/** Seeds that must not fail, with their report. */
const slice = async (count: number, options: Asked, from = first) => {
  let report = Runs.empty
  for (let done = 0; done < count; done += 50) {
    // Lets the runner hear from us in long runs.
    await new Promise((resolve) => setImmediate(resolve))
    report = Runs.merge(report, Runs.run(tier, { first: from + done, count: Math.min(50, count - done) }, options))
  }
  const [failure] = report.failures
  if (failure !== undefined) {
    const { property, seed, sentence, tail } = failure
    throw new Error(`${property}: ${sentence}\n${tail.join("\n")}\n${replay(seed, options)}`)
  }
  return report
}

describe("the core tier", () => {
  it("takes the same steps for the same seed, whether they are told or not", () => {
    for (const seed of [first, first + 1, first + 2]) {
      const quiet = tier.run(seed, { ...asked, readable: false })
      const told = tier.run(seed, { ...asked, readable: true })
      assert.strictEqual(told.hash, quiet.hash, replay(seed, asked))
      assert.isEmpty(quiet.lines)
      assert.isAbove(told.lines.length, 100)
      assert.notStrictEqual(quiet.hash, tier.run(seed + 3, { ...asked, readable: false }).hash)
    }
  })

  it(`survives its faults with three replicas, ${seeds} seeds`, { timeout: 60_000 + 100 * seeds }, async () => {
    const report = await slice(seeds, asked)
    assert.isAbove(report.operations, 5 * seeds, "clients were answered")
    assert.isAbove(report.leaders, seeds, "leaders changed")
    if (seeds < 500) return
    assert.isEmpty(Runs.neverStruck(report, tier.rates(3)), "every fault struck")
    assert.isEmpty(Runs.neverHappened(report, tier, asked), "what should happen sometimes did")
  })

  it("survives its faults with five replicas, 200 seeds", { timeout: 60_000 }, async () => {
    const options = { ...asked, replicas: 5 }
    const report = await slice(200, options)
    assert.isEmpty(Runs.neverStruck(report, tier.rates(5)), "every fault struck")
    assert.isEmpty(Runs.neverHappened(report, tier, options), "what should happen sometimes did")
    const happened = new Map(report.sometimes)
    for (const kind of Atlas.kinds) {
      assert.isAbove(happened.get(CoreCluster.liveAgain(kind)) ?? 0, 0, `a core that was left alone: ${kind}`)
    }
  })

  it("stays safe beyond what the protocol promises to survive, 300 seeds", { timeout: 60_000 }, async () => {
    const report = await slice(300, { ...asked, harsh: true })
    assert.isAbove(new Map(report.faults).get("wipe") ?? 0, 300, "journals of whole quorums are gone")
  })

  for (const fault of tier.faults) {
    it(`can have ${fault} happen, and be survived, on its own`, async () => {
      const { unit } = Fault.faults[fault]
      // What is lost at a crash needs crashes.
      const rates: Fault.Rates = { ...(unit === "crash" ? { crash: 0.01 } : {}), [fault]: unit === "second" ? 1 : 0.1 }
      const alone = {
        ...asked,
        replicas: 5,
        rates: fault === "crash" || fault === "syncError" ? { [fault]: 0.01 } : rates
      }
      const report = await slice(10, alone)
      assert.isEmpty(Runs.neverStruck(report, alone.rates))
    })
  }

  it("says which faults were asked for and never happened", () => {
    const ring = { ...asked, rates: { ring: 1 } }
    const report = Runs.run(tier, { first: 1, count: 2 }, ring)
    assert.deepStrictEqual(Runs.neverStruck(report, ring.rates), ["ring"], "a ring of three is whole")
    assert.include(Runs.format(report, tier, ring, 1).join("\n"), "CONFIGURED AND NEVER HAPPENED: ring")
  })
})

describe("reports", () => {
  it("are the same however the seeds are spread", () => {
    const whole = Runs.run(tier, { first: 1, count: 9 }, asked)
    const parts = [7, 1, 4].map((from) => Runs.run(tier, { first: from, count: 3 }, asked))
    const merged = parts.reduce(Runs.merge, Runs.empty)
    assert.deepStrictEqual(Runs.format(merged, tier, asked, 1), Runs.format(whole, tier, asked, 1))
  })

  it("tell a seed that fails, and the end of its trace", () => {
    const broken: Tier.Tier = {
      ...tier,
      run: (seed, options) => (seed === 3 ? runMutant(mutants[1]!, seed, options.readable) : tier.run(seed, options))
    }
    const report = Runs.run(broken, { first: 1, count: 4 }, asked)
    assert.strictEqual(report.failed, 1)
    assert.strictEqual(report.failures[0]?.seed, 3)
    assert.strictEqual(report.failures[0]?.property, "durable before spoken")
    assert.isAbove(report.failures[0]?.tail.length ?? 0, 5)
  })
})

const members = [1, 2, 3].map(NodeId.make)

const runMutant = ({ steps }: Mutant, seed: number, readable: boolean) =>
  CoreCluster.run(seed, {
    founders: { voters: members, learners: [], quorums: QuorumSpec.majority },
    rates: tier.rates(3),
    harsh: false,
    readable,
    steps: { ...CoreSteps.production, ...steps }
  })

/** A mutant must be found within so many seeds. */
const enough = 2000

describe("the checkers find, within 2,000 seeds,", () => {
  for (const mutant of mutants) {
    it(`that ${mutant.name}`, { timeout: 60_000 }, async ({ annotate }) => {
      for (let seed = 1; seed <= enough; seed++) {
        const { violation } = runMutant(mutant, seed, false)
        if (violation === undefined) continue
        assert.notStrictEqual(violation.property, "no defects", violation.message)
        return void (await annotate(`seed ${seed}: ${violation.message}`))
      }
      assert.fail(`not found within ${enough} seeds`)
    })
  }
})
