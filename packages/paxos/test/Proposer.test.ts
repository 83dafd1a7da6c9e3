import { Ballot, Invariant, Proposer, Quorum } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { accepted, ballot, entries, fetched, node, promise, rejected, tell, trimmed } from "./Story.js"

const three = Either.getOrThrow(Quorum.majority([1, 2, 3].map(node)))

/** The proposer of node 1. */
class Told {
  state: Proposer.State = Proposer.initial(Ballot.zero)
  readonly options: Proposer.Options
  constructor(options: Partial<Proposer.Options> = {}) {
    this.options = { self: node(1), quorums: three, pipeline: 4, chunk: 1000, keep: 100, patience: 2, ...options }
  }
  /** Takes an input; tells what it asks for, in order. */
  do(input: Proposer.Input): ReadonlyArray<string> {
    const { actions, state } = Proposer.step(this.state, input, this.options)
    this.state = state
    return actions.map(tell)
  }
  campaign = (above = "0.0") => this.do({ _tag: "Campaign", above: ballot(above) })
  hear = (from: number, message: Message.ToProposer) => this.do({ _tag: "Receive", from: node(from), message })
  propose = (letters: string) => this.do({ _tag: "Propose", entries: entries(letters) })
  confirm = () => this.do({ _tag: "Confirm" })
  tick = () => this.do({ _tag: "Tick" })
  capacity = () => Proposer.capacity(this.state, this.options)
}

/** Node 1 leads with ballot 1.1 over three empty acceptors, of which all have answered. */
const leader = (options: Partial<Proposer.Options> = {}) => {
  const told = new Told(options)
  told.campaign()
  for (const from of [1, 2, 3]) told.hear(from, promise("1.1", "0.0", 0))
  for (const from of [1, 2, 3]) told.hear(from, accepted("1.1", 0))
  return told
}

/** One batch all the way: proposed, accepted by all, known to all. */
const decide = (told: Told, letters: string, through: number) => {
  told.propose(letters)
  for (const from of [1, 2, 3]) told.hear(from, accepted("1.1", through, through))
}

