import { assert, describe, it } from "vitest"
import * as Json from "../src/Json.js"
import * as Lines from "../src/Lines.js"

describe("Json", () => {
  it("gives equal values one text, and different ones different texts", () => {
    const texts = [
      "1",
      '"1"',
      "null",
      "[]",
      "{}",
      '{"a":1}',
      '{"a":null}',
      '["a",1]',
      '{"b":{"c":1,"d":2}}',
      '{"__proto__":1}'
    ]
    const canonical = texts.map((text) => Json.canonical(JSON.parse(text)))
    assert.strictEqual(new Set(canonical).size, texts.length)
    assert.deepStrictEqual(canonical, texts)
    assert.strictEqual(Json.canonical(JSON.parse('{"b":1,"a":{"d":2,"c":1}}')), '{"a":{"c":1,"d":2},"b":1}')
  })

  it("counts the levels of a text, and not the brackets in its strings", () => {
    const depths = ["1", "[]", '{"a":[[]]}', '["[[[", "\\"[["]', '["\\\\",[]]', "[".repeat(100_000)].map(Json.depthOf)
    assert.deepStrictEqual(depths, [0, 1, 3, 1, 2, 100_000])
  })
})

describe("Lines", () => {
  it("cuts text into lines wherever it comes in pieces, and drops those that are too long", () => {
    const text = "one\n\nlonger than eight\nthree\nexactly8\nninechars\nfour\nunfinished, and too long"
    for (let size = 1; size < text.length; size++) {
      const push = Lines.make(8)
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size)
      )
      assert.deepStrictEqual(
        pieces.flatMap(push),
        [
          { text: "one" },
          { text: "" },
          { tooLong: 17 },
          { text: "three" },
          { text: "exactly8" },
          { tooLong: 9 },
          { text: "four" }
        ],
        `in pieces of ${size}`
      )
    }
  })
})
