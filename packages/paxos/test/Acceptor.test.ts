import { Acceptor, Durable, Invariant } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { accept, ballot, behind, durable, entries, fetch, prepare, slot, tell } from "./Story.js"

/** An acceptor that promised `promised` and holds `log`, accepted at `accepted` and chosen through slot `chosen`. */
const make = (promised: string, accepted: string, log: string, chosen = 0) =>
  new Told(Acceptor.recover(durable(promised, accepted, log.length, chosen), entries(log).slice(chosen)))

class Told {
  constructor(
    public state: Acceptor.State,
    readonly keep = 100
  ) {}
  /** Hears a message; tells what it asks for, in order. */
  hear(message: Acceptor.Input): ReadonlyArray<string> {
    const { actions, state } = Acceptor.step(this.state, message, { keep: this.keep })
    this.state = state
    return actions.map(tell)
  }
}

describe("Acceptor: Prepare", () => {
  it("promises, durably first, and tells what it holds", () => {
    assert.deepStrictEqual(make("1.1", "1.1", "abc", 1).hear(prepare("2.2")), [
      "persist 3+, promised 2.2, 1.1 through 3, chosen 1",
      "reply Promise 2.2: 1.1 through 3, chosen 1"
    ])
  })

  it("promises again what it promised, without another write", () => {
    assert.deepStrictEqual(make("2.2", "1.1", "a").hear(prepare("2.2")), ["reply Promise 2.2: 1.1 through 1, chosen 0"])
  })

  it("refuses a lower ballot with the number and what it accepted (K1)", () => {
    const acceptor = make("2.2", "1.1", "a")
    assert.deepStrictEqual(acceptor.hear(prepare("2.1")), ["reply Rejected 2.1: promised 2.2, 1.1 through 1, chosen 0"])
    assert.deepStrictEqual(acceptor.state.promised, ballot("2.2"))
  })
})

describe("Acceptor: Accept", () => {
  it("accepts in sequence, durably first, and delivers what is chosen last", () => {
    const acceptor = make("1.1", "0.0", "")
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 0, "a")), [
      "persist 0+a, promised 1.1, 1.1 through 1, chosen 0",
      "reply Accepted 1.1 through 1, chosen 0"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 1, "bc", { chosen: 1 })), [
      "persist 1+bc, promised 1.1, 1.1 through 3, chosen 1",
      "reply Accepted 1.1 through 3, chosen 1",
      "deliver 0+a"
    ])
  })

  it("takes nothing of a ballot that it has not promised, and does not promise by the way", () => {
    const acceptor = make("2.2", "1.1", "a")
    for (const other of ["2.1", "3.1"]) {
      assert.deepStrictEqual(acceptor.hear(accept(other, 1, "b")), [
        `reply Rejected ${other}: promised 2.2, 1.1 through 1, chosen 0`
      ])
    }
    assert.deepStrictEqual(acceptor.state.promised, ballot("2.2"))
  })

  it("refuses a gap and says where its log ends", () => {
    assert.deepStrictEqual(make("1.1", "1.1", "a").hear(accept("1.1", 2, "c")), [
      "reply Rejected 1.1: promised 1.1, 1.1 through 1, chosen 0"
    ])
  })

  it("does not shrink when an old Accept comes again", () => {
    const acceptor = make("1.1", "1.1", "abc")
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 0, "a")), ["reply Accepted 1.1 through 3, chosen 0"])
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 0, "")), ["reply Accepted 1.1 through 3, chosen 0"])
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 1, "bcd")), [
      "persist 3+d, promised 1.1, 1.1 through 4, chosen 0",
      "reply Accepted 1.1 through 4, chosen 0"
    ])
  })

  it("believes what is chosen only as far as its log was accepted at that ballot", () => {
    const acceptor = make("1.1", "1.1", "ab")
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 2, "", { chosen: 9 })), [
      "reply Accepted 1.1 through 2, chosen 2",
      "deliver 0+ab"
    ])
    const stranger = make("2.1", "1.1", "xyz")
    assert.deepStrictEqual(stranger.hear(accept("2.1", 2, "", { chosen: 3, adopted: ["1.2", 4] })), [
      "reply Rejected 2.1: promised 2.1, 1.1 through 3, chosen 0"
    ])
    assert.strictEqual(stranger.state.chosenThrough, 0)
  })

  it("answers in which confirmation round it was asked", () => {
    assert.deepStrictEqual(make("1.1", "1.1", "a").hear(accept("1.1", 1, "", { confirm: 7 })), [
      "reply Accepted 1.1 through 1, chosen 0, confirm 7"
    ])
  })

  it("keeps so many chosen entries in memory and leaves the others to the journal", () => {
    const acceptor = new Told(make("1.1", "1.1", "abcd").state, 1)
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 4, "", { chosen: 3 })), [
      "reply Accepted 1.1 through 4, chosen 3",
      "deliver 0+abc"
    ])
    assert.strictEqual(acceptor.state.log.base, 2)
    assert.deepStrictEqual(acceptor.hear(accept("1.1", 0, "abcde", { chosen: 3 })), [
      "persist 4+e, promised 1.1, 1.1 through 5, chosen 3",
      "reply Accepted 1.1 through 5, chosen 3"
    ])
  })
})

