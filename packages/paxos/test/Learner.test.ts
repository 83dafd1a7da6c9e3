import { Learner } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { entries, slot, tell } from "./Story.js"

class Told {
  state: Learner.State
  constructor(appliedThrough: number) {
    this.state = Learner.initial(slot(appliedThrough))
  }
  hear(tag: Learner.Input["_tag"], after: number, run: string) {
    const { actions, state } = Learner.step(this.state, { _tag: tag, after: slot(after), entries: entries(run) })
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

  it("starts from what its machine contains, which may be more than the acceptor knows to be chosen", () => {
    const learner = new Told(3)
    assert.deepStrictEqual(learner.hear("Chosen", 1, "bc"), [])
    assert.deepStrictEqual(learner.hear("Chosen", 3, "d"), ["apply 4 d"])
  })
})
