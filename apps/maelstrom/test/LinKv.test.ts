import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "@synod/state-machine"
import { Duration, Effect } from "effect"
import * as LinKv from "../src/LinKv.js"
import { KeyDoesNotExist, PreconditionFailed } from "../src/Store.js"

describe("LinKv", () => {
  it.effect(
    "gives a definite error where a request was certainly not done, and an indefinite one where it may have been",
    () =>
      Effect.gen(function* () {
        const failures = [
          [new Outcome.OutcomeUnknown({ token: { session: 1, sequence: 1, command: "Write" } }), 0],
          [new Outcome.Unavailable({ reason: "nobody leads" }), 11],
          [new Outcome.Overloaded({ retryAfter: Duration.millis(50) }), 11],
          [new Outcome.CommandDefect({ command: "Cas", reason: "too long" }), 14],
          [new KeyDoesNotExist({ key: "1" }), 20],
          [new PreconditionFailed({ expected: "1", found: "2" }), 22]
        ] as const
        for (const [failure, code] of failures) {
          const Cas = () => Effect.fail(failure)
          const store = { Write: () => Effect.void, Read: () => Effect.succeed("1"), Cas }
          const answer = yield* LinKv.answer(store, { type: "cas", key: 1, from: 1, to: 2 })
          assert.deepStrictEqual(answer, { type: "error", code, text: failure.message })
        }
      })
  )
})