describe("Acceptor: the first Accept of a ballot", () => {
  it("replaces all behind the point of agreement", () => {
    const acceptor = make("3.1", "1.2", "axyz", 1)
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 1, "bc", { chosen: 2, adopted: ["2.1", 3] })), [
      "persist 1+bc, promised 3.1, 3.1 through 3, chosen 2",
      "reply Accepted 3.1 through 3, chosen 2",
      "deliver 1+b"
    ])
  })

  it("agrees with a log of another ballot only in what is chosen, however long both are", () => {
    assert.deepStrictEqual(make("3.1", "1.2", "xyz", 1).hear(accept("3.1", 2, "c", { adopted: ["2.1", 3] })), [
      "reply Rejected 3.1: promised 3.1, 1.2 through 3, chosen 1"
    ])
  })

  it("agrees with a log of the same ballot as far as both reach", () => {
    const message = accept("3.1", 2, "c", { adopted: ["1.2", 3] })
    assert.deepStrictEqual(make("3.1", "1.2", "ab").hear(message), [
      "persist 2+c, promised 3.1, 3.1 through 3, chosen 0",
      "reply Accepted 3.1 through 3, chosen 0"
    ])
    assert.deepStrictEqual(make("3.1", "1.2", "abcd").hear(accept("3.1", 3, "", { adopted: ["1.2", 3] })), [
      "persist 3+, promised 3.1, 3.1 through 3, chosen 0",
      "reply Accepted 3.1 through 3, chosen 0"
    ])
    assert.deepStrictEqual(make("3.1", "1.2", "a").hear(message), [
      "reply Rejected 3.1: promised 3.1, 1.2 through 1, chosen 0"
    ])
  })

  it("refuses half of what was adopted", () => {
    assert.deepStrictEqual(make("3.1", "1.2", "x").hear(accept("3.1", 0, "ab", { chosen: 1, adopted: ["2.1", 3] })), [
      "reply Rejected 3.1: promised 3.1, 1.2 through 1, chosen 0"
    ])
  })

  it("learns what is chosen in pieces, and keeps the unchosen end of its log", () => {
    const acceptor = make("3.1", "1.2", "abcd")
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 0, "ab", { chosen: 5, adopted: ["2.1", 6] })), [
      "persist 0+abcd, promised 3.1, 1.2 through 4, chosen 2",
      "reply Accepted 3.1 through 2, chosen 2",
      "deliver 0+ab"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 2, "cde", { chosen: 5, adopted: ["2.1", 6] })), [
      "persist 2+cde, promised 3.1, 1.2 through 5, chosen 5",
      "reply Accepted 3.1 through 5, chosen 5",
      "deliver 2+cde"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 5, "f", { chosen: 5, adopted: ["2.1", 6] })), [
      "persist 5+f, promised 3.1, 3.1 through 6, chosen 5",
      "reply Accepted 3.1 through 6, chosen 5"
    ])
  })

  it("drops the end of its log when what is chosen contradicts it", () => {
    assert.deepStrictEqual(
      make("3.1", "1.2", "axyz").hear(accept("3.1", 0, "ab", { chosen: 5, adopted: ["2.1", 6] })),
      ["persist 0+ab, promised 3.1, 1.2 through 2, chosen 2", "reply Accepted 3.1 through 2, chosen 2", "deliver 0+ab"]
    )
  })

  it("does not write again what it knows to be chosen", () => {
    const acceptor = make("3.1", "1.2", "abcd", 3)
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 0, "ab", { chosen: 2, adopted: ["2.1", 6] })), [
      "reply Accepted 3.1 through 3, chosen 3"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 1, "bcde", { chosen: 5, adopted: ["2.1", 6] })), [
      "persist 3+de, promised 3.1, 1.2 through 5, chosen 5",
      "reply Accepted 3.1 through 5, chosen 5",
      "deliver 3+de"
    ])
  })

  it("is synchronised once it knows all that was adopted to be chosen", () => {
    const acceptor = make("3.1", "1.2", "abxy", 2)
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 0, "a", { chosen: 1, adopted: ["2.1", 2] })), [
      "persist 2+, promised 3.1, 3.1 through 2, chosen 2",
      "reply Accepted 3.1 through 2, chosen 2"
    ])
  })
})