describe("Proposer: Preparing", () => {
  it("speaks to others only when its own acceptor has made the ballot durable", () => {
    const told = new Told()
    assert.deepStrictEqual(told.campaign("3.2"), ["to 1: Prepare 4.1"])
    assert.deepStrictEqual(told.tick(), ["to 1: Prepare 4.1"])
    assert.deepStrictEqual(told.hear(1, promise("4.1", "0.0", 0)), ["to 2: Prepare 4.1", "to 3: Prepare 4.1"])
    assert.deepStrictEqual(told.hear(1, promise("4.1", "0.0", 0)), [], "a repeated promise")
    assert.deepStrictEqual(told.tick(), ["to 2: Prepare 4.1", "to 3: Prepare 4.1"])
  })

  it("leads with a prepare quorum, and joins the others as they promise", () => {
    const told = new Told()
    told.campaign()
    told.hear(1, promise("1.1", "0.0", 0))
    assert.deepStrictEqual(told.hear(2, promise("1.1", "0.0", 0)), [
      "lead 1.1, adopted through 0",
      "to 1: Accept 1.1: 0+, chosen 0",
      "to 2: Accept 1.1: 0+, chosen 0"
    ])
    assert.deepStrictEqual(told.propose("a"), ["to 1: Accept 1.1: 0+a, chosen 0", "to 2: Accept 1.1: 0+a, chosen 0"])
    assert.deepStrictEqual(told.tick(), ["to 3: Prepare 1.1"])
    assert.deepStrictEqual(told.hear(3, promise("1.1", "0.0", 0)), ["to 3: Accept 1.1: 0+a, chosen 0"])
  })

  it("adopts the log of the highest ballot, not the longest", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.1", 5))
    assert.deepStrictEqual(told.hear(2, promise("2.1", "1.2", 1)), ["to 2: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 0, "b")), [
      "lead 2.1, adopted through 1",
      "to 1: Accept 2.1: 0+b, chosen 0, adopted 1.2 through 1",
      "to 2: Accept 2.1: 1+, chosen 0, adopted 1.2 through 1"
    ])
  })

  it("adopts the longest log of the highest ballot, from its own acceptor if that has it", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.2", 2))
    assert.deepStrictEqual(told.hear(2, promise("2.1", "1.2", 3)), ["to 2: Fetch 2.1 after 0"])
    const own = new Told()
    own.campaign("1.3")
    own.hear(1, promise("2.1", "1.2", 3))
    assert.deepStrictEqual(own.hear(2, promise("2.1", "1.2", 3)), ["to 1: Fetch 2.1 after 0"])
  })

  it("fetches what is not known to be chosen, piece by piece, and asks again for a lost one", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.1", 4, 3))
    assert.deepStrictEqual(told.hear(2, promise("2.1", "1.2", 6, 1)), ["to 2: Fetch 2.1 after 3"])
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 3, "d")), ["to 2: Fetch 2.1 after 4"])
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 3, "d")), [], "a repeated piece")
    assert.deepStrictEqual(told.hear(3, fetched("2.1", 4, "xy")), [], "a piece of another log")
    assert.deepStrictEqual(told.tick(), ["to 2: Fetch 2.1 after 4"])
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 4, "efg")), [
      "lead 2.1, adopted through 6",
      "to 1: Accept 2.1: 3+def, chosen 3, adopted 1.2 through 6",
      "to 2: Accept 2.1: 6+, chosen 3, adopted 1.2 through 6"
    ])
  })

  it("adopts elsewhere when the source is silent", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.1", 1))
    told.hear(2, promise("2.1", "1.2", 6))
    assert.deepStrictEqual(told.tick(), ["to 2: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.tick(), ["to 2: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.tick(), ["to 2: Prepare 2.1", "to 3: Prepare 2.1"])
    assert.deepStrictEqual(told.hear(3, promise("2.1", "1.1", 1)), ["to 1: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 0, "uvwxyz")), [], "too late")
    assert.deepStrictEqual(told.hear(1, fetched("2.1", 0, "a"))[0], "lead 2.1, adopted through 1")
  })

  it("gives way to a higher ballot once the others are no quorum, and goes above it next time", () => {
    const told = new Told()
    told.campaign()
    told.hear(1, promise("1.1", "0.0", 0))
    assert.deepStrictEqual(told.hear(2, rejected("1.1", "5.2", "0.0", 0)), [], "nodes 1 and 3 would do")
    assert.deepStrictEqual(told.tick(), ["to 3: Prepare 1.1"])
    assert.deepStrictEqual(told.hear(3, rejected("1.1", "4.2", "0.0", 0)), ["resign to 5.2"])
    assert.deepStrictEqual(told.hear(3, promise("1.1", "0.0", 0)), [], "an answer to a ballot that was given up")
    assert.deepStrictEqual(told.campaign(), ["to 1: Prepare 6.1"])
  })

  it("ends when its election says so, and does not lead then", () => {
    const told = new Told()
    told.campaign()
    assert.deepStrictEqual(told.do({ _tag: "Withdraw" }), ["resign to 1.1"])
    assert.deepStrictEqual(told.tick(), [])
    const leading = leader()
    assert.deepStrictEqual(leading.do({ _tag: "Withdraw" }), [], "it came to something")
  })

  it("counts members only", () => {
    const told = new Told()
    told.campaign()
    told.hear(1, promise("1.1", "0.0", 0))
    assert.deepStrictEqual(told.hear(9, promise("1.1", "7.9", 5)), [])
    assert.strictEqual(told.state._tag, "Preparing")
  })
})

