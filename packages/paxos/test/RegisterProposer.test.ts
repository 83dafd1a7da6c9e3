import { Ballot, Quorum, RegisterAcceptor, StateTable } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { Hall, patience, text, value } from "./Hall.js"
import { node } from "./Story.js"

const members = (count: number) => Array.from({ length: count }, (_, i) => node(i + 1))
const made = (system: Quorum.Made) => Either.getOrThrow(system)
const majority = (count: number) => Either.getOrThrow(Quorum.majority(members(count)))
const answers = (hall: Hall) => hall.requests.map(({ answer }) => text(answer?.value))
const without = (hall: Hall, ...ids: ReadonlyArray<number>) => new Set(hall.members.filter((id) => !ids.includes(id)))

describe("RegisterProposer", () => {
  it("decides in two round trips, and tells all acceptors", () => {
    const hall = new Hall(majority(3))
    const alice = hall.propose(1, "alice")
    hall.run()
    assert.strictEqual(text(alice.answer?.value), "alice")
    assert.strictEqual(alice.took, 4)
    assert.deepStrictEqual(
      [1, 2, 3].map((id) => hall.held(id)),
      Array(3).fill("1.1: alice at 1.1, decided")
    )
  })

  it("proposes what it finds instead of its own value", () => {
    const hall = new Hall(majority(3))
    hall.online = new Set([1, 2])
    hall.travel = (_from, to, tag) => (tag === "Decided" || (tag === "Accept" && to === 2) ? [] : [1])
    hall.propose(1, "alice")
    hall.run(patience - 1)
    assert.deepStrictEqual(hall.decisions, [], "node 1 alone holds it")
    hall.online = new Set([1, 2, 3])
    hall.travel = () => [1]
    const bob = hall.propose(2, "bob")
    hall.run(hall.now + 4)
    assert.strictEqual(text(bob.answer?.value), "alice")
    assert.isFalse(bob.state.offered, "Bob's own value was never sent to anybody")
    hall.run()
    assert.deepStrictEqual(answers(hall), ["alice", "alice"])
  })

  it("answers from any acceptor that knows, and proposes nothing", () => {
    const hall = new Hall(majority(3))
    hall.propose(1, "alice")
    hall.run()
    const bob = hall.propose(3, "bob")
    const same = hall.propose(2, "alice")
    hall.run()
    assert.deepStrictEqual([text(bob.answer?.value), bob.took, bob.state.offered], ["alice", 0, false])
    assert.strictEqual(text(same.answer?.value), "alice")
  })

  it("goes on while those who don't refuse are a quorum (K1), and gives up when they are none", () => {
    const hall = new Hall(majority(3))
    hall.deliver(node(3), { _tag: "Prepare", key: "r", ballot: Ballot.make(1, node(2)), life: 99 })
    const alice = hall.propose(1, "alice")
    hall.run(4)
    assert.deepStrictEqual(hall.refused.slice(0, 1), ["3: 1.1, promised 1.2"])
    assert.deepStrictEqual([text(alice.answer?.value), alice.pauses], ["alice", 0])
  })

  it("H6: two who undo each other's work are kept apart by pauses of different lengths", () => {
    const hall = new Hall(majority(3))
    const rolls = [0.1, 0.9, 0.4, 0.7, 0.2, 0.8]
    hall.roll = () => rolls[hall.requests.reduce((sum, { pauses }) => sum + pauses, 0) % rolls.length]!
    hall.propose(1, "alice")
    hall.propose(2, "bob")
    hall.run()
    const [a, b] = answers(hall)
    assert.isDefined(a)
    assert.strictEqual(a, b)
    assert.isAtLeast(
      hall.requests.reduce((sum, { pauses }) => sum + pauses, 0),
      1,
      "somebody had to wait"
    )
  })

  it("H1: a split vote decides nothing in its register set, and the next one decides", () => {
    const hall = new Hall(made(Quorum.allAboard(members(3))))
    for (const [i, name] of ["a", "b", "c"].entries()) {
      const [id, ballot] = [node(i + 1), Ballot.make(i + 1, node(i + 1))]
      hall.deliver(id, { _tag: "Prepare", key: "r", ballot, life: 7 })
      hall.deliver(id, { _tag: "Accept", key: "r", ballot, life: 7, value: value(name) })
    }
    assert.deepStrictEqual(hall.decisions, [])
    hall.online = without(hall, 2)
    const read = hall.propose(1, null)
    hall.run()
    assert.strictEqual(text(read.answer?.value), "c", "what those who answer have accepted in the highest set")
    assert.deepStrictEqual(
      hall.decisions.map(({ ballot, value }) => [Ballot.format(ballot), value]),
      [["4.1", "c"]]
    )
  })

  it("H2: decided in two register sets it is one value, and a client that comes when a server is lost learns it", () => {
    const pairs = [
      [1, 2],
      [2, 3],
      [1, 3]
    ]
    const rows = [
      { from: 1, prepare: [[1], [2]], accept: [[1, 2]] },
      { from: 2, prepare: [[2], [1, 3]], accept: [[2, 3]] },
      { from: 3, prepare: pairs, accept: pairs }
    ].map(({ accept, from, prepare }) => ({
      from,
      accept: accept.map((set) => set.map(node)),
      prepare: prepare.map((set) => set.map(node))
    }))
    const hall = new Hall(made(Quorum.table(members(3), rows)))
    hall.travel = (_from, _to, tag) => (tag === "Decided" ? [] : [1])
    for (const round of [1, 2]) {
      for (const id of round === 1 ? [1, 2] : [2, 3]) {
        hall.deliver(node(id), {
          _tag: "Accept",
          key: "r",
          ballot: Ballot.make(round, node(1)),
          life: 1,
          value: value("a")
        })
      }
    }
    assert.deepStrictEqual(
      hall.decisions.map(({ ballot, value }) => [ballot.round, value]),
      [
        [1, "a"],
        [2, "a"]
      ]
    )
    hall.online = new Set([2, 3])
    const read = hall.propose(3, null)
    hall.run()
    assert.strictEqual(text(read.answer?.value), "a")
  })

  it("tells apart two lives that make the same ballot", () => {
    // A prepare quorum is two of three, an accept quorum too: those of two lives may differ.
    const hall = new Hall(majority(3))
    const first = { key: "r", ballot: Ballot.make(1, node(1)), life: 1 }
    hall.deliver(node(1), { _tag: "Prepare", ...first })
    hall.deliver(node(2), { _tag: "Prepare", ...first })
    const again = hall.propose(1, "bob", 2)
    hall.run(3)
    hall.deliver(node(2), { _tag: "Accept", ...first, value: value("alice") })
    hall.run()
    assert.strictEqual(new Set(hall.decisions.map(({ value }) => value)).size, 1)
    assert.strictEqual(text(again.answer?.value), hall.decisions[0]!.value)
  })
})

