import { Rpc } from "@effect/rpc"
import { type History, Linearizability, Model } from "@synod/simulator"
import { StateMachine } from "@synod/state-machine"
import { Clock, Effect, Random, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { operation } from "./Histories.js"

const Add = Rpc.make("Add", { payload: { by: Schema.Int }, success: Schema.Int, error: Schema.String })
const Total = Rpc.make("Total", { success: Schema.Int })
const Now = Rpc.make("Now", { success: Schema.Number })
const Dice = Rpc.make("Dice", { success: Schema.Number })

const Counter = StateMachine.make("Counter", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands: [Add, Dice],
  queries: [Total, Now]
})

const CounterLive = Counter.toLayer({
  Add: (state, { by }) => (by < 0 ? Effect.fail("only up") : Effect.succeed([state + by, state + by] as const)),
  Dice: (state) => Effect.map(Random.next, (dice) => [dice, state] as const),
  Total: (state) => Effect.succeed(state),
  Now: () => Clock.currentTimeMillis
})

const executor = Effect.runSync(Counter.executor.pipe(Effect.provide(CounterLive)))
const model = Model.ofMachine(Counter, executor)
const success = (value: unknown) => ({ _tag: "Success", value })
const check = (...history: History.History) => Linearizability.check(model, history)._tag

describe("a user's machine as the model", () => {
  it("explains what it would have answered, and nothing else", () => {
    const add = operation(1, "Add", { by: 2 }, success(2), 0, 3)
    const lost = operation(2, "Add", { by: 5 }, null, 1)
    assert.strictEqual(check(add, operation(3, "Total", undefined, success(2), 4, 5)), "Linearizable")
    assert.strictEqual(check(add, operation(3, "Total", undefined, success(0), 4, 5)), "NotLinearizable")
    assert.strictEqual(check(add, lost, operation(3, "Total", undefined, success(7), 4, 5)), "Linearizable")
    assert.strictEqual(check(add, lost, operation(3, "Total", undefined, success(5), 4, 5)), "NotLinearizable")
  })

  it("answers with errors of its own, which are answers", () => {
    const refused = operation(1, "Add", { by: -1 }, { _tag: "Failure", error: "only up" }, 0, 1)
    assert.strictEqual(check(refused), "Linearizable")
    assert.strictEqual(check({ ...refused, output: success(-1) }), "NotLinearizable")
    assert.strictEqual(check(operation(1, "Add", { by: 9 }, "no leader", 0, 1, "failed")), "Linearizable")
  })

  for (const name of ["Now", "Dice"]) {
    it(`refuses to judge what depends on time or chance: ${name}`, () => {
      assert.throws(
        () => check(operation(1, name, undefined, success(0), 0, 1)),
        new RegExp(`what ${name} does depends on`)
      )
    })
  }
})
