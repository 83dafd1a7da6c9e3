import { NodeId, Quorum, QuorumSpec } from "@synod/paxos"
import { Either, Schema } from "effect"
import { assert, describe, it } from "vitest"

const members = (size: number) => Array.from({ length: size }, (_, i) => NodeId.make(i + 1))

const nameOf = (text: string, size: number): string =>
  Either.match(QuorumSpec.parse(text), {
    onLeft: (sentence) => sentence,
    onRight: (spec) =>
      Either.match(QuorumSpec.make(spec, members(size)), {
        onLeft: ({ message }) => message,
        onRight: ({ name }) => name
      })
  })

describe("QuorumSpec", () => {
  it("reads what people write, and makes the system of it", () => {
    assert.strictEqual(nameOf("majority", 3), "majority of 3")
    assert.strictEqual(nameOf(" flexible:prepare=4,accept=2 ", 5), "flexible quorums (prepare 4, accept 2) of 5")
    assert.strictEqual(nameOf("grid:rows=2,columns=3", 6), "grid of 2 by 3")
    assert.strictEqual(nameOf("weighted:1=2,2=1,3=1", 3), "weights 2, 1, 1 (prepare 3, accept 3)")
    assert.strictEqual(nameOf("weighted:1=2,2=1,3=1,prepare=4,accept=1", 3), "weights 2, 1, 1 (prepare 4, accept 1)")
    assert.strictEqual(
      nameOf("hierarchical:1+2+3,4+5+6,prepare=2,accept=1", 6),
      "2 groups (prepare most of each of 2, accept most of each of 1)"
    )
    assert.strictEqual(nameOf("allAboard", 3), "all aboard of 3, 3 fast rounds")
    assert.strictEqual(nameOf("allAboard:fast=10", 3), "all aboard of 3, 10 fast rounds")
    const table = { _tag: "Table", rows: [{ from: 1, prepare: [[1, 2]], accept: [[2, 3]] }] }
    assert.strictEqual(nameOf(JSON.stringify(table), 3), "table of 1 row")
  })

  it("refuses what it can't read, and says what it can", () => {
    const texts = ["", "most", "majority:of=3", "flexible:prepare=2", "flexible:prepare=2,accept=2.5", "grid:1+2"]
    for (const text of [...texts, "weighted:1=2,x", "hierarchical:1=2", "allAboard:fast=0", '{"_tag":"Table"}']) {
      const sentence = Either.getOrThrow(Either.flip(QuorumSpec.parse(text)))
      assert.match(sentence, /is no quorum system, such as majority, flexible:prepare=4,accept=2/, text)
    }
  })

  it("refuses what is not safe for the members, or not about them", () => {
    assert.strictEqual(
      nameOf("flexible:prepare=2,accept=2", 4),
      "flexible quorums (prepare 2, accept 2) of 4 is not safe: the prepare quorum {1, 2} misses the accept quorum {3, 4}; every two must share a node"
    )
    assert.match(nameOf("grid:rows=2,columns=2", 5), /2 by 2 places are not those of 5 members/)
    assert.match(nameOf("weighted:1=1,2=1", 3), /does not name node 3, a member/)
    assert.match(nameOf("weighted:1=1,2=1,3=1,4=1", 3), /names node 4, which is no member/)
    assert.match(nameOf("hierarchical:1+2,3+4", 3), /names node 4, which is no member/)
  })

  it("goes over the wire, and nothing else does", () => {
    const text = '{"_tag":"Hierarchical","groups":[[1,2],[3]],"accept":{"groups":1},"prepare":{"groups":2,"each":1}}'
    const json = Schema.parseJson(QuorumSpec.QuorumSpec)
    const spec = Schema.decodeSync(json)(text)
    assert.deepStrictEqual(Schema.decodeSync(json)(Schema.encodeSync(json)(spec)), spec)
    const many = { _tag: "Hierarchical", groups: Array.from({ length: 17 }, (_, i) => [i + 1]) }
    assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(QuorumSpec.QuorumSpec)(many)))
  })
})

describe("Quorum.roundFor", () => {
  const allAboard = Either.getOrThrow(Quorum.allAboard(members(3)))
  const two = new Set(members(2))

  it("is the next round where its quorums are there, and otherwise the first in which others will do", () => {
    assert.strictEqual(Quorum.roundFor(allAboard, 0, new Set(members(3))), 1)
    assert.strictEqual(Quorum.roundFor(allAboard, 0, two), 4, "fast rounds need everybody")
    assert.strictEqual(Quorum.roundFor(allAboard, 7, two), 8)
    assert.isUndefined(Quorum.roundFor(allAboard, 0, new Set(members(1))))
  })
})
