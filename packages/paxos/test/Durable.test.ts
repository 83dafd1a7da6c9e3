import { Durable } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import { durable, entries, letters, slot } from "./Story.js"

const write = (promised: string, after: number, run: string): Durable.Write => ({
  state: durable(promised, promised, after + run.length),
  after: slot(after),
  entries: entries(run)
})

const merged = (...writes: ReadonlyArray<Durable.Write>) =>
  Durable.merge(writes).map(({ after, entries, state }) => `${after}+${letters(entries)} ${state.acceptedThrough}`)

describe("Durable.merge", () => {
  it("makes one write of what is appended in several steps", () => {
    assert.deepStrictEqual(merged(write("1.1", 3, "ab"), write("1.1", 5, "c"), write("2.1", 6, "")), ["3+abc 6"])
  })

  it("keeps the last word on a slot that is written twice", () => {
    assert.deepStrictEqual(merged(write("1.1", 3, "ab"), write("2.1", 4, "xyz")), ["3+axyz 7"])
    assert.deepStrictEqual(merged(write("1.1", 3, "ab"), write("2.1", 4, "")), ["3+a 4"])
  })

  it("leaves apart what does not join on", () => {
    assert.deepStrictEqual(merged(write("1.1", 3, "ab"), write("2.1", 2, "x")), ["3+ab 5", "2+x 3"])
  })
})
