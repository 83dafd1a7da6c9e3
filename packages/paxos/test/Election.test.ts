import { Ballot, Election, Quorum } from "@synod/paxos"
import type { Message, NodeId } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import * as Partition from "./Partition.js"
import { ballot, node } from "./Story.js"

/** Replicas whose rounds end together. Whoever campaigns leads at once if it reaches the quorums for it. */
class Electorate {
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly states = new Map<NodeId.NodeId, Election.State>()
  readonly down = new Set<NodeId.NodeId>()
  partition: Partition.Partition = Partition.none
  /** Every attempt to lead, as its ballot. */
  readonly campaigns: Array<string> = []

  constructor(
    size: number,
    readonly quorums = majority(size),
    readonly priority: (node: NodeId.NodeId) => number = () => 0
  ) {
    this.members = Array.from({ length: size }, (_, i) => node(i + 1))
    for (const id of this.members) this.restart(id)
  }

  restart(id: NodeId.NodeId) {
    this.states.set(id, Election.initial(this.states.get(id)?.leader ?? Ballot.zero))
  }

  private reaches = (a: NodeId.NodeId, b: NodeId.NodeId) =>
    !this.down.has(a) && !this.down.has(b) && this.partition(a, b) && this.partition(b, a)

  step(id: NodeId.NodeId, input: Election.Input): ReadonlyArray<Election.Action> {
    const { priority, quorums } = this
    const { actions, state } = Election.step(this.states.get(id)!, input, { self: id, quorums, priority })
    this.states.set(id, state)
    for (const action of actions) {
      if (action._tag === "Campaign") this.campaign(id, Ballot.next(action.above, id))
      if (action._tag === "HandOver") {
        this.step(action.to, { _tag: "TakeOver", message: { _tag: "TakeOver", ballot: this.states.get(id)!.claim } })
      }
      // Whoever follows a higher ballot no longer claims one.
      if (action._tag === "Follow" || action._tag === "Withdraw")
        this.step(id, { _tag: "Claim", claim: Ballot.zero, leading: false })
    }
    return actions
  }

  campaign(id: NodeId.NodeId, claim: Ballot.Ballot) {
    this.campaigns.push(Ballot.format(claim))
    const reached = this.members.filter((other) => this.reaches(id, other))
    for (const other of reached) if (other !== id) this.step(other, { _tag: "Observe", ballot: claim })
    this.step(id, { _tag: "Claim", claim, leading: this.quorums.isPrepareQuorum(claim.round, new Set(reached)) })
  }

  rounds(count: number) {
    for (let i = 0; i < count; i++) {
      const asks: Array<readonly [NodeId.NodeId, Message.Heartbeat]> = []
      for (const id of this.members) {
        if (this.down.has(id)) continue
        for (const action of this.step(id, { _tag: "Tick" })) if (action._tag === "Ask") asks.push([id, action.message])
      }
      for (const [id, message] of asks) {
        for (const other of this.members) {
          if (other === id || !this.reaches(id, other)) continue
          for (const action of this.step(other, { _tag: "Heartbeat", message })) {
            if (action._tag === "Reply") this.step(id, { _tag: "HeartbeatReply", message: action.message })
          }
        }
      }
    }
  }

  /** Those that lead and are happy with it. */
  get leaders() {
    return this.members.filter((id) => {
      const { claim, happy, leader, leading } = this.states.get(id)!
      return !this.down.has(id) && leading && happy && Ballot.equals(claim, leader)
    })
  }
}

const majority = (size: number) =>
  Either.getOrThrow(Quorum.majority(Array.from({ length: size }, (_, i) => node(i + 1))))

