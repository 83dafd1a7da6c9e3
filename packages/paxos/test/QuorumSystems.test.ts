import { Quorum, QuorumRule } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import { Either, FastCheck } from "effect"
import { assert, describe, it } from "vitest"
import { node } from "./Story.js"

type Nodes = ReadonlySet<NodeId.NodeId>

const members = (size: number) => Array.from({ length: size }, (_, i) => node(i + 1))

const subsets = (nodes: ReadonlyArray<NodeId.NodeId>): ReadonlyArray<Nodes> =>
  Array.from({ length: 2 ** nodes.length }, (_, bits) => new Set(nodes.filter((_, i) => bits & (1 << i))))

const made = (system: Quorum.Made) => Either.getOrThrow(system)
const refusal = (system: Quorum.Made) => Either.getOrThrow(Either.flip(system))

const meet = (a: Nodes, b: Nodes) => Array.from(a).some((node) => b.has(node))

/** The quorums of a phase that hold no smaller one, each as its nodes in a string. */
const smallest = ({ members }: Quorum.QuorumSystem, isQuorum: (nodes: Nodes) => boolean): ReadonlyArray<string> =>
  subsets(members)
    .filter((nodes) => isQuorum(nodes) && !Array.from(nodes).some((one) => isQuorum(without(nodes, one))))
    .map((nodes) => Array.from(nodes).join(""))
    .sort()

const without = (nodes: Nodes, one: NodeId.NodeId) => new Set(Array.from(nodes).filter((node) => node !== one))

const preparing = (system: Quorum.QuorumSystem, round = 1) =>
  smallest(system, (nodes) => system.isPrepareQuorum(round, nodes))
const accepting = (system: Quorum.QuorumSystem, round = 1) =>
  smallest(system, (nodes) => system.isAcceptQuorum(round, nodes))

/** The rule as the paper has it, over all pairs. */
const isSafe = (system: Omit<Quorum.QuorumSystem, "name" | "changesAt">, rounds: number): boolean => {
  const all = subsets(system.members)
  for (let higher = 1; higher <= rounds; higher++) {
    const prepare = all.filter((nodes) => system.isPrepareQuorum(higher, nodes))
    for (let lower = 1; lower <= higher; lower++) {
      const accept = all.filter((nodes) => system.isAcceptQuorum(lower, nodes))
      if (prepare.some((a) => accept.some((b) => !meet(a, b)))) return false
    }
  }
  return true
}

const sets = FastCheck.array(FastCheck.subarray(members(4), { minLength: 1 }), { minLength: 1, maxLength: 3 })
const rows = FastCheck.array(FastCheck.record({ prepare: sets, accept: sets }), { minLength: 1, maxLength: 3 })

describe("Quorum: the rule", () => {
  it("holds of a random table if and only if the table can be made, and a refusal shows two sets that miss", () => {
    let safe = 0
    const property = FastCheck.property(rows, (listed) => {
      const table = listed.map((row, i) => ({ from: i + 1, ...row }))
      const holdsOneOf = (sets: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>, nodes: Nodes) =>
        sets.some((set) => set.every((node) => nodes.has(node)))
      const system = {
        members: members(4),
        isPrepareQuorum: (round: number, nodes: Nodes) => holdsOneOf(listed[round - 1]!.prepare, nodes),
        isAcceptQuorum: (round: number, nodes: Nodes) => holdsOneOf(listed[round - 1]!.accept, nodes)
      }
      const made = Quorum.table(members(4), table)
      assert.strictEqual(Either.isRight(made), isSafe(system, listed.length))
      if (Either.isRight(made)) return void safe++
      const miss = made.left
      if (miss._tag !== "QuorumsMiss") throw miss
      assert.isTrue(system.isPrepareQuorum(miss.prepareRound, new Set(miss.prepare)))
      assert.isTrue(system.isAcceptQuorum(miss.acceptRound, new Set(miss.accept)))
      assert.isAtMost(miss.acceptRound, miss.prepareRound)
      assert.isFalse(meet(new Set(miss.prepare), new Set(miss.accept)))
    })
    FastCheck.assert(property, { seed: 20261121, numRuns: 2000 })
    assert.isAbove(safe, 100, "some tables are safe")
  })

  it("names the rounds of sets that miss each other", () => {
    const [a, b, c] = members(3) as [NodeId.NodeId, NodeId.NodeId, NodeId.NodeId]
    const table = Quorum.table(members(3), [
      { from: 1, prepare: [[a], [b], [c]], accept: [[a, b, c]] },
      { from: 4, prepare: [[a, b]], accept: [[b]] },
      { from: 9, prepare: [[a, c]], accept: [[a, c]] }
    ])
    assert.strictEqual(
      refusal(table).message,
      "table of 3 rows is not safe: the prepare quorum {1, 3} of round 9 misses the accept quorum {2} of round 4; every two must share a node"
    )
  })

  it("is checked for a predicate of one's own, which must be one of quorums", () => {
    const [a, b] = members(3) as [NodeId.NodeId, NodeId.NodeId, NodeId.NodeId]
    const own = (isPrepareQuorum: (nodes: Nodes) => boolean, isAcceptQuorum = isPrepareQuorum) =>
      Quorum.make({
        name: "mine",
        members: members(3),
        isPrepareQuorum: (_round, nodes) => isPrepareQuorum(nodes),
        isAcceptQuorum: (_round, nodes) => isAcceptQuorum(nodes)
      })
    // A primary with either of two others, as any node may take over with all of them.
    assert.deepStrictEqual(
      accepting(
        made(
          own(
            (nodes) => nodes.size === 3,
            (nodes) => nodes.has(a) && nodes.size > 1
          )
        )
      ),
      ["12", "13"]
    )
    assert.strictEqual(
      refusal(own(() => false)).message,
      "mine can't be used: in round 1 all members together are no prepare quorum"
    )
    assert.strictEqual(
      refusal(own(() => true)).message,
      "mine can't be used: in round 1 nobody at all is a prepare quorum"
    )
    assert.strictEqual(
      refusal(own((nodes) => nodes.size === 3 || (nodes.size === 1 && nodes.has(b)))).message,
      "mine can't be used: in round 1 {2} is a prepare quorum and {1, 2} is none"
    )
  })

  it("is checked for no more members than that takes a moment", () => {
    const wide = Quorum.weighted(new Map(members(QuorumRule.most + 1).map((node) => [node, 1])))
    assert.include(refusal(wide).message, "it has 17 members, and 16 can be checked")
  })
})