describe("Acceptor: Fetch", () => {
  it("gives pieces of its log, one entry at least, and nothing at the end", () => {
    const acceptor = make("1.1", "1.1", "abc")
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 0, 70)), ["reply Fetched 1.1: 0+ab"])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 2, 1)), ["reply Fetched 1.1: 2+c"])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 3, 70)), ["reply Fetched 1.1: 3+"])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 9, 70)), ["reply Fetched 1.1: 9+"])
  })

  it("asks the journal for what memory no longer holds", () => {
    assert.deepStrictEqual(make("1.1", "1.1", "abc", 2).hear(fetch("1.1", 1, 70)), ["read after 1"])
  })

  it("serves nobody but whom it promised", () => {
    assert.deepStrictEqual(make("2.1", "1.1", "a").hear(fetch("1.1", 0, 70)), [
      "reply Rejected 1.1: promised 2.1, 1.1 through 1, chosen 0"
    ])
  })
})

describe("Acceptor: snapshots", () => {
  const trim = (through: number): Acceptor.Input => ({ _tag: "Trim", through: slot(through) })
  const install = (at: number): Acceptor.Input => ({ _tag: "Install", slot: slot(at) })

  it("trims what is chosen, durably, and says so to whoever asks for it", () => {
    const acceptor = make("1.1", "1.1", "abcd", 3)
    assert.deepStrictEqual(acceptor.hear(trim(2)), ["persist 4+, promised 1.1, 1.1 through 4, chosen 3, trimmed 2"])
    assert.deepStrictEqual(acceptor.hear(trim(1)), [])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 1, 100)), ["reply Trimmed 1.1 after 1: through 2"])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 2, 100)), ["read after 2"])
    assert.deepStrictEqual(acceptor.hear(fetch("1.1", 3, 100)), ["reply Fetched 1.1: 3+d"])
    assert.throws(() => acceptor.hear(trim(4)), "only what is chosen is trimmed")
  })

  it("gets a snapshot when its leader says that it is behind, and tells what it holds", () => {
    const acceptor = make("2.1", "1.1", "ab", 1)
    assert.deepStrictEqual(acceptor.hear(behind("2.1", 3)), [
      "reply Rejected 2.1: promised 2.1, 1.1 through 2, chosen 1",
      "pull from 3"
    ])
    assert.deepStrictEqual(acceptor.hear(behind("1.1", 3)), [
      "reply Rejected 1.1: promised 2.1, 1.1 through 2, chosen 1"
    ])
  })

  it("begins its log behind a snapshot that reaches beyond it, at the ballot it was accepted at", () => {
    const acceptor = make("3.1", "1.1", "abc", 1)
    assert.deepStrictEqual(acceptor.hear(install(7)), [
      "persist 7+, promised 3.1, 1.1 through 7, chosen 7, trimmed 7",
      "restore 7"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 1, "", { chosen: 8, adopted: ["2.1", 8] })), [
      "reply Accepted 3.1 through 7, chosen 7"
    ])
    assert.deepStrictEqual(acceptor.hear(accept("3.1", 7, "hi", { chosen: 8, adopted: ["2.1", 8] })), [
      "persist 7+hi, promised 3.1, 3.1 through 9, chosen 8, trimmed 7",
      "reply Accepted 3.1 through 9, chosen 8",
      "deliver 7+h"
    ])
  })

  it("keeps what it accepted behind the snapshot: it may be chosen by now", () => {
    const acceptor = make("3.1", "1.1", "abcde", 1)
    assert.deepStrictEqual(acceptor.hear(install(3)), [
      "persist 5+, promised 3.1, 1.1 through 5, chosen 3, trimmed 3",
      "restore 3"
    ])
    assert.deepStrictEqual(acceptor.hear(fetch("3.1", 3, 100)), ["reply Fetched 3.1: 3+de"])
    assert.deepStrictEqual(acceptor.hear(fetch("3.1", 2, 100)), ["reply Trimmed 3.1 after 2: through 3"])
  })

  it("writes down again what it holds, when something else could not be written", () => {
    const acceptor = make("2.1", "1.1", "ab", 1)
    assert.deepStrictEqual(acceptor.hear({ _tag: "Reaffirm" }), ["persist 2+, promised 2.1, 1.1 through 2, chosen 1"])
  })

  it("takes nothing from a snapshot of what it knows to be chosen, but lets its learner have it", () => {
    const acceptor = make("3.1", "1.1", "abcde", 4)
    assert.deepStrictEqual(acceptor.hear(install(3)), ["restore 3"])
    acceptor.hear(trim(4))
    assert.deepStrictEqual(acceptor.hear(install(3)), [])
  })
})

describe("Acceptor: recovering", () => {
  it("starts from what is durable", () => {
    const { state } = make("3.1", "1.2", "abcd", 2)
    assert.deepStrictEqual(Acceptor.durable(state), durable("3.1", "1.2", 4, 2))
    assert.deepStrictEqual(Acceptor.durable(Acceptor.recover(Durable.initial, [])), Durable.initial)
  })

  it("refuses entries that don't end where the journal says", () => {
    assert.throws(
      () => Acceptor.recover(durable("1.1", "1.1", 3, 1), entries("b")),
      Invariant.InvariantBroken,
      "acceptor: the recovered entries end where the journal says does not hold"
    )
  })
})
