import {
  Acceptor,
  Durable,
  Entry,
  Epoch,
  Membership,
  MembershipChange,
  NodeId,
  Proposer,
  Quorum,
  QuorumSpec
} from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import {
  accept,
  accepted,
  ballot,
  durable,
  entries,
  fetched,
  letters,
  node,
  prepare,
  promise,
  slot,
  tell
} from "./Story.js"

const members = (voters: ReadonlyArray<number>, learners: ReadonlyArray<number> = []): Membership.Membership => ({
  voters: voters.map(node),
  learners: learners.map(node),
  quorums: QuorumSpec.majority
})

const first = members([1, 2, 3])
const second = members([2, 3, 4])
const founded = Epoch.founded(first)

/** Ends epoch 1. */
const sign = Entry.stopSign(7, 1, second)

/** The acceptor of a founder: slots are chosen in epoch 1 through `chosen`. */
const make = (promised: string, accepted: string, log: ReadonlyArray<Entry.Entry>, chosen = 0) => {
  const state = { ...durable(promised, accepted, log.length, chosen), epochs: founded }
  return new Told(Acceptor.recover(state, log.slice(chosen)))
}

class Told {
  constructor(public state: Acceptor.State) {}
  hear(message: Acceptor.Input): ReadonlyArray<string> {
    return this.actions(message).map(tell)
  }
  actions(message: Acceptor.Input): ReadonlyArray<Acceptor.Action> {
    const { actions, state } = Acceptor.step(this.state, message, { keep: 100 })
    this.state = state
    return actions
  }
  lesson(after: number, bytes = 1000): Message.Learned {
    const [action] = this.actions({ _tag: "Learn", after: slot(after), bytes })
    if (action?._tag !== "Teach" || action.message._tag !== "Learned") throw new Error("it teaches nothing")
    return action.message
  }
}

/** An acceptor that has gone from epoch 1, in which it had promised 2.1, to epoch 2. */
const entered = (log = "ab") => {
  const told = make("2.1", "2.1", [...entries(log), sign])
  told.hear({ ...accept("2.1", log.length + 1, "", { chosen: log.length + 1 }) })
  return told
}

describe("Epoch", () => {
  const epochs = Epoch.next(founded, ballot("2.1"), slot(3), sign)

  it("begins behind the stop sign, and knows where each slot belongs", () => {
    assert.deepStrictEqual(epochs.present, { number: 2, after: slot(3), membership: second })
    const where = (at: number) => {
      const { at: found, through } = Epoch.at(epochs, ballot("5.2"), slot(at))
      return [found.epoch.number, found.ballot, through]
    }
    assert.deepStrictEqual(where(0), [1, ballot("2.1"), slot(3)])
    assert.deepStrictEqual(where(2), [1, ballot("2.1"), slot(3)])
    assert.deepStrictEqual(where(3), [2, ballot("5.2"), undefined])
  })

  it("forgets those of which nothing is left in the log", () => {
    assert.strictEqual(Epoch.forget(epochs, slot(2)), epochs)
    assert.deepStrictEqual(Epoch.forget(epochs, slot(3)).past, [])
  })

  it("judges messages by their epoch", () => {
    assert.deepStrictEqual(
      [1, 2, 3].map((sent) => Epoch.judge(2, sent)),
      ["late", "obey", "behind"]
    )
  })

  it("is begun by whoever led, or by the first voter", () => {
    const begins = (led: number) => [1, 2, 3, 4].filter((self) => Epoch.begins(epochs.present, node(self), led))
    assert.deepStrictEqual(begins(3), [3])
    assert.deepStrictEqual(begins(1), [2], "the old leader has no vote any more")
    assert.deepStrictEqual(begins(0), [2])
  })
})

