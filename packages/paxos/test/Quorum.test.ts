import { Quorum } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { node } from "./Story.js"

const members = (size: number) => Array.from({ length: size }, (_, i) => node(i + 1))

const subsets = (nodes: ReadonlyArray<NodeId.NodeId>): Array<Set<NodeId.NodeId>> =>
  Array.from({ length: 2 ** nodes.length }, (_, bits) => new Set(nodes.filter((_, i) => bits & (1 << i))))

describe("Quorum", () => {
  it("a majority is more than half", () => {
    for (const [size, quorum] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
      [5, 3],
      [7, 4]
    ] as const) {
      const system = Either.getOrThrow(Quorum.majority(members(size)))
      for (const nodes of subsets(system.members)) {
        assert.strictEqual(system.isPrepareQuorum(1, nodes), nodes.size >= quorum)
        assert.strictEqual(system.isAcceptQuorum(1, nodes), nodes.size >= quorum)
      }
    }
  })

  it("nodes that are no members count for nothing", () => {
    const system = Either.getOrThrow(Quorum.majority(members(3)))
    assert.isFalse(system.isAcceptQuorum(1, new Set([node(1), node(8), node(9)])))
  })

  it("in every system that can be made each prepare quorum meets each accept quorum, and in no other", () => {
    for (let size = 1; size <= 5; size++) {
      for (let prepare = 1; prepare <= size; prepare++) {
        for (let accept = 1; accept <= size; accept++) {
          const made = Quorum.flexible(members(size), { prepare, accept })
          if (Either.isLeft(made)) {
            assert.isAtMost(prepare + accept, size)
            if (made.left._tag !== "QuorumsMiss") throw made.left
            const missed = new Set(made.left.prepare)
            assert.deepStrictEqual([missed.size, new Set(made.left.accept).size], [prepare, accept])
            assert.isFalse(
              made.left.accept.some((node) => missed.has(node)),
              "the counterexample misses"
            )
            continue
          }
          const all = subsets(made.right.members)
          const preparing = all.filter((nodes) => made.right.isPrepareQuorum(2, nodes))
          const accepting = all.filter((nodes) => made.right.isAcceptQuorum(1, nodes))
          assert.isAbove(preparing.length * accepting.length, 0)
          for (const a of preparing) {
            for (const b of accepting) assert.isTrue(Array.from(a).some((node) => b.has(node)))
          }
        }
      }
    }
  })

  it("a refusal names the two sets", () => {
    const made = Quorum.flexible(members(5), { prepare: 2, accept: 3 })
    assert.strictEqual(
      Either.getOrThrow(Either.flip(made)).message,
      "flexible quorums (prepare 2, accept 3) of 5 is not safe: the prepare quorum {1, 2} misses the accept quorum {3, 4, 5}; every two must share a node"
    )
  })

  it("members and sizes must make sense", () => {
    const reason = (made: Either.Either<unknown, Error>) => Either.getOrThrow(Either.flip(made)).message
    assert.strictEqual(reason(Quorum.majority([])), "majority of 0 can't be used: there are no members")
    assert.strictEqual(
      reason(Quorum.majority([node(1), node(2), node(1)])),
      "majority of 3 can't be used: node 1 is named twice"
    )
    for (const accept of [0, 4, 1.5, Number.NaN]) {
      assert.strictEqual(
        reason(Quorum.flexible(members(3), { prepare: 3, accept })),
        `flexible quorums (prepare 3, accept ${accept}) of 3 can't be used: a quorum of ${accept} is not between 1 and 3`
      )
    }
  })
})
