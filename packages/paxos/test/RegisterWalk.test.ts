/** Registers under a network that does what it likes, over any quorum table. */
import { Ballot, Quorum } from "@synod/paxos"
import type { NodeId, QuorumSystem } from "@synod/paxos"
import { Either, FastCheck } from "effect"
import { assert, describe, it } from "vitest"
import { Hall, patience, text, value } from "./Hall.js"
import * as Random from "./Random.js"
import { node } from "./Story.js"

const members = [1, 2, 3, 4].map(node)

const sets = FastCheck.array(FastCheck.subarray(members, { minLength: 1 }), { minLength: 1, maxLength: 3 })
const rows = FastCheck.array(FastCheck.record({ prepare: sets, accept: sets }), { minLength: 1, maxLength: 3 })

type Listed = ReadonlyArray<{
  readonly prepare: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>
  readonly accept: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>
}>

/** Rows of two rounds each. */
const tableOf = (listed: Listed) => listed.map((row, i) => ({ from: 1 + 2 * i, ...row }))

/** The table, whether it is safe or not. */
const unchecked = (listed: Listed): QuorumSystem.QuorumSystem => {
  const rowOf = (round: number) => listed[Math.min(Math.floor((round - 1) / 2), listed.length - 1)]!
  const holdsOneOf = (sets: Listed[number]["accept"], nodes: ReadonlySet<NodeId.NodeId>) =>
    sets.some((set) => set.every((node) => nodes.has(node)))
  return {
    name: "unchecked",
    members,
    changesAt: listed.slice(1).map((_, i) => 3 + 2 * i),
    isPrepareQuorum: (round, nodes) => holdsOneOf(rowOf(round).prepare, nodes),
    isAcceptQuorum: (round, nodes) => holdsOneOf(rowOf(round).accept, nodes)
  }
}

/** Members and two clients that share a number propose and read, over and over; messages get lost, repeated and late. */
const walk = (quorums: QuorumSystem.QuorumSystem, seed: number): Hall => {
  const random = Random.make(seed)
  const hall = new Hall(quorums)
  hall.online = new Set([...quorums.members, 9])
  hall.roll = random.next
  hall.reachable = () => new Set(quorums.members.filter(() => !random.chance(0.2)))
  hall.travel = () => {
    if (random.chance(0.15)) return []
    const late = () => (random.chance(0.15) ? 1 + random.below(6 * patience) : 1 + random.below(3))
    return random.chance(0.1) ? [late(), late()] : [late()]
  }
  for (let i = 0; i < 6; i++) {
    const self = random.pick([...quorums.members, node(9)])
    hall.propose(self, random.chance(0.3) ? null : `v${random.below(3)}`)
    hall.run(hall.now + random.below(12))
  }
  hall.run(hall.now + 40)
  // The network mends, and everybody is there.
  hall.travel = () => [1]
  hall.reachable = () => new Set(quorums.members)
  hall.run(hall.now + 3000)
  return hall
}

const judge = (hall: Hall): void => {
  const values = new Set(hall.decisions.map(({ value }) => value))
  assert.isAtMost(values.size, 1, `two values are decided: ${Array.from(values).join(", ")}`)
  const proposed = new Set(hall.requests.map(({ name }) => name))
  const decidedAt = Math.min(Infinity, ...hall.decisions.map(({ at }) => at))
  for (const { answer, began, name, state } of hall.requests) {
    assert.isDefined(answer, `${name} is answered`)
    if (answer === null)
      assert.isAtLeast(decidedAt, began, "nothing was decided when the read began that found nothing")
    else {
      assert.isTrue(values.has(text(answer!.value)!), "what is answered is decided")
      assert.isTrue(proposed.has(text(answer!.value)!), "what is decided was proposed")
    }
    if (answer !== null && state.value !== null && text(answer!.value) === name) {
      assert.isTrue(state.offered || hall.requests.some((other) => other.name === name && other.state.offered))
    }
  }
}

describe("registers over random tables", () => {
  it("decide one value, and it was proposed, if the table keeps the rule; two, if it does not", () => {
    const seen = { safe: 0, unsafe: 0, decided: 0, several: 0 }
    const property = FastCheck.property(rows, FastCheck.nat(), (listed, seed) => {
      const made = Quorum.table(members, tableOf(listed))
      if (Either.isRight(made)) {
        const hall = walk(made.right, seed)
        judge(hall)
        seen.safe++
        if (hall.decisions.length > 0) seen.decided++
        if (hall.decisions.length > 1) seen.several++
        return
      }
      if (made.left._tag === "QuorumsUnusable") return
      seen.unsafe++
      const { accept, acceptRound, prepare, prepareRound } = made.left
      const hall = new Hall(unchecked(listed))
      const alice = { key: "r", ballot: Ballot.make(acceptRound, node(1)), life: 1 }
      const bob = { key: "r", ballot: Ballot.make(prepareRound, node(2)), life: 2 }
      for (const id of accept) hall.deliver(id, { _tag: "Accept", ...alice, value: value("alice") })
      for (const id of prepare) {
        const promise = hall.deliver(id, { _tag: "Prepare", ...bob })
        assert.deepStrictEqual(promise, { _tag: "Promise", ballot: bob.ballot, accepted: null }, "Bob hears of nothing")
      }
      for (const id of members) hall.deliver(id, { _tag: "Accept", ...bob, value: value("bob") })
      assert.deepStrictEqual(hall.decisions.map(({ value }) => value).sort(), ["alice", "bob"])
    })
    FastCheck.assert(property, { numRuns: 6000, seed: 5 })
    assert.isAbove(seen.safe, 200, "safe tables")
    assert.isAbove(seen.unsafe, 1000, "unsafe tables")
    assert.isAbove(seen.decided, 200, "walks that decide")
    assert.isAbove(seen.several, 20, "walks in which a value is decided again by another ballot")
  })

  it("decide one value all aboard, by majorities and by unequal quorums", () => {
    let fast = 0
    const systems = [
      Quorum.allAboard(members),
      Quorum.allAboard(members, { fast: 9 }),
      Quorum.majority(members),
      Quorum.flexible(members, { prepare: 1, accept: 4 }),
      Quorum.flexible(members, { prepare: 3, accept: 2 }),
      Quorum.flexible(members, { prepare: 4, accept: 1 })
    ].map((made: Quorum.Made) => Either.getOrThrow(made))
    for (let seed = 1; seed <= 1200; seed++) {
      const system = systems[seed % systems.length]!
      const hall = walk(system, seed)
      try {
        judge(hall)
      } catch (error) {
        throw new Error(`seed ${seed}, ${system.name}`, { cause: error })
      }
      if (
        hall.decisions.some(({ ballot }) => system.changesAt[0] !== undefined && ballot.round < system.changesAt[0])
      ) {
        fast++
      }
    }
    assert.isAbove(fast, 20, "fast rounds decide")
  })
})
