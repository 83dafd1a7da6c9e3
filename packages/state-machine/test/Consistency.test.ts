import { assert, describe, it } from "@effect/vitest"
import { Answer, Consistency, Outcome, StateMachine } from "@synod/state-machine"
import { Context, Duration, Effect, Either, Layer, Stream } from "effect"
import { alice, Bank, BankLive } from "./Bank.js"

/** Notes what each query asks for. */
const recording = Effect.map(
  Effect.sync((): Array<Consistency.Consistency> => []),
  (asked) => ({
    asked,
    layer: Layer.succeed(Bank.caller, {
      submit: () => new Outcome.Overloaded({ retryAfter: Duration.millis(50) }),
      resolve: () => new Outcome.Overloaded({ retryAfter: Duration.millis(50) }),
      seen: Effect.succeed(0),
      follow: () => Stream.empty,
      query: (_, consistency) =>
        Effect.sync(() => {
          asked.push(consistency)
          return Either.getOrThrow(Answer.success(1))
        })
    })
  })
)

describe("Consistency", () => {
  it.effect("is linearizable unless the nearest one says otherwise", () =>
    Effect.gen(function* () {
      const { asked, layer } = yield* recording
      yield* Effect.gen(function* () {
        const bank = yield* Bank.client
        const balance = bank.Balance({ account: alice })
        yield* balance
        yield* balance.pipe(Consistency.stale)
        yield* balance.pipe(Consistency.linearizable, Consistency.stale)
        yield* Consistency.stale(Effect.all([balance, Consistency.linearizable(balance)]))
        yield* balance.pipe(Consistency.readYourWrites)
        yield* balance.pipe(Consistency.atLeast(7))
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(asked, [
        "linearizable",
        "stale",
        "linearizable",
        "stale",
        "linearizable",
        "readYourWrites",
        { atLeast: 7 }
      ])
    })
  )

  it.effect("may be set for a whole program", () =>
    Effect.gen(function* () {
      const { asked, layer } = yield* recording
      yield* Effect.flatMap(Bank.client, (bank) => bank.Balance({ account: alice })).pipe(
        Effect.provide([layer, Layer.succeed(Consistency.Current, "stale")])
      )
      assert.deepStrictEqual(asked, ["stale"])
    })
  )
})

describe("Outcome", () => {
  it.effect("of the caller reaches whoever calls", () =>
    Effect.gen(function* () {
      const { layer } = yield* recording
      const error = yield* Effect.flatMap(Bank.client, (bank) => bank.Open({ account: alice, amount: 1 })).pipe(
        Effect.provide(layer),
        Effect.flip
      )
      assert.instanceOf(error, Outcome.Overloaded)
      assert.isNotEmpty(error.message)
    })
  )

  it.scoped("of a command without a handler here is a CommandDefect", () =>
    Effect.gen(function* () {
      const local = yield* Layer.build(StateMachine.layerLocal(Bank).pipe(Layer.provide(BankLive)))
      const caller = Context.get(local, Bank.caller)
      const answer = Either.getOrThrow(Answer.decode(yield* caller.submit(new Uint8Array([1]))))
      assert.strictEqual(answer._tag, "Defect")
    })
  )
})
