import { Rpc } from "@effect/rpc"
import { assert, describe, it } from "@effect/vitest"
import { StateMachine, type ValueExecutor } from "@synod/state-machine"
import { BigDecimal, Context, Effect, Either, FastCheck, HashMap, Layer, Option, Schema } from "effect"
import { call, command, digestOf, start } from "./Machine.js"

class Account extends Schema.Class<Account>("Account")({
  name: Schema.String,
  balance: Schema.BigDecimal,
  limit: Schema.Option(Schema.BigInt),
  opened: Schema.Date,
  key: Schema.Uint8ArrayFromSelf,
  note: Schema.optional(Schema.String)
}) {}

const Put = Rpc.make("Put", { payload: { account: Account } })

const make = (name: string, version: number) => {
  const machine = StateMachine.make(name, {
    version,
    state: Schema.HashMap({ key: Schema.String, value: Account }),
    initial: HashMap.empty(),
    commands: [Put],
    queries: []
  })
  const layer = machine.toLayer({
    Put: (state, { account }) => Effect.succeed([undefined, HashMap.set(state, account.name, account)])
  })
  return Effect.map(Layer.build(layer), (context): ValueExecutor.ValueExecutor =>
    Context.unsafeGet(context, machine.executor)
  )
}

const accounts = [1, 2, 3].map((n) => ({
  name: `account ${n}`,
  balance: `${n}.${n}0`,
  limit: n === 2 ? { _tag: "None" } : { _tag: "Some", value: `${2n ** 70n}` },
  opened: `2026-01-0${n}T00:00:00.000Z`,
  key: new Uint8Array([n, n]),
  ...(n === 3 ? { note: "kept" } : {})
}))

const filled = (executor: ValueExecutor.ValueExecutor) =>
  call(
    start(executor),
    0,
    accounts.map((account) => command("Put", { account }))
  ).log

const refusal = (executor: ValueExecutor.ValueExecutor, bytes: Uint8Array): string =>
  Either.match(executor.restore(bytes), { onLeft: ({ message }) => message, onRight: () => "restored" })

describe("Snapshot", () => {
  it.scoped("keeps the state, its classes and the answers", () =>
    Effect.gen(function* () {
      const log = filled(yield* make("Accounts", 1))
      const restored = Either.getOrThrow(log.executor.restore(log.executor.snapshot(log.replicated)))
      const account = HashMap.unsafeGet(restored.state as HashMap.HashMap<string, Account>, "account 3")
      assert.instanceOf(account, Account)
      assert.isTrue(BigDecimal.equals(account.balance, BigDecimal.unsafeFromString("3.3")))
      assert.deepStrictEqual(account.limit, Option.some(2n ** 70n))
      assert.strictEqual(log.executor.digest(restored), digestOf(log))
      const again = call({ ...log, replicated: restored }, 0, [command("Put", { account: accounts[1] })])
      assert.strictEqual(again.log.replicated.state, restored.state)
    })
  )

  it.scoped("is of the state it was taken of, whatever came later", () =>
    Effect.gen(function* () {
      const log = filled(yield* make("Accounts", 1))
      const before = log.executor.snapshot(log.replicated)
      call(log, 3, [command("Put", { account: { ...accounts[0], name: "later" } })])
      assert.deepStrictEqual(log.executor.snapshot(log.replicated), before)
    })
  )

  it.scoped("is refused by another machine and by an older version, with a reason", () =>
    Effect.gen(function* () {
      const log = filled(yield* make("Accounts", 2))
      const bytes = log.executor.snapshot(log.replicated)
      assert.strictEqual(refusal(yield* make("Accounts", 3), bytes), "restored")
      assert.strictEqual(
        refusal(yield* make("Accounts", 1), bytes),
        "Accounts can't be restored from this snapshot: it is of version 2 and this is version 1"
      )
      assert.strictEqual(
        refusal(yield* make("Books", 2), bytes),
        "Books can't be restored from this snapshot: it is of the machine Accounts"
      )
    })
  )

  it.scoped("is refused and never thrown at when its bytes are damaged", () =>
    Effect.gen(function* () {
      const log = filled(yield* make("Accounts", 1))
      const whole = log.executor.snapshot(log.replicated)
      assert.match(refusal(log.executor, whole.subarray(1)), /^Accounts can't be restored from this snapshot: /)
      FastCheck.assert(
        FastCheck.property(FastCheck.nat(whole.length), FastCheck.nat(255), (at, byte) => {
          refusal(log.executor, whole.subarray(0, at))
          refusal(
            log.executor,
            Uint8Array.from(whole, (kept, i) => (i === at ? byte : kept))
          )
        }),
        { numRuns: 500 }
      )
    })
  )
})