describe("Acceptor: epochs", () => {
  it("enters the next one, durably, as soon as the stop sign is known to be chosen, and forgets its promise", () => {
    const told = make("2.1", "2.1", [...entries("ab"), sign], 1)
    assert.deepStrictEqual(told.hear(accept("2.1", 3, "", { chosen: 3 })), [
      "reply Accepted 2.1 through 3, chosen 3",
      "deliver 1+b■",
      "persist 3+, promised 0.0, 0.0 through 3, chosen 3",
      "enter epoch 2"
    ])
    assert.deepStrictEqual(Acceptor.durable(told.state).epochs.present.membership, second)
    assert.deepStrictEqual(told.hear(prepare("1.4")), [
      "persist 3+, promised 1.4, 0.0 through 3, chosen 3",
      "reply Promise 1.4: 0.0 through 3, chosen 3"
    ])
  })

  it("is in the next one still after a restart", () => {
    const { state } = entered()
    const again = Acceptor.recover(Acceptor.durable(state), [])
    assert.strictEqual(again.epochs.present.number, 2)
    assert.strictEqual(Durable.founded(first).epochs.present.number, 1)
  })

  it("tells what is chosen, never of two epochs at once, with the ballot that was promised in them", () => {
    const told = entered()
    const lesson = told.lesson(0)
    assert.deepStrictEqual([lesson.epoch, lesson.ballot, letters(lesson.entries)], [1, ballot("2.1"), "ab■"])
    assert.strictEqual(letters(told.lesson(0, 1).entries), "a", "a piece holds one entry at least")
    told.hear(prepare("1.4"))
    told.hear(accept("1.4", 3, "cd", { adopted: ["0.0", 3], chosen: 4 }))
    const next = told.lesson(3)
    assert.deepStrictEqual([next.epoch, next.ballot, letters(next.entries)], [2, ballot("1.4"), "c"], "d is not chosen")
    assert.deepStrictEqual(told.lesson(4).entries, [])
    assert.strictEqual(letters(told.lesson(1).entries), "b■")
  })

  it("says where its log begins to whoever asks for what is gone", () => {
    const told = entered()
    told.hear({ _tag: "Trim", through: slot(2) })
    assert.deepStrictEqual(told.hear({ _tag: "Learn", after: slot(1), bytes: 10 }), ["teach Unlearnable after 1"])
  })

  it("learns through the stop sign, having promised what the others had promised", () => {
    const behind = make("1.2", "1.2", entries("a"), 0)
    const lesson = entered().lesson(0)
    assert.deepStrictEqual(behind.hear({ ...lesson, entries: lesson.entries.slice(0, 2) }), [
      "persist 0+ab, promised 2.1, 1.2 through 2, chosen 2",
      "deliver 0+ab"
    ])
    assert.deepStrictEqual(behind.hear(lesson), [
      "persist 2+■, promised 2.1, 1.2 through 3, chosen 3",
      "deliver 2+■",
      "persist 3+, promised 0.0, 0.0 through 3, chosen 3",
      "enter epoch 2"
    ])
    assert.deepStrictEqual(behind.hear(lesson), [], "a lesson of an epoch that is over")
  })

  it("learns nothing behind a gap, and nothing of another epoch", () => {
    const behind = make("1.2", "0.0", [])
    const lesson = entered().lesson(0)
    assert.deepStrictEqual(behind.hear({ ...lesson, after: slot(1) }), [])
    assert.deepStrictEqual(behind.hear({ ...lesson, epoch: 2 }), [])
  })

  it("joins from nothing", () => {
    const joiner = new Told(Acceptor.recover(Durable.initial, []))
    joiner.hear(entered().lesson(0))
    assert.strictEqual(joiner.state.epochs.present.number, 2)
    assert.deepStrictEqual(joiner.lesson(0).epoch, 1, "and can hand on what it learned")
  })

  it("goes on from a snapshot of a later epoch, in that epoch, with what was promised there", () => {
    const behind = make("9.2", "9.2", entries("xyz"), 1)
    const at: Epoch.At = { epoch: { number: 3, after: slot(5), membership: first }, ballot: ballot("1.3") }
    assert.deepStrictEqual(behind.hear({ _tag: "Install", slot: slot(6), at }), [
      "persist 6+, promised 1.3, 0.0 through 6, chosen 6, trimmed 6",
      "restore 6",
      "enter epoch 3"
    ])
  })
})

const three = Either.getOrThrow(Quorum.majority([1, 2, 3].map(node)))
const options: Proposer.Options = { self: node(1), quorums: three, pipeline: 4, chunk: 1000, keep: 0, patience: 2 }

class Leader {
  state: Proposer.State = Proposer.initial(ballot("0.0"))
  constructor(readonly options: Proposer.Options) {}
  do(input: Proposer.Input): ReadonlyArray<string> {
    const { actions, state } = Proposer.step(this.state, input, this.options)
    this.state = state
    return actions.map(tell)
  }
  hear = (from: number, message: Message.ToProposer) => this.do({ _tag: "Receive", from: node(from), message })
  next = (wanted: Membership.Membership, expect = 1) =>
    MembershipChange.next(this.state, founded.present, { expect, wanted }, this.options)
  refusal = (wanted: Membership.Membership, expect?: number) =>
    Either.getOrThrow(Either.flip(this.next(wanted, expect)))._tag
}

const leading = (more: Partial<Proposer.Options> = {}) => {
  const leader = new Leader({ ...options, ...more })
  leader.do({ _tag: "Campaign", above: ballot("0.0") })
  for (const from of [1, 2]) leader.hear(from, promise("1.1", "0.0", 0))
  for (const from of [1, 2]) leader.hear(from, accepted("1.1", 0))
  return leader
}

