import { Learner } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { entries, slot, tell } from "./Story.js"

class Told {
  state: Learner.State
  constructor(appliedThrough: number) {
    this.state = Learner.initial(slot(appliedThrough))
  }
  hear(tag: "Chosen" | "Read", after: number, run: string) {
    return this.take({ _tag: tag, after: slot(after), entries: entries(run) })
  }
  take(input: Learner.Input) {
    const { actions, state } = Learner.step(this.state, input)
    this.state = state
    return actions.map(tell)
  }
}

describe("Learner", () => {
  it("applies each chosen entry once and in order", () => {
    const learner = new Told(0)
    assert.deepStrictEqual(learner.hear("Chosen", 0, "ab"), ["apply 1 a", "apply 2 b"])
    assert.deepStrictEqual(learner.hear("Chosen", 0, "ab"), [])
    assert.deepStrictEqual(learner.hear("Chosen", 1, "bcd"), ["apply 3 c", "apply 4 d"])
  })

  it("reads what it missed from the journal, one piece at a time", () => {
    const learner = new Told(1)
    assert.deepStrictEqual(learner.hear("Chosen", 4, ""), ["read after 1"])
    assert.deepStrictEqual(learner.hear("Chosen", 4, "ef"), [], "one reading at a time")
    assert.deepStrictEqual(learner.hear("Read", 1, "bc"), ["apply 2 b", "apply 3 c", "read after 3"])
    assert.deepStrictEqual(learner.hear("Read", 3, "def"), ["apply 4 d", "apply 5 e", "apply 6 f"])
  })

  it("applies nothing that is not known to be chosen, whatever the journal holds", () => {
    const learner = new Told(0)
    learner.hear("Chosen", 1, "")
    assert.deepStrictEqual(learner.hear("Read", 0, "abc"), ["apply 1 a"])
    assert.strictEqual(learner.state.appliedThrough, 1)
  })

  it("goes on from a snapshot, and from no older one", () => {
    const learner = new Told(1)
    const restored = (at: number) => learner.take({ _tag: "Restored", slot: slot(at) })
    assert.deepStrictEqual(learner.hear("Chosen", 6, ""), ["read after 1"])
    assert.deepStrictEqual(restored(4), ["restore 4", "read after 4"], "what was asked for is gone")
    assert.deepStrictEqual(restored(3), [])
    assert.deepStrictEqual(learner.hear("Read", 4, "ef"), ["apply 5 e", "apply 6 f"])
    assert.deepStrictEqual(restored(9), ["restore 9"])
    assert.deepStrictEqual(learner.hear("Chosen", 8, "ij"), ["apply 10 j"])
  })

  it("waits for a snapshot when the journal can't rebuild its machine", () => {
    const learner = new Told(0)
    learner.state = Learner.waiting
    assert.deepStrictEqual(learner.hear("Chosen", 6, ""), [])
    assert.deepStrictEqual(learner.take({ _tag: "Restored", slot: slot(4) }), ["restore 4", "read after 4"])
  })

  it("starts from what its machine contains, which may be more than the acceptor knows to be chosen", () => {
    const learner = new Told(3)
    assert.deepStrictEqual(learner.hear("Chosen", 1, "bc"), [])
    assert.deepStrictEqual(learner.hear("Chosen", 3, "d"), ["apply 4 d"])
  })
})