describe("Proposer: Leading", () => {
  it("spends one Accept an acceptor on a batch, and an empty one on its own learner", () => {
    const told = leader()
    assert.deepStrictEqual(
      told.propose("a"),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 0+a, chosen 0`)
    )
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 1)), [])
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 1)), ["to 1: Accept 1.1: 1+, chosen 1"])
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 1, 1)), [])
    assert.deepStrictEqual(told.hear(3, accepted("1.1", 1)), [])
    assert.deepStrictEqual(
      told.propose("b"),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 1+b, chosen 1`)
    )
  })

  it("tells what is chosen at the next tick, and then nothing more", () => {
    const told = leader()
    told.propose("a")
    for (const from of [1, 2, 3]) told.hear(from, accepted("1.1", 1))
    told.hear(1, accepted("1.1", 1, 1))
    assert.deepStrictEqual(
      told.tick(),
      [2, 3].map((to) => `to ${to}: Accept 1.1: 1+, chosen 1`)
    )
    told.hear(2, accepted("1.1", 1, 1))
    told.tick()
    assert.deepStrictEqual(told.tick(), ["to 3: Accept 1.1: 1+, chosen 1"], "lost, so it is told again")
    told.hear(3, accepted("1.1", 1, 1))
    assert.deepStrictEqual([told.tick(), told.tick(), told.tick()], [[], [], []])
  })

  it("proposes without waiting for what is under way, up to the pipeline", () => {
    const told = leader()
    assert.strictEqual(told.capacity(), 4)
    told.propose("a")
    assert.deepStrictEqual(
      told.propose("b"),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 1+b, chosen 0`)
    )
    assert.deepStrictEqual(
      told.propose("cd"),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 2+cd, chosen 0`)
    )
    assert.strictEqual(told.capacity(), 0)
    told.hear(2, accepted("1.1", 3))
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 4)), ["to 1: Accept 1.1: 4+, chosen 3"])
    assert.strictEqual(told.capacity(), 3)
  })

  it("goes back to where an acceptor is after a loss, once, and waits there", () => {
    const told = leader()
    for (const letter of "abc") told.propose(letter)
    told.hear(2, accepted("1.1", 1))
    assert.deepStrictEqual(told.hear(2, rejected("1.1", "1.1", "1.1", 1)), ["to 2: Accept 1.1: 1+bc, chosen 0"])
    assert.deepStrictEqual(told.hear(2, rejected("1.1", "1.1", "1.1", 1)), [], "the refusal of the next one")
    assert.deepStrictEqual(
      told.propose("d"),
      [1, 3].map((to) => `to ${to}: Accept 1.1: 3+d, chosen 0`)
    )
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 3)), ["to 2: Accept 1.1: 3+d, chosen 0"])
  })

  it("sends again after a tick without progress, and not before", () => {
    const told = leader()
    told.propose("a")
    told.hear(2, accepted("1.1", 1))
    assert.deepStrictEqual(told.tick(), [], "the answers may be on their way")
    told.propose("b")
    assert.deepStrictEqual(
      told.tick(),
      [1, 3].map((to) => `to ${to}: Accept 1.1: 0+ab, chosen 0`)
    )
    told.hear(3, accepted("1.1", 2))
    assert.deepStrictEqual(told.tick(), [
      "to 1: Accept 1.1: 0+ab, chosen 1",
      "to 2: Accept 1.1: 1+b, chosen 1",
      "to 3: Accept 1.1: 2+, chosen 1"
    ])
  })

  it("counts as votes only what was accepted at its ballot", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.2", 2))
    told.hear(2, promise("2.1", "1.2", 2))
    told.hear(1, fetched("2.1", 0, "ab"))
    assert.deepStrictEqual(told.hear(3, promise("2.1", "1.2", 2)), [
      "to 3: Accept 2.1: 2+, chosen 0, adopted 1.2 through 2"
    ])
    assert.deepStrictEqual(told.hear(2, accepted("2.1", 2)), [], "one vote; the three logs alone are none")
    assert.deepStrictEqual(told.hear(3, accepted("2.1", 2)), ["to 1: Accept 2.1: 2+, chosen 2, adopted 1.2 through 2"])
  })

  it("brings an acceptor far behind what memory no longer holds, fetched from its own, one piece at a time", () => {
    const told = leader({ keep: 1, chunk: 70 })
    for (const [i, letter] of [..."abcde"].entries()) decide(told, letter, i + 1)
    // Node 3 was replaced in our view by one that knows nothing: it says so when it refuses.
    const late = new Told({ keep: 1, chunk: 70 })
    late.campaign()
    for (const from of [1, 2]) late.hear(from, promise("1.1", "0.0", 0))
    for (const from of [1, 2]) late.hear(from, accepted("1.1", 0))
    for (const [i, letter] of [..."abcde"].entries()) {
      late.propose(letter)
      for (const from of [1, 2]) late.hear(from, accepted("1.1", i + 1, i + 1))
    }
    assert.deepStrictEqual(late.hear(3, promise("1.1", "0.0", 0)), ["to 1: Fetch 1.1 after 0"])
    assert.deepStrictEqual(late.hear(1, fetched("1.1", 0, "ab")), ["to 3: Accept 1.1: 0+ab, chosen 5"])
    assert.deepStrictEqual(late.hear(1, fetched("1.1", 0, "ab")), [], "a repeated piece")
    assert.deepStrictEqual(late.hear(3, accepted("1.1", 2, 2)), ["to 1: Fetch 1.1 after 2"])
    assert.deepStrictEqual(late.hear(1, fetched("1.1", 2, "cde")), ["to 3: Accept 1.1: 2+cd, chosen 5"])
    assert.deepStrictEqual(late.hear(3, accepted("1.1", 4, 4)), ["to 3: Accept 1.1: 4+e, chosen 5"])
  })

  it("leads on without an acceptor that has promised more, as long as the others are a quorum", () => {
    const told = leader()
    told.propose("a")
    assert.deepStrictEqual(told.hear(2, rejected("1.1", "2.3", "1.1", 0)), [])
    assert.deepStrictEqual(told.tick(), [], "it is sent nothing any more")
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 0)), [], "nor for a late answer")
    told.hear(1, accepted("1.1", 1))
    assert.include(told.hear(3, accepted("1.1", 1)).join(), "chosen 1")
    assert.deepStrictEqual(told.campaign(), ["resign to 3.1", "to 1: Prepare 3.1"], "the next ballot goes above")
  })

  it("resigns when so many acceptors have promised more that the others are no quorum", () => {
    const told = leader()
    told.propose("a")
    told.hear(2, rejected("1.1", "2.3", "1.1", 0))
    assert.deepStrictEqual(told.hear(3, rejected("1.1", "2.3", "1.1", 0)), ["resign to 2.3"])
    assert.strictEqual(told.capacity(), 0)
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 1)), [])
    assert.deepStrictEqual([told.propose("b"), told.confirm(), told.tick()], [[], [], []])
  })

  it("resigns when somebody claims more, and not for less", () => {
    const told = leader()
    assert.deepStrictEqual(told.do({ _tag: "Observe", ballot: ballot("1.1") }), [])
    assert.deepStrictEqual(told.do({ _tag: "Observe", ballot: ballot("1.2") }), ["resign to 1.2"])
  })

  it("takes no more than the pipeline holds", () => {
    assert.throws(() => leader().propose("abcde"), Invariant.InvariantBroken, "proposed within the pipeline")
  })
})

