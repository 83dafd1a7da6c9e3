import { Ballot } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { ballot, node } from "./Story.js"

describe("Ballot", () => {
  it("orders by round, then by node: 1.1 < 1.2 < 2.1 (K1)", () => {
    const rising = ["0.0", "1.1", "1.2", "2.1", "2.10", "10.1"].map(ballot)
    for (const [i, a] of rising.entries()) {
      for (const [j, b] of rising.entries()) {
        assert.strictEqual(Ballot.order(a, b), Math.sign(i - j))
        assert.strictEqual(Ballot.lessThan(a, b), i < j)
        assert.strictEqual(Ballot.greaterThan(a, b), i > j)
        assert.strictEqual(Ballot.equals(a, b), i === j)
        assert.deepStrictEqual(Ballot.max(a, b), i < j ? b : a)
      }
    }
  })

  it("two nodes never make the same one, and one never makes a lower one", () => {
    assert.deepStrictEqual(Ballot.next(ballot("3.2"), node(1)), ballot("4.1"))
    assert.deepStrictEqual(Ballot.next(ballot("3.2"), node(2)), ballot("4.2"))
    assert.deepStrictEqual(Ballot.next(Ballot.zero, node(3)), ballot("1.3"))
  })

  it("is written round.node", () => {
    assert.strictEqual(Ballot.format(ballot("12.3")), "12.3")
    assert.strictEqual(Ballot.format(Ballot.zero), "0.0")
  })
})
