import { History } from "@synod/simulator"
import { Either, FastCheck } from "effect"
import { assert, describe, it } from "vitest"
import { histories } from "./Histories.js"

const line = '{"c":3,"k":"x","f":"write","in":4,"out":null,"call":2,"ret":9,"ok":true}'

describe("a recorder", () => {
  it("writes down what became of each call, in the order of the events", () => {
    let now = 5
    const recorder = History.recorder(() => now)
    const called = (client: number, name: string) => recorder.call({ client, key: "x", name, input: client })
    const first = called(1, "write")
    const second = called(2, "cas")
    const third = called(3, "write")
    called(4, "read")
    first.ok("yes")
    now = 9
    second.fail("no leader")
    third.unknown()
    third.ok("too late")
    const [one, two, three, four] = recorder.history() as [
      History.Operation,
      History.Operation,
      History.Operation,
      History.Operation
    ]
    assert.deepInclude(one, { client: 1, name: "write", input: 1, output: "yes", outcome: "ok", call: 5 })
    assert.deepInclude(two, { outcome: "failed", output: "no leader", ret: 9 })
    assert.deepInclude(three, { outcome: "unknown", output: null, ret: null })
    assert.deepInclude(four, { outcome: "unknown", ret: null })
    assert.isBelow(one.call, two.call, "two calls of one instant have an order")
    assert.isBelow(four.call, one.ret!)
  })
})

describe("the lines of a file", () => {
  it("carry what was recorded", () => {
    FastCheck.assert(
      FastCheck.property(histories("register"), (history) => {
        assert.deepStrictEqual(Either.getOrThrow(History.parse("some.jsonl", History.format(history))), history)
      }),
      { numRuns: 300, seed: 3 }
    )
  })

  it("may be empty, and a client that gave up knows nothing of what came after", () => {
    const text = `\n${line.replace("true", "null")}\r\n\n`
    const [operation] = Either.getOrThrow(History.parse("some.jsonl", text))
    assert.deepInclude(operation, { client: 3, outcome: "unknown", ret: null })
  })

  for (const [broken, expected] of [
    ["[]", "an operation as a JSON object"],
    ["{", "an operation as a JSON object"],
    [line.replace('"c":3', '"c":[]'), '"c"'],
    [line.replace('"k":"x"', '"k":1'), '"k"'],
    [line.replace('"f":"write"', '"f":null'), '"f"'],
    [line.replace('"call":2', '"call":"2"'), '"call"'],
    [line.replace('"ret":9', '"ret":true'), '"ret"'],
    [line.replace('"ret":9', '"ret":1'), '"ret" not before "call"'],
    [line.replace('"ret":9', '"ret":null'), 'a time in "ret"'],
    [line.replace("true", '"yes"'), '"ok"']
  ] as const) {
    it(`name the place and what was expected: ${broken}`, () => {
      const error = Either.getOrThrow(Either.flip(History.parse("some.jsonl", `${line}\n${broken}\n`)))
      assert.strictEqual(error._tag, "MalformedHistory")
      assert.include(error.message, "some.jsonl, line 2: expected ")
      assert.include(error.message, expected)
    })
  }
})
