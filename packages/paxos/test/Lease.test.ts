/** Grants of acceptors, and a leader that relies on them: with times that come in as inputs. */
import { Acceptor, Ballot, Durable, Lease, Proposer, Quorum } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { Either } from "effect"
import { assert, describe, it } from "vitest"
import { accept, accepted, ballot, durable, entries, node, prepare, promise, tell } from "./Story.js"

const grant = 400
const terms = Lease.terms(grant, 0.1)
const five = Either.getOrThrow(Quorum.majority([1, 2, 3, 4, 5].map(node)))

/** Anybody may lead; all of them are to accept. */
const alone = Either.getOrThrow(Quorum.flexible([1, 2, 3, 4, 5].map(node), { prepare: 1, accept: 5 }))

describe("Lease", () => {
  it("ends before its grants do, by whatever clocks that keep to the drift", () => {
    for (const drift of [0, 0.001, 0.1, 0.5]) {
      const { term } = Lease.terms(1_000, drift)
      // The longest that the leader's clock may make of it, and the shortest that the acceptor's may.
      assert.isAtMost(term / (1 - drift), 1_000 / (1 + drift) + 1e-9, `drift ${drift}`)
    }
    assert.strictEqual(Lease.terms(1_000, 0).term, 1_000)
  })

  it("counts from when the round was asked for that was granted, not from a later one", () => {
    const asked = Lease.asked(Lease.none, 1, 100)
    const granted = Lease.granted(asked, 1)
    assert.isFalse(Lease.holds(asked, terms, 100), "nothing was granted yet")
    assert.isTrue(Lease.holds(granted, terms, 100 + terms.term - 1))
    assert.isFalse(Lease.holds(granted, terms, 100 + terms.term))
    assert.strictEqual(Lease.granted(granted, 1), granted, "said twice")
    const renewing = Lease.asked(granted, 2, 300)
    assert.strictEqual(Lease.granted(renewing, 1), renewing, "said once more")
    assert.isTrue(Lease.holds(renewing, terms, 100 + terms.term - 1))
    assert.isFalse(Lease.holds(renewing, terms, 100 + terms.term))
  })

  it("is due when half of it is over", () => {
    const granted = Lease.granted(Lease.asked(Lease.none, 1, 100), 1)
    assert.isTrue(Lease.isDue(Lease.none, terms, 0))
    assert.isFalse(Lease.isDue(granted, terms, 100 + terms.term / 2 - 1))
    assert.isTrue(Lease.isDue(granted, terms, 100 + terms.term / 2))
    assert.isFalse(Lease.isDue({ ...granted, released: true }, terms, 1_000))
  })
})

describe("Acceptor: grants", () => {
  /** It promised 1.1, and hears messages at times of its own clock. */
  const make = (options: Acceptor.Options = { keep: 100, grant }, grantedUntil = 0) => {
    let state = Acceptor.recover(durable("1.1", "1.1", 1, 0), entries("a"), grantedUntil)
    return (now: number, message: Acceptor.Input): ReadonlyArray<string> => {
      const next = Acceptor.step(state, message, options, now)
      state = next.state
      return next.actions.map(tell)
    }
  }
  const refused = ["refuse"]
  const after = (released: string): Message.Prepare => ({ ...prepare("2.2"), released: ballot(released) })

  it("bind it from when it answered, for as long as they last", () => {
    const hear = make()
    hear(100, accept("1.1", 1, "", { confirm: 1 }))
    assert.deepStrictEqual(hear(499, prepare("2.2")), refused)
    assert.include(hear(500, prepare("2.2")).join(), "Promise 2.2")
  })

  it("are prolonged by each new round of their leader, and by nothing else", () => {
    const hear = make()
    hear(100, accept("1.1", 1, "", { confirm: 1 }))
    hear(300, accept("1.1", 1, "", { confirm: 2 }))
    hear(400, accept("1.1", 1, "", { confirm: 2 }))
    hear(410, accept("1.1", 1, "", { confirm: 1 }))
    hear(420, accept("1.1", 1, ""))
    hear(450, accept("0.3", 1, "", { confirm: 3 }))
    assert.deepStrictEqual(hear(699, prepare("2.2")), refused)
    assert.include(hear(700, prepare("2.2")).join(), "Promise 2.2")
  })

  it("don't stand in the way of the leader itself, nor of whom it hands over to", () => {
    const itself = make()
    itself(100, accept("1.1", 1, "", { confirm: 1 }))
    assert.include(itself(101, prepare("3.1")).join(), "Promise 3.1")
    const successor = make()
    successor(100, accept("1.1", 1, "", { confirm: 1 }))
    assert.deepStrictEqual(successor(101, after("1.3")), refused, "another leader's")
    assert.include(successor(101, after("1.1")).join(), "Promise 2.2")
  })

  it("bind it after a restart, as long as the last one may last", () => {
    const hear = make({ keep: 100, grant }, 400)
    assert.deepStrictEqual(hear(399, prepare("2.2")), refused)
    assert.include(hear(400, prepare("2.2")).join(), "Promise 2.2")
    const fresh = Acceptor.recover(Durable.initial, [], 400)
    assert.strictEqual(
      Acceptor.step(fresh, prepare("2.2"), { keep: 100, grant }, 0).actions.length,
      2,
      "nothing promised, nothing granted"
    )
  })

  it("are not given unless asked for", () => {
    const hear = make({ keep: 100 })
    hear(100, accept("1.1", 1, "", { confirm: 1 }))
    assert.include(hear(101, prepare("2.2")).join(), "Promise 2.2")
  })
})