describe("Quorum: systems", () => {
  it("grid: rows prepare, columns accept", () => {
    const system = made(Quorum.grid(members(6), { rows: 2, columns: 3 }))
    assert.deepStrictEqual(
      [preparing(system), accepting(system)],
      [
        ["123", "456"],
        ["14", "25", "36"]
      ]
    )
    assert.strictEqual(
      refusal(Quorum.grid(members(5), { rows: 2, columns: 3 })).message,
      "grid of 2 by 3 can't be used: 2 by 3 places are not those of 5 members"
    )
  })

  it("weighted: more than half of the weight, or what is asked for", () => {
    const weights = new Map([
      [node(1), 3],
      [node(2), 1],
      [node(3), 1],
      [node(4), 0]
    ])
    assert.deepStrictEqual(accepting(made(Quorum.weighted(weights))), ["1"])
    assert.deepStrictEqual(accepting(made(Quorum.weighted(weights, { accept: 4 }))), ["12", "13"])
    assert.strictEqual(
      refusal(Quorum.weighted(weights, { prepare: 2, accept: 3 })).message,
      "weights 3, 1, 1, 0 (prepare 2, accept 3) is not safe: the prepare quorum {2, 3} misses the accept quorum {1}; every two must share a node"
    )
    assert.include(refusal(Quorum.weighted(new Map([[node(1), 0.5]]))).message, "the weight of node 1, 0.5")
  })

  it("hierarchical: most of most of the groups, or what is asked for", () => {
    const groups = [members(3), [node(4)], [node(5)]]
    assert.deepStrictEqual(accepting(made(Quorum.hierarchical(groups))), [
      "124",
      "125",
      "134",
      "135",
      "234",
      "235",
      "45"
    ])
    const near = made(Quorum.hierarchical(groups, { prepare: { groups: 3 }, accept: { groups: 1 } }))
    assert.deepStrictEqual([preparing(near)[0], accepting(near)], ["1245", ["12", "13", "23", "4", "5"]])
    assert.include(
      refusal(Quorum.hierarchical(groups, { prepare: { groups: 2 }, accept: { groups: 1 } })).message,
      "the prepare quorum {4, 5} misses the accept quorum {1, 2}"
    )
    assert.include(refusal(Quorum.hierarchical([members(2), members(1)])).message, "node 1 is named twice")
  })

  it("all aboard: one prepares and all accept in the fast rounds, then majorities", () => {
    const system = made(Quorum.allAboard(members(3), { fast: 9 }))
    for (const round of [1, 9])
      assert.deepStrictEqual([preparing(system, round), accepting(system, round)], [["1", "2", "3"], ["123"]])
    assert.deepStrictEqual(
      [preparing(system, 10), accepting(system, 10)],
      [
        ["12", "13", "23"],
        ["12", "13", "23"]
      ]
    )
    assert.deepStrictEqual(made(Quorum.allAboard(members(5))).changesAt, [6])
    assert.include(refusal(Quorum.allAboard(members(3), { fast: 0 })).message, "there is no fast round")
  })

  it("table: its rows, in order, from round 1 on", () => {
    const row = { prepare: [members(2)], accept: [members(2)] }
    const system = made(
      Quorum.table(members(3), [
        { from: 1, ...row },
        { from: 3, prepare: [members(3)], accept: [members(1)] }
      ])
    )
    assert.deepStrictEqual([accepting(system, 2), accepting(system, 3), accepting(system, 99)], [["12"], ["1"], ["1"]])
    const reason = (...rows: ReadonlyArray<Quorum.Row>) => refusal(Quorum.table(members(3), rows)).message
    assert.include(reason(), "its first row does not begin with round 1")
    assert.include(
      reason({ from: 1, ...row }, { from: 1, ...row }),
      "the rounds at which it changes, 1, do not ascend from 2 on"
    )
    assert.include(
      reason({ from: 1, prepare: [[node(9)]], accept: [] }),
      "the row from round 1 on names node 9, which is no member"
    )
  })
})
