import { assert, describe, it } from "@effect/vitest"
import { ModelCheck, ReferencePaxos } from "@synod/simulator"

/** Two jugs of 3 and 5 litres, a tap and a drain: Lamport's example of a model whose counterexample is the answer. */
type Jugs = readonly [small: number, large: number]

const pours = {
  "fill the small jug": ([, large]) => [3, large],
  "fill the large jug": ([small]) => [small, 5],
  "empty the small jug": ([, large]) => [0, large],
  "empty the large jug": ([small]) => [small, 0],
  "pour small into large": ([small, large]) => [Math.max(0, small + large - 5), Math.min(5, small + large)],
  "pour large into small": ([small, large]) => [Math.min(3, small + large), Math.max(0, small + large - 3)]
} satisfies Record<string, (jugs: Jugs) => Jugs>

const jugs = (...properties: ReadonlyArray<ModelCheck.Property<Jugs>>): ModelCheck.Model<Jugs, keyof typeof pours> => ({
  name: "jugs",
  initial: [[0, 0]],
  actions: () => Object.keys(pours) as Array<keyof typeof pours>,
  next: (state, action) => {
    const next: Jugs = pours[action](state)
    return next[0] === state[0] && next[1] === state[1] ? undefined : next
  },
  width: 2,
  encode: (state) => state,
  decode: ([small, large]) => [small!, large!],
  properties,
  describeAction: (_before, action) => action,
  describeState: ([small, large]) => [`small ${small}`, `large ${large}`]
})

describe("a search", () => {
  it("sees every state once and says that there are no others", () => {
    const report = ModelCheck.check(jugs())
    assert.deepStrictEqual([report.states, report.depth, report.frontier, report.end], [16, 7, 0, "exhausted"])
    assert.deepStrictEqual(report.failures, [])
    assert.strictEqual(
      ModelCheck.summary(jugs(), report),
      "jugs: 16 distinct states, 58 transitions, depth 7; exhausted: there are no others"
    )
  })

  it("tells a shortest way to what must never be", () => {
    const model = jugs({ kind: "Always", name: "never four litres", holds: ([, large]) => large !== 4 })
    const report = ModelCheck.check(model)
    assert.strictEqual(report.end, "violated")
    assert.strictEqual(
      report.failures.map((failure) => ModelCheck.story(model, failure)).join(),
      `jugs: "never four litres" does not hold after 6 actions:
  1. fill the large jug
       large 5
  2. pour large into small
       small 3
       large 2
  3. empty the small jug
       small 0
  4. pour large into small
       small 2
       large 0
  5. fill the large jug
       large 5
  6. pour large into small
       small 3
       large 4`
    )
  })

  it("fails if what must be possible never was", () => {
    const possible = { kind: "Sometimes", name: "both are full", holds: ([a, b]: Jugs) => a + b === 8 } as const
    const impossible = { kind: "Sometimes", name: "nine litres", holds: ([a, b]: Jugs) => a + b === 9 } as const
    const model = jugs(possible, impossible)
    const { failures } = ModelCheck.check(model)
    assert.deepStrictEqual(failures, [{ _tag: "NeverHeld", property: "nine litres" }])
    assert.strictEqual(
      ModelCheck.story(model, failures[0]!),
      'jugs: "nine litres" was to hold in some state, and held in none that was seen'
    )
  })

  it("says which bound cut it, and how much it has not followed", () => {
    const byStates = ModelCheck.check(jugs(), { states: 5 })
    assert.deepStrictEqual([byStates.end, byStates.states], ["states", 5])
    assert.isAbove(byStates.frontier, 0)
    const byDepth = ModelCheck.check(jugs(), { depth: 3 })
    assert.deepStrictEqual([byDepth.end, byDepth.depth], ["depth", 3])
    assert.include(ModelCheck.summary(jugs(), byDepth), "cut by the bound on depth")
    assert.strictEqual(ModelCheck.check(jugs(), { states: 16, depth: 99 }).end, "exhausted")
  })

  it("judges the states that it begins with", () => {
    const model = jugs({ kind: "Always", name: "never empty", holds: ([a, b]) => a + b > 0 })
    const [failure] = ModelCheck.check(model).failures
    assert.include(ModelCheck.story(model, failure!), "does not hold after 0 actions")
  })
})

describe("single-decree Paxos, as Stateright counts it", () => {
  it.each([
    [1, 265],
    [2, 16_668]
  ])("with %i client(s) it has %i distinct states", (clients, states) => {
    const report = ModelCheck.check(ReferencePaxos.make({ servers: 3, clients }))
    assert.deepStrictEqual([report.states, report.end, report.failures], [states, "exhausted", []])
  })
})