describe("Election", () => {
  it("calls whoever comes up to lead happy at once, though its first heartbeats came too early for the others", () => {
    const replicas = new Electorate(3)
    replicas.partition = (a, b) => a !== 3 && b !== 3
    replicas.rounds(1)
    replicas.partition = Partition.none
    replicas.campaign(node(3), ballot("1.3"))
    for (let round = 0; round < 5; round++) {
      assert.deepStrictEqual(replicas.leaders, [node(3)], `after ${round} rounds`)
      replicas.rounds(1)
    }
    assert.deepStrictEqual(replicas.campaigns, ["1.3"])
  })

  it("starts with one campaign, by the lowest node", () => {
    for (const size of [1, 2, 3, 5, 7]) {
      const replicas = new Electorate(size)
      replicas.rounds(4)
      assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[1], ["1.1"]], `${size} nodes`)
    }
  })

  it("does not disturb a leader that a quorum hears", () => {
    for (const [size, partition] of [
      [3, Partition.none],
      [3, Partition.chained(node(1), node(2))],
      [5, Partition.isolated(node(3))],
      [5, Partition.chained(node(1), node(4))],
      [5, Partition.halves([node(1), node(2), node(3)])],
      [5, Partition.star(node(1))]
    ] as const) {
      const replicas = new Electorate(size)
      replicas.rounds(5)
      replicas.partition = partition
      replicas.rounds(50)
      replicas.partition = Partition.none
      replicas.rounds(50)
      assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[1], ["1.1"]])
    }
  })

  it("replaces a leader that died within three rounds", () => {
    for (const size of [3, 5]) {
      const replicas = new Electorate(size)
      replicas.rounds(5)
      replicas.down.add(node(1))
      replicas.rounds(3)
      assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[2], ["1.1", "2.2"]])
    }
  })

  it("goes on without the lowest node when that can't lead", () => {
    const replicas = new Electorate(5)
    replicas.rounds(5)
    replicas.down.add(node(1))
    // Node 2 hears node 3 alone; 3, 4 and 5 hear each other.
    replicas.partition = (from, to) => from === to || (from !== 2 && to !== 2) || from === 3 || to === 3
    replicas.rounds(6)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[3], ["1.1", "2.3"]])
  })

  it("claims nothing after a restart", () => {
    const replicas = new Electorate(3)
    replicas.rounds(5)
    replicas.restart(node(1))
    assert.deepStrictEqual(replicas.states.get(node(1))!.claim, Ballot.zero)
    replicas.rounds(1)
    assert.deepStrictEqual(replicas.leaders, [], "what it led before is nobody's now")
    replicas.rounds(5)
    assert.strictEqual(replicas.leaders.length, 1)
  })

  it("settles when only a hub reaches a quorum (quorum loss)", () => {
    for (const hub of [1, 2, 5]) {
      const replicas = new Electorate(5)
      replicas.rounds(5)
      replicas.partition = Partition.star(node(hub))
      replicas.rounds(8)
      const { length } = replicas.campaigns
      replicas.rounds(50)
      assert.deepStrictEqual([replicas.leaders, replicas.campaigns.length], [[hub], length], `hub ${hub}`)
    }
  })

  it("settles when only a hub reaches a quorum and the leader nobody (constrained)", () => {
    const replicas = new Electorate(5)
    replicas.rounds(5)
    replicas.partition = Partition.constrained(node(3), node(1))
    replicas.rounds(8)
    const { length } = replicas.campaigns
    replicas.rounds(50)
    assert.isTrue(replicas.leaders.includes(node(3)))
    assert.strictEqual(replicas.campaigns.length, length)
    replicas.partition = Partition.none
    replicas.rounds(5)
    assert.deepStrictEqual(replicas.leaders, [3])
  })

  it("settles in a chain: the middle tells neither end to follow the other", () => {
    const replicas = new Electorate(3)
    replicas.partition = Partition.chained(node(1), node(3))
    replicas.rounds(60)
    assert.strictEqual(replicas.leaders.length, 1)
    assert.isAtMost(replicas.campaigns.length, 2)
  })

  it("campaigns only where both phases can be done", () => {
    const members = [1, 2, 3, 4, 5].map(node)
    const quorums = Either.getOrThrow(Quorum.flexible(members, { prepare: 2, accept: 4 }))
    const replicas = new Electorate(5, quorums)
    replicas.rounds(5)
    replicas.partition = Partition.halves([node(1), node(2), node(3)])
    replicas.rounds(50)
    assert.deepStrictEqual(replicas.campaigns, ["1.1"])
    replicas.partition = Partition.none
    replicas.rounds(5)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[1], ["1.1"]])
  })

  it("goes above a ballot that a neighbour promised to somebody who is gone", () => {
    const replicas = new Electorate(3)
    replicas.rounds(5)
    replicas.step(node(2), { _tag: "Observe", ballot: ballot("4.3") })
    replicas.rounds(3)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[1], ["1.1", "5.1"]])
  })

  it("is led by whoever has the highest priority, which it gets from the one that leads", () => {
    const priority = (node: NodeId.NodeId) => (node === 3 ? 2 : node === 2 ? 1 : 0)
    const replicas = new Electorate(3, majority(3), priority)
    replicas.rounds(4)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[3], ["1.3"]], "the first goes first")
    replicas.down.add(node(3))
    replicas.rounds(4)
    assert.deepStrictEqual(replicas.leaders, [2], "of those that can lead")
    replicas.down.delete(node(3))
    replicas.restart(node(3))
    replicas.rounds(Election.trial)
    assert.deepStrictEqual(replicas.leaders, [2], "it may come and go")
    replicas.rounds(3)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[3], ["1.3", "2.2", "3.3"]], "by hand-over")
    replicas.rounds(50)
    assert.strictEqual(replicas.campaigns.length, 3)
  })

  it("is not disturbed by a replica that returns with a high ballot, whether it tries to lead or not", () => {
    for (const tries of [true, false]) {
      const replicas = new Electorate(3)
      replicas.rounds(5)
      replicas.partition = Partition.isolated(node(3))
      replicas.rounds(3)
      replicas.step(node(3), { _tag: "Observe", ballot: ballot("9.3") })
      if (tries) replicas.step(node(3), { _tag: "Claim", claim: ballot("9.3"), leading: false })
      // What its proposer sends again and again comes through.
      const prepare = { _tag: "Prepare", ballot: ballot("9.3"), released: Ballot.zero } as const
      replicas.partition = Partition.none
      for (let round = 0; round < 12; round++) {
        for (const id of [1, 2]) {
          if (replicas.states.get(node(3))!.claim.round === 0) break
          assert.isFalse(Election.heeds(replicas.states.get(node(id))!, prepare), `round ${round}, node ${id}`)
        }
        replicas.rounds(1)
        assert.deepStrictEqual(replicas.leaders, [1], `round ${round}`)
      }
      assert.deepStrictEqual(replicas.campaigns, ["1.1", "10.1"], "its leader goes above")
      assert.deepStrictEqual(replicas.states.get(node(3))!.leader, ballot("10.1"))
    }
  })

  it("heeds its leader, a successor, and anybody while it hears none", () => {
    const replicas = new Electorate(3)
    replicas.rounds(5)
    const heeds = (text: string, released = "0.0") =>
      Election.heeds(replicas.states.get(node(2))!, {
        _tag: "Prepare",
        ballot: ballot(text),
        released: ballot(released)
      })
    assert.deepStrictEqual(
      [heeds("2.1"), heeds("2.3"), heeds("2.3", "1.1"), heeds("2.3", "0.1")],
      [true, false, true, false]
    )
    replicas.down.add(node(1))
    replicas.rounds(2)
    assert.isTrue(heeds("2.3"))
  })

  it("hears no answers to older rounds, and no strangers", () => {
    const replicas = new Electorate(3)
    replicas.down.add(node(2)).add(node(3))
    replicas.rounds(2)
    const reply = (from: number, round: number): Election.Input => ({
      _tag: "HeartbeatReply",
      message: {
        _tag: "HeartbeatReply",
        round,
        from: node(from),
        claim: Ballot.zero,
        leading: false,
        leader: Ballot.zero,
        happy: false,
        connected: false
      }
    })
    for (let i = 0; i < 5; i++) {
      const { round } = replicas.states.get(node(1))!
      replicas.step(node(1), reply(2, round - 1))
      replicas.step(node(1), reply(7, round))
      replicas.rounds(1)
    }
    assert.deepStrictEqual(replicas.campaigns, [])
  })

  it("takes over at once from the leader it follows, and from no other", () => {
    const replicas = new Electorate(3)
    replicas.rounds(5)
    const takeOver = (from: string): Election.Input => ({
      _tag: "TakeOver",
      message: { _tag: "TakeOver", ballot: ballot(from) }
    })
    replicas.step(node(3), takeOver("0.2"))
    assert.deepStrictEqual(replicas.campaigns, ["1.1"])
    replicas.step(node(3), takeOver("1.1"))
    replicas.rounds(3)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[3], ["1.1", "2.3"]])
    // Late or repeated, it changes nothing.
    replicas.step(node(3), takeOver("1.1"))
    replicas.step(node(2), takeOver("1.1"))
    replicas.rounds(3)
    assert.deepStrictEqual([replicas.leaders, replicas.campaigns], [[3], ["1.1", "2.3"]])
  })

  // Found by the core tier of the simulator, five replicas, seed 100758: two leaders in a ring took turns for ever.
  it("stays happy for the round in which a new leader came up, which answers of that round could not tell of", () => {
    const follower = followerOf("1.2")
    follower.hear({ from: 2, claim: "1.2", leader: "1.2", happy: true })
    follower.tick()
    assert.isTrue(follower.state().happy)
    // Node 2 answers before node 1 takes over.
    follower.hear({ from: 2, claim: "1.2", leader: "1.2", happy: true })
    follower.step({ _tag: "Observe", ballot: ballot("2.1") })
    follower.tick()
    assert.isTrue(follower.state().happy, "node 1 has had no time to say that it leads")
    follower.hear({ from: 2, claim: "0.0", leader: "2.1", happy: false })
    follower.tick()
    assert.isFalse(follower.state().happy, "node 1 has had its time")
  })

  // Found by the core tier of the simulator, five replicas, seed 101707: three replicas waited for ever.
  it("takes no replica that claims nothing for its leader, also while it knows of none", () => {
    const follower = followerOf("0.0")
    for (let i = 0; i < 3; i++) {
      follower.hear({ from: 2, claim: "0.0", leader: "0.0", happy: true })
      follower.tick()
      assert.isFalse(follower.state().happy)
    }
  })
})

/** Node 3 of three, which hears what the test says. */
const followerOf = (promised: string) => {
  const options = { self: node(3), quorums: majority(3) }
  let state = Election.initial(ballot(promised))
  const step = (input: Election.Input) => {
    state = Election.step(state, input, options).state
  }
  const hear = (reply: { from: number; claim: string; leader: string; happy: boolean }) =>
    step({
      _tag: "HeartbeatReply",
      message: {
        _tag: "HeartbeatReply",
        round: state.round,
        from: node(reply.from),
        claim: ballot(reply.claim),
        leading: reply.claim !== "0.0",
        leader: ballot(reply.leader),
        happy: reply.happy,
        connected: true
      }
    })
  return { step, hear, tick: () => step({ _tag: "Tick" }), state: () => state }
}