describe("all aboard (H5)", () => {
  const nine = () => new Hall(made(Quorum.allAboard(members(3), { fast: 9 })))

  it("decides in one round trip from any node, while all are there", () => {
    for (const id of [1, 2, 3]) {
      const hall = nine()
      const request = hall.propose(id, `v${id}`)
      hall.run()
      assert.deepStrictEqual([text(request.answer?.value), request.took], [`v${id}`, 2])
      assert.strictEqual(hall.decisions[0]!.ballot.round, id, "a round of its own")
    }
  })

  it("takes two round trips when somebody is known to be missing, and one more wait when that is news", () => {
    const hall = nine()
    hall.online = without(hall, 3)
    hall.reachable = () => without(hall, 3)
    const known = hall.propose(1, "a")
    hall.run()
    assert.deepStrictEqual([text(known.answer?.value), known.took], ["a", 4])
    assert.strictEqual(hall.decisions[0]!.ballot.round, 10)

    const surprised = nine()
    surprised.online = without(surprised, 3)
    const news = surprised.propose(1, "a")
    surprised.run()
    assert.deepStrictEqual([text(news.answer?.value), news.took, news.pauses], ["a", patience + 4, 0])
  })

  it("leaves the fast rounds at once where its own acceptor has promised more", () => {
    const hall = nine()
    hall.deliver(node(1), { _tag: "Prepare", key: "r", ballot: Ballot.make(12, node(2)), life: 9 })
    const request = hall.propose(1, "a")
    hall.run()
    assert.deepStrictEqual([request.took, request.pauses], [4, 0])
    assert.strictEqual(hall.decisions[0]!.ballot.round, 13)
  })

  it("decides one value where all propose at once", () => {
    const hall = nine()
    for (const id of [1, 2, 3]) hall.propose(id, `v${id}`)
    let i = 0
    hall.roll = () => [0, 0.9, 0.3, 0.6][i++ % 4]!
    hall.run()
    assert.strictEqual(new Set(answers(hall)).size, 1)
    assert.isDefined(answers(hall)[0])
  })
})

