import { Quorum, QuorumPlanner } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { node } from "./Story.js"

const members = [1, 2, 3, 4, 5].map(node)

/** Two near, two farther, one far away, from node 1 and from each other by the difference. */
const distances = [0, 2, 40, 41, 160]
const place: QuorumPlanner.Place = {
  zones: [members.slice(0, 2), members.slice(2, 4), members.slice(4)],
  failure: () => 0.1,
  roundTrip: (a, b) => Math.abs(distances[a - 1]! - distances[b - 1]!)
}

const only = (system: Quorum.Made, of = place) => QuorumPlanner.plan(Either.getOrThrow(system), of)

describe("QuorumPlanner", () => {
  it("a majority of five tolerates two in both phases, and is there as often as the binomial says", () => {
    const [plan] = only(Quorum.majority(members))
    const expected = [3, 4, 5].reduce((sum, up) => sum + [0, 0, 0, 10, 5, 1][up]! * 0.9 ** up * 0.1 ** (5 - up), 0)
    assert.deepStrictEqual([plan!.prepare.tolerates, plan!.accept.tolerates], [2, 2])
    for (const availability of [plan!.prepare.availability, plan!.accept.availability, plan!.availability]) {
      assert.approximately(availability, expected, 1e-12)
    }
  })

  it("an accept quorum of two tolerates three, and an election then needs four", () => {
    const [plan] = only(Quorum.flexible(members, { prepare: 4, accept: 2 }))
    assert.deepStrictEqual([plan!.prepare.tolerates, plan!.accept.tolerates], [1, 3])
  })

  it("a command takes the way to the leader, and the leader's way to the last of the nearest quorum", () => {
    const certain = { ...place, failure: () => 0 }
    const [plan] = only(Quorum.majority(members), certain)
    // Node 3 waits for 4 and 2: 38 ms.
    assert.strictEqual(plan!.leader, node(3))
    assert.deepStrictEqual(Array.from(plan!.commit.values()), [40 + 38, 38 + 38, 38, 1 + 38, 120 + 38])
  })

  it("what may be down makes the rest slower", () => {
    const two = { ...place, zones: [members.slice(0, 3)] }
    const [plan] = only(Quorum.flexible(members.slice(0, 3), { prepare: 2, accept: 2 }), two)
    // Node 2 is decided by node 1, 2 ms away, or if that is down by node 3.
    const [up, down] = [0.9 * 0.9 + 0.9 * 0.1, 0.1 * 0.9]
    assert.strictEqual(plan!.leader, node(2))
    assert.approximately(plan!.commit.get(node(2))!, (up * 2 + down * 38) / (up + down), 1e-9)
  })

  it("all aboard: nobody leads in the fast rounds, and each waits for the farthest", () => {
    const [fast, slow] = only(Quorum.allAboard(members), { ...place, failure: () => 0 })
    assert.deepStrictEqual(fast!.rounds, { from: 1, through: 5 })
    assert.deepStrictEqual(slow!.rounds, { from: 6, through: undefined })
    assert.strictEqual(fast!.leader, undefined)
    assert.deepStrictEqual(Array.from(fast!.commit.values()), [160, 158, 120, 119, 160])
    assert.deepStrictEqual([fast!.prepare.tolerates, fast!.accept.tolerates], [4, 0])
  })

  it("compares all that can be made of the members, the fastest first", () => {
    const plans = QuorumPlanner.compare(place)
    const names = plans.map(({ system }) => system)
    assert.includeMembers(names, [
      "majority of 5",
      "flexible quorums (prepare 4, accept 2) of 5",
      "3 groups (prepare most of each of 3, accept most of each of 1)",
      "all aboard of 5, 5 fast rounds"
    ])
    assert.deepStrictEqual(
      plans.map(({ mean }) => mean),
      plans.map(({ mean }) => mean).sort((a, b) => a - b)
    )
  })
})