describe("Proposer: leases", () => {
  const options: Proposer.Options = {
    ...{ self: node(1), quorums: five, pipeline: 4, chunk: 1000, keep: 100, patience: 2, lease: terms }
  }
  /** Node 1 of five leads with 1.1; it adopted what may be chosen through slot 2. */
  const leader = () => {
    let state: Proposer.State = Proposer.initial(Ballot.zero)
    const run = (input: Proposer.Input) => {
      state = Proposer.step(state, input, options).state
    }
    const hear = (from: number, message: Message.ToProposer) => run({ _tag: "Receive", from: node(from), message })
    const grants = (from: number, round: number, through = 2, given = grant) =>
      hear(from, { ...accepted("1.1", through, 0, round), grant: given })
    run({ _tag: "Campaign", above: Ballot.zero })
    for (const from of [1, 2, 3]) hear(from, promise("1.1", "0.2", 2))
    hear(1, {
      _tag: "Fetched",
      ballot: ballot("1.1"),
      after: durable("1.1", "1.1", 0, 0).chosenThrough,
      entries: entries("ab")
    })
    return {
      run,
      hear,
      grants,
      leased: (now: number) => Proposer.leased(state, options, now),
      mayConfirm: () => Proposer.mayConfirm(state),
      rounds: () => (state._tag === "Leading" ? state.confirm.asked : 0),
      phase: () => state._tag
    }
  }

  it("hold once an accept quorum has granted, from when it was asked", () => {
    const { grants, leased, phase, run } = leader()
    assert.strictEqual(phase(), "Leading")
    run({ _tag: "Confirm", now: 1_000 })
    grants(1, 1)
    grants(2, 1)
    assert.isUndefined(leased(1_001), "two of five")
    grants(3, 1)
    assert.strictEqual(leased(1_001), 2, "all that was adopted is read, though it isn't known to be chosen")
    assert.strictEqual(leased(1_000 + terms.term - 1), 2)
    assert.isUndefined(leased(1_000 + terms.term))
  })

  it("don't count on answers to older rounds, nor on grants that are too short", () => {
    const { grants, leased, run } = leader()
    run({ _tag: "Confirm", now: 1_000 })
    for (const from of [1, 2, 3]) grants(from, 0)
    for (const from of [1, 2]) grants(from, 1)
    grants(3, 1, 2, grant - 1)
    assert.isUndefined(leased(1_001))
    grants(4, 1)
    assert.strictEqual(leased(1_001), 2)
  })

  it("are renewed by ticks, and given up for good before a hand-over", () => {
    const { grants, leased, run } = leader()
    run({ _tag: "Tick", now: 1_000 })
    for (const from of [1, 2, 3]) grants(from, 1)
    assert.strictEqual(leased(1_001), 2)
    run({ _tag: "Tick", now: 1_000 + terms.term / 2 })
    for (const from of [1, 2, 3]) grants(from, 2)
    assert.strictEqual(leased(1_000 + terms.term), 2)
    run({ _tag: "Release" })
    assert.isUndefined(leased(1_000 + terms.term / 2))
    run({ _tag: "Confirm", now: 2_000 })
    for (const from of [1, 2, 3]) grants(from, 3)
    assert.isUndefined(leased(2_001))
  })

  it("count from when the round was first asked for, however often it is asked again", () => {
    const { grants, leased, run } = leader()
    run({ _tag: "Confirm", now: 1_000 })
    run({ _tag: "Tick", now: 1_100 })
    run({ _tag: "Tick", now: 1_200 })
    for (const from of [1, 2, 3]) grants(from, 1)
    assert.strictEqual(leased(1_201), 2)
    assert.isUndefined(leased(1_000 + terms.term))
  })

  it("that were given up are named to everybody, also to those who are first asked by the leader", () => {
    let state: Proposer.State = Proposer.initial(Ballot.zero)
    const asked: Array<string> = []
    const run = (input: Proposer.Input) => {
      const next = Proposer.step(state, input, { ...options, quorums: alone })
      state = next.state
      for (const action of next.actions) {
        if (action._tag !== "Send" || action.message._tag !== "Prepare") continue
        asked.push(`${action.to}: ${Ballot.format(action.message.released)}`)
      }
    }
    run({ _tag: "Campaign", above: ballot("1.3"), released: ballot("1.3") })
    run({ _tag: "Receive", from: node(1), message: promise("2.1", "0.0", 0) })
    assert.strictEqual(state._tag, "Leading", "its own promise is a prepare quorum")
    run({ _tag: "Tick", now: 0 })
    assert.sameMembers(asked.slice(-4), ["2: 1.3", "3: 1.3", "4: 1.3", "5: 1.3"])
  })

  it("are asked for in one round at a time: whoever is reached by a leader that is cut off isn't bound anew", () => {
    const { grants, mayConfirm, rounds, run } = leader()
    run({ _tag: "Tick", now: 1_000 })
    assert.strictEqual(rounds(), 1)
    for (const from of [1, 2]) grants(from, 1)
    assert.isFalse(mayConfirm())
    for (const now of [2_000, 3_000]) run({ _tag: "Tick", now })
    assert.strictEqual(rounds(), 1)
    assert.throws(() => run({ _tag: "Confirm", now: 3_001 }), "one round of confirmation at a time")
    grants(3, 1)
    assert.isTrue(mayConfirm())
    run({ _tag: "Confirm", now: 3_001 })
    assert.strictEqual(rounds(), 2)
  })

  it("end with the ballot", () => {
    const { grants, leased, run } = leader()
    run({ _tag: "Confirm", now: 1_000 })
    for (const from of [1, 2, 3]) grants(from, 1)
    run({ _tag: "Observe", ballot: ballot("1.2") })
    assert.isUndefined(leased(1_001))
  })
})