describe("reads", () => {
  it("say that nothing is decided after one round trip, and move nothing", () => {
    for (const system of [majority(5), made(Quorum.allAboard(members(5)))]) {
      const hall = new Hall(system)
      hall.online = without(hall, 4, 5)
      const read = hall.propose(1, null)
      hall.run()
      assert.deepStrictEqual([read.answer, read.took], [null, 2])
      assert.deepStrictEqual(Array.from(hall.acceptors.values()), Array(5).fill(RegisterAcceptor.initial))
    }
  })

  it("see what an accept quorum holds, though nobody was told that it is decided", () => {
    const hall = new Hall(majority(3))
    hall.travel = (_from, _to, tag) => (tag === "Decided" ? [] : [1])
    hall.online = without(hall, 3)
    hall.propose(1, "a")
    hall.run()
    hall.online = new Set(hall.members)
    hall.travel = () => [1]
    const read = hall.propose(3, null)
    hall.run()
    assert.deepStrictEqual([text(read.answer?.value), read.took], ["a", 2])
    assert.deepStrictEqual(
      Array.from(hall.acceptors.values(), ({ decided }) => decided),
      [true, true, true],
      "all have caught up"
    )
  })

  it("finish what was begun, as a read that saw it must not be followed by one that doesn't", () => {
    const hall = new Hall(majority(3))
    hall.deliver(node(2), { _tag: "Accept", key: "r", ballot: Ballot.make(1, node(1)), life: 5, value: value("a") })
    hall.online = without(hall, 1)
    const read = hall.propose(3, null)
    hall.run()
    assert.strictEqual(text(read.answer?.value), "a")
    assert.strictEqual(hall.decisions[0]?.value, "a")
  })

  it("ask others at once, all aboard, for what only they hold", () => {
    const hall = new Hall(made(Quorum.allAboard(members(3), { fast: 9 })))
    hall.deliver(node(2), { _tag: "Accept", key: "r", ballot: Ballot.make(2, node(2)), life: 5, value: value("a") })
    hall.online = without(hall, 1)
    const read = hall.propose(3, null)
    hall.run()
    assert.deepStrictEqual([text(read.answer?.value), read.took, read.pauses], ["a", patience + 4, 0])
  })

  it("don't take their own empty acceptor for an empty register, all aboard", () => {
    const hall = new Hall(made(Quorum.allAboard(members(3))))
    hall.travel = (_from, _to, tag) => (tag === "Decided" ? [] : [1])
    hall.online = without(hall, 3)
    hall.reachable = () => hall.online as ReadonlySet<(typeof hall.members)[number]>
    hall.propose(1, "a")
    hall.run()
    hall.online = without(hall, 1)
    const read = hall.propose(3, null)
    hall.run()
    assert.strictEqual(text(read.answer?.value), "a")
  })
})

describe("StateTable", () => {
  it("shows what is written, blocked, open, decided, no longer known and not to be had", () => {
    const hall = new Hall(majority(4))
    const at = (round: number, id: number, what: string, ...to: ReadonlyArray<number>) => {
      for (const each of to) {
        hall.deliver(node(each), {
          _tag: "Accept",
          key: "r",
          ballot: Ballot.make(round, node(id)),
          life: id,
          value: value(what)
        })
      }
    }
    at(1, 1, "a", 1)
    at(2, 2, "b", 1, 2, 3)
    hall.deliver(node(2), { _tag: "Prepare", key: "r", ballot: Ballot.make(3, node(3)), life: 3 })
    const held = new Map(
      [2, 3, 4].map((id) => {
        const reply = hall.deliver(node(id), { _tag: "Inspect", key: "r" })
        assert.strictEqual(reply?._tag, "Held")
        return [node(id), reply as Extract<typeof reply, { _tag: "Held" }>] as const
      })
    )
    at(1, 4, "d", 4)
    const four = hall.deliver(node(4), { _tag: "Inspect", key: "r" })
    assert.strictEqual(four?._tag, "Held")
    held.set(node(4), four as Extract<typeof four, { _tag: "Held" }>)
    const label = (value: Uint8Array) => text(value)!
    assert.deepStrictEqual(StateTable.format(StateTable.make("r", hall.quorums, held), label), [
      "r    node 1  node 2  node 3  node 4",
      "1.4  ?       …       …       d",
      "2.2  ?       b       b       -",
      "3.3  ?       -       -       -"
    ])
    const one = hall.deliver(node(1), { _tag: "Inspect", key: "r" })
    held.set(node(1), one as Extract<typeof four, { _tag: "Held" }>)
    const table = StateTable.make("r", hall.quorums, held)
    assert.deepStrictEqual(StateTable.format(table, label), [
      "r    node 1  node 2  node 3  node 4",
      "1.4  …       …       …       d",
      "2.2  [b]     [b]     [b]     -",
      "3.3  -       -       -       -"
    ])
    assert.strictEqual(text(table.decided), "b")
  })
})
