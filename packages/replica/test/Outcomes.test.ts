import { describe, expect, it } from "@effect/vitest"
import { Entry, NodeId, Slot } from "@synod/paxos"
import { Outcomes, Requests } from "@synod/replica"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { turn } from "./VirtualTime.js"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const slot = (n: number) => Slot.make(n)

describe("Outcomes", () => {
  const waiting = () => {
    const ends: Array<string> = []
    const submission = (name: string): Outcomes.Submission => ({
      envelope: bytes(),
      decoded: [{ tag: name, payload: undefined }],
      end: (outcome) =>
        Effect.runSync(
          Effect.match(outcome, {
            onSuccess: (reply) => ends.push(`${name} ${reply[0]}`),
            onFailure: ({ _tag }) => ends.push(`${name} ${_tag}`)
          })
        )
    })
    return { ends, submission, outcomes: Outcomes.make() }
  }

  it("replies go to the envelopes of the slot, in their order, once", () => {
    const { ends, outcomes, submission } = waiting()
    const entry = Entry.commands(1, bytes(1))
    outcomes.expect(slot(1), entry, [submission("a"), submission("b")])
    outcomes.settle(slot(1), Entry.commands(1, bytes(1)), [bytes(7), bytes(8)])
    outcomes.settle(slot(1), entry, [bytes(9), bytes(9)])
    expect(ends).toEqual(["a 7", "b 8"])
  })

  it("another entry in the slot answers nobody", () => {
    for (const other of [Entry.commands(1, bytes(2)), Entry.commands(2, bytes(1))]) {
      const { ends, outcomes, submission } = waiting()
      outcomes.expect(slot(1), Entry.commands(1, bytes(1)), [submission("a")])
      outcomes.settle(slot(1), other, [bytes(7)])
      expect(ends).toEqual(["a Superseded"])
    }
  })

  it("what was decoded is given for the very entry that was proposed, and once", () => {
    const { outcomes, submission } = waiting()
    const entry = Entry.commands(1, bytes(1))
    outcomes.expect(slot(1), entry, [submission("a"), submission("b")])
    expect(outcomes.decoded(slot(2), entry)).toBeUndefined()
    expect(outcomes.decoded(slot(1), Entry.commands(1, bytes(1)))).toBeUndefined()
    expect(outcomes.decoded(slot(1), entry)).toMatchObject([[{ tag: "a" }], [{ tag: "b" }]])
    expect(outcomes.decoded(slot(1), entry)).toBeUndefined()
  })

  it("a slot that nobody waits for is settled in silence", () => {
    const { ends, outcomes, submission } = waiting()
    outcomes.expect(slot(2), Entry.commands(1, bytes(1)), [submission("a")])
    outcomes.settle(slot(1), Entry.commands(1, bytes(1)), [bytes(7)])
    expect(ends).toEqual([])
  })

  it("who loses the lead sends all that wait elsewhere, and forgets them", () => {
    const { ends, outcomes, submission } = waiting()
    const entry = Entry.commands(1, bytes(1))
    outcomes.expect(slot(1), entry, [submission("a")])
    outcomes.expect(slot(2), entry, [submission("b")])
    outcomes.abandon()
    outcomes.settle(slot(1), entry, [bytes(7)])
    expect(ends).toEqual(["a Superseded", "b Superseded"])
  })
})

describe("Requests", () => {
  const make = () => Requests.make(NodeId.make(1))

  it.effect("a request that waits fails when the replica stops; it may have been begun", () =>
    Effect.gen(function* () {
      const requests = make()
      const fiber = yield* Effect.fork(requests.ask<number>(() => undefined))
      yield* turn
      requests.close()
      const error = yield* Effect.flip(Fiber.join(fiber))
      expect(error).toMatchObject({ _tag: "Unreachable", sent: true, message: "node 1 has stopped" })
    })
  )

  it.effect("a request to a replica that has stopped is not begun", () =>
    Effect.gen(function* () {
      const requests = make()
      requests.close()
      const error = yield* Effect.flip(requests.ask<number>(() => Effect.runSync(Effect.dieMessage("begun"))))
      expect(error).toMatchObject({ _tag: "Unreachable", sent: false })
    })
  )

  it.effect("an interrupted request is withdrawn", () =>
    Effect.gen(function* () {
      const withdrawn = yield* Deferred.make<void>()
      const requests = make()
      const fiber = yield* Effect.fork(requests.ask<number>(() => () => Deferred.unsafeDone(withdrawn, Exit.void)))
      yield* turn
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(withdrawn)
    })
  )
})
