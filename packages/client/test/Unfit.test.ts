/** Commands that the leader's machine can't apply, among those that it can. */
import { describe, expect, it } from "@effect/vitest"
import { ClientRpcs, Endpoint } from "@synod/client"
import { Answer, Command, Envelope } from "@synod/state-machine"
import { Effect, Either, Fiber, TestClock } from "effect"
import * as Replicas from "./Replicas.js"

const all = { concurrency: "unbounded" } as const

describe("a command that the leader's machine can't apply", () => {
  it.scoped("gets that answer, and those it travelled with are applied under the numbers that they had", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      const counter = yield* Replicas.client([refusing(replicas)])
      const outcomes = yield* Effect.forEach([1, bad, 10, bad, 100], (by) => Effect.either(counter.Next({ by })), all)
      expect(outcomes).toMatchObject([
        Either.right(0),
        { left: { _tag: "CommandDefect", reason: "not here" } },
        Either.right(1),
        { left: { _tag: "CommandDefect", reason: "not here" } },
        Either.right(11)
      ])
      const calls = replicas.received.flatMap((envelope) => (envelope._tag === "Call" ? [envelope.first] : []))
      expect(calls).toEqual([1, 3, 5])
      // What was left out isn't waited for.
      yield* counter.Next({ by: 1 })
      expect(replicas.received.at(-1)).toMatchObject({ first: 6, acknowledged: 6 })
    })
  )

  it.scoped("may have been applied, if an earlier leader has had it", () =>
    Effect.gen(function* () {
      const replicas = yield* Replicas.make
      let losses = 1
      const endpoint = refusing(replicas)
      const counter = yield* Replicas.client([
        {
          ...endpoint,
          submit: (envelope) =>
            envelope.length > 2 && losses-- > 0
              ? new Endpoint.Unreachable({ reason: "it broke", sent: true })
              : endpoint.submit(envelope)
        }
      ])
      const call = yield* Effect.fork(Effect.flip(counter.Next({ by: bad })))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(call))._tag).toBe("OutcomeUnknown")
    })
  )
})

// Fixtures

const bad = 13

/** A leader of another version, which knows no `Next` by 13. */
const refusing = ({ leader }: Replicas.Replicas): Endpoint.Endpoint => ({
  ...leader,
  submit: (bytes) => {
    const envelope = Either.getOrThrow(Envelope.decode(bytes))
    const index =
      envelope._tag !== "Call"
        ? -1
        : envelope.commands.findIndex(
            (command) => (Either.getOrThrow(Command.decode(command)).payload as { readonly by: number }).by === bad
          )
    return index < 0 ? leader.submit(bytes) : new ClientRpcs.Unfit({ index, answer: Answer.defect("Next", "not here") })
  }
})