describe("Proposer: what a new leader may not do before it is in step", () => {
  /** Node 1 knows nothing, node 2 has "abcdef" of ballot 1.2, chosen through 4; node 1 leads with 2.1. */
  const behind = () => {
    const told = new Told({ keep: 1, patience: 1 })
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.1", 0))
    told.hear(2, promise("2.1", "1.2", 6, 4))
    assert.deepStrictEqual(told.hear(2, fetched("2.1", 4, "ef")), [
      "lead 2.1, adopted through 6",
      "to 2: Fetch 2.1 after 0",
      "to 2: Accept 2.1: 6+, chosen 4, adopted 1.2 through 6"
    ])
    return told
  }

  it("learning is no vote", () => {
    const told = behind()
    told.hear(2, accepted("2.1", 6, 4))
    told.hear(2, fetched("2.1", 0, "abcd"))
    assert.deepStrictEqual(told.hear(1, accepted("2.1", 4, 4)), [
      "to 1: Accept 2.1: 4+ef, chosen 4, adopted 1.2 through 6"
    ])
    assert.strictEqual(told.capacity(), 2, "two slots of the adopted log are not chosen yet")
    assert.deepStrictEqual(told.hear(1, accepted("2.1", 6, 4)), [
      "to 1: Accept 2.1: 6+, chosen 6, adopted 1.2 through 6"
    ])
  })

  it("has an acceptor get a snapshot when all who had the entries have trimmed them, from one after the other", () => {
    const told = behind()
    told.hear(2, accepted("2.1", 6, 4))
    assert.deepStrictEqual(told.hear(2, trimmed("2.1", 0, 3)), ["to 1: Behind 2.1, from 2"])
    told.hear(3, promise("2.1", "1.2", 6, 4))
    told.hear(3, accepted("2.1", 6, 4))
    told.tick()
    const asked = () => told.tick().filter((action) => action.startsWith("to 1: ") || action.includes("Fetch"))
    assert.deepStrictEqual(asked(), ["to 2: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.hear(2, trimmed("2.1", 0, 4)), ["to 3: Fetch 2.1 after 0"])
    assert.deepStrictEqual(told.hear(3, trimmed("2.1", 0, 3)), ["to 1: Behind 2.1, from 3"])
    // It has the snapshot, and what lies behind it comes as ever.
    assert.deepStrictEqual(told.hear(1, rejected("2.1", "2.1", "1.1", 4, 4)), ["to 2: Fetch 2.1 after 4"])
  })

  it("takes an answer that entries were trimmed once, however many acceptors wait for them", () => {
    const quorums = Either.getOrThrow(Quorum.majority([1, 2, 3, 4, 5].map(node)))
    const told = new Told({ keep: 1, quorums })
    told.campaign()
    for (const from of [1, 2, 3]) told.hear(from, promise("1.1", "0.0", 0))
    told.propose("abcd")
    for (const from of [1, 2, 3]) told.hear(from, accepted("1.1", 4, 4))
    const fetches = (from: number, message: Message.ToProposer) =>
      told.hear(from, message).filter((action) => action.includes("Fetch") || action.includes("Behind"))
    assert.deepStrictEqual(fetches(4, promise("1.1", "0.0", 0)), ["to 1: Fetch 1.1 after 0"])
    assert.deepStrictEqual(fetches(5, promise("1.1", "0.0", 0)), ["to 1: Fetch 1.1 after 0"])
    const next = ["to 2: Fetch 1.1 after 0", "to 2: Fetch 1.1 after 0"]
    assert.deepStrictEqual([fetches(1, trimmed("1.1", 0, 3)), fetches(1, trimmed("1.1", 0, 3))], [next, []])
  })

  it("asks nobody for entries whose log may hold others", () => {
    const told = behind()
    // Node 3 learned through 3 and has more of an older ballot behind it.
    assert.deepStrictEqual(told.hear(3, promise("2.1", "1.1", 9, 2)), ["to 2: Fetch 2.1 after 2"])
    told.hear(3, accepted("2.1", 3, 3))
    told.tick()
    assert.deepStrictEqual(
      told.tick().filter((action) => action.includes("Fetch")),
      ["to 2: Fetch 2.1 after 0", "to 2: Fetch 2.1 after 3"]
    )
    assert.deepStrictEqual(told.hear(3, fetched("2.1", 3, "xyz")), [])
  })

  it("seeks entries elsewhere when their source is silent, and gives up the lead when there is nobody else", () => {
    const told = behind()
    const asked = () => told.tick().filter((action) => action.includes("Fetch") || action.startsWith("resign"))
    assert.deepStrictEqual([asked(), asked()], [[], ["to 2: Fetch 2.1 after 0"]])
    told.hear(3, promise("2.1", "1.2", 6, 4))
    told.hear(3, accepted("2.1", 6, 4))
    assert.deepStrictEqual([asked(), asked()], [["to 2: Fetch 2.1 after 0"], ["to 3: Fetch 2.1 after 0"]])
    const alone = behind()
    let ticks = 0
    while (alone.state._tag === "Leading") {
      alone.tick()
      assert.isBelow(ticks++, 10)
    }
    assert.deepStrictEqual(alone.campaign(), ["to 1: Prepare 3.1"])
  })
})

describe("Proposer: confirming the ballot for reads", () => {
  it("takes an accept quorum that answers this round or a later one", () => {
    const told = leader()
    decide(told, "a", 1)
    assert.deepStrictEqual(
      told.confirm(),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 1+, chosen 1, confirm 1`)
    )
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 1, 1, 0)), [], "an answer to something older")
    assert.deepStrictEqual(told.hear(3, accepted("1.1", 1, 1, 1)), [])
    assert.throws(() => told.confirm(), "one round of confirmation at a time")
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 1, 1, 1)), ["confirmed 1 from slot 1"])
    told.confirm()
    assert.deepStrictEqual(told.hear(2, accepted("1.1", 1, 1, 2)), [])
    assert.deepStrictEqual(told.hear(3, accepted("1.1", 1, 1, 1)), [], "the second round needs its own answers")
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 1, 1, 2)), ["confirmed 2 from slot 1"])
  })

  it("rides on the Accepts that go out anyway", () => {
    const told = leader()
    told.confirm()
    assert.deepStrictEqual(
      told.propose("a"),
      [1, 2, 3].map((to) => `to ${to}: Accept 1.1: 0+a, chosen 0, confirm 1`)
    )
  })

  it("asks again at the next tick whoever has not answered, until a quorum has", () => {
    const told = leader()
    told.confirm()
    told.hear(2, accepted("1.1", 0, 0, 1))
    assert.deepStrictEqual(told.tick(), [])
    assert.deepStrictEqual(
      told.tick(),
      [1, 3].map((to) => `to ${to}: Accept 1.1: 0+, chosen 0, confirm 1`)
    )
    assert.deepStrictEqual(told.hear(1, accepted("1.1", 0, 0, 1)), ["confirmed 1 from slot 0"])
    assert.deepStrictEqual(told.tick(), [])
  })

  it("covers all that was adopted, chosen yet or not", () => {
    const told = new Told()
    told.campaign("1.3")
    told.hear(1, promise("2.1", "1.2", 2))
    told.hear(2, promise("2.1", "1.2", 2))
    told.hear(1, fetched("2.1", 0, "ab"))
    told.confirm()
    told.hear(2, accepted("2.1", 2, 0, 1))
    assert.deepStrictEqual(told.hear(1, accepted("2.1", 0, 0, 1)), ["confirmed 1 from slot 2"])
  })
})