describe("Leader: stop signs", () => {
  it("proposes nothing behind one, and tells everybody as soon as it is chosen", () => {
    const leader = leading()
    leader.do({ _tag: "Propose", entries: [...entries("a"), sign] })
    assert.strictEqual(Proposer.capacity(leader.state, leader.options), 0)
    assert.throws(() => leader.do({ _tag: "Propose", entries: entries("b") }), /nothing stands behind a stop sign/)
    leader.hear(1, accepted("1.1", 2))
    assert.deepStrictEqual(leader.hear(2, accepted("1.1", 2)), [
      "to 1: Accept 1.1: 2+, chosen 2",
      "to 2: Accept 1.1: 2+, chosen 2"
    ])
    assert.strictEqual(Proposer.capacity(leader.state, leader.options), 0, "also when it left memory")
  })

  it("finds one in the log that it adopts", () => {
    const leader = new Leader(options)
    leader.do({ _tag: "Campaign", above: ballot("1.2") })
    leader.hear(1, promise("2.1", "0.0", 0))
    leader.hear(2, promise("2.1", "1.2", 2))
    leader.hear(2, { ...fetched("2.1", 0, "a"), entries: [...entries("a"), sign] })
    assert.strictEqual(leader.state._tag, "Leading")
    assert.strictEqual(Proposer.capacity(leader.state, leader.options), 0)
    assert.strictEqual(leader.refusal(second), "Busy")
  })

  it("confirms no read once its log ends with one: the next epoch may have begun elsewhere", () => {
    const leader = leading()
    leader.do({ _tag: "Propose", entries: [sign] })
    leader.do({ _tag: "Confirm" })
    leader.hear(1, accepted("1.1", 0, 0, 1))
    assert.deepStrictEqual(leader.hear(2, accepted("1.1", 0, 0, 1)), [])
  })

  it("sends to learners, and doesn't count them", () => {
    const leader = leading({ learners: [node(4)] })
    leader.do({ _tag: "Tick" })
    leader.hear(4, promise("1.1", "0.0", 0))
    leader.hear(4, accepted("1.1", 0))
    assert.include(leader.do({ _tag: "Propose", entries: entries("a") }), "to 4: Accept 1.1: 0+a, chosen 0")
    leader.hear(1, accepted("1.1", 1))
    leader.hear(4, accepted("1.1", 1))
    assert.strictEqual(leader.state._tag === "Leading" && leader.state.chosenThrough, slot(0))
  })
})

describe("MembershipChange", () => {
  it("refuses what is late, unsafe, no change, or asked of somebody who doesn't lead", () => {
    const leader = leading()
    assert.strictEqual(leader.refusal(second, 2), "OtherEpoch")
    assert.strictEqual(leader.refusal(first), "Unchanged")
    assert.strictEqual(leader.refusal({ ...first, learners: [node(1)] }), "Unsafe")
    const quorums: QuorumSpec.QuorumSpec = { _tag: "Flexible", prepare: 1, accept: 1 }
    assert.strictEqual(leader.refusal({ ...first, quorums }), "Unsafe")
    assert.strictEqual(leader.refusal(members([])), "Unsafe")
    assert.strictEqual(new Leader(options).refusal(second), "NotLeading")
  })

  it("changes nothing before what was adopted is chosen at its own ballot", () => {
    const leader = new Leader(options)
    leader.do({ _tag: "Campaign", above: ballot("1.2") })
    leader.hear(1, promise("2.1", "0.0", 0))
    leader.hear(2, promise("2.1", "1.2", 1))
    leader.hear(2, fetched("2.1", 0, "a"))
    assert.strictEqual(leader.refusal(members([1, 2])), "Busy")
    for (const from of [1, 2]) leader.hear(from, accepted("2.1", 1))
    assert.deepStrictEqual(leader.next(members([1, 2])), Either.right(members([1, 2])))
  })

  it("has those who are to vote learn first, and then keep up", () => {
    const wanted = members([2, 3, 4])
    assert.deepStrictEqual(leading().next(wanted), Either.right(members([1, 2, 3], [4])))
    const learning = { ...founded.present, membership: members([1, 2, 3], [4]) }
    const leader = leading({ learners: [node(4)] })
    const next = () => MembershipChange.next(leader.state, learning, { expect: 1, wanted }, leader.options)
    assert.deepStrictEqual(next(), Either.left({ _tag: "Busy" }))
    leader.do({ _tag: "Tick" })
    leader.hear(4, promise("1.1", "0.0", 0))
    leader.hear(4, accepted("1.1", 0))
    assert.deepStrictEqual(next(), Either.right(wanted))
  })

  it("tells a step on the way to what is wanted from somebody else's change", () => {
    const at = (node: number) => ({ node: NodeId.make(node), address: `10.0.0.${node}:7000` })
    const wanted = { ...members([2, 3, 4, 5]), addresses: [at(4), at(5)] }
    const leads = (present: Membership.Membership) => MembershipChange.leadsTo(first, wanted, present)
    assert.isTrue(leads(wanted))
    assert.isTrue(leads({ ...members([1, 2, 3], [4, 5]), addresses: [at(4), at(5)] }))
    assert.isTrue(leads({ ...members([1, 2, 3], [5]), addresses: [at(5)] }))
    assert.isFalse(leads(members([1, 2, 3], [6])))
    assert.isFalse(leads(members([2, 3])))
    assert.isTrue(Either.isLeft(Membership.make({ ...first, addresses: [at(9)] })), "of no member")
  })
})
