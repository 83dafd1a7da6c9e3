import { Rpc } from "@effect/rpc"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { type Caller, Consistency, type Executor, type Feed, Outcome, StateMachine, Ticket } from "@synod/state-machine"
import { Context, Effect, Exit, HashMap, identity, Layer, Logger, Option, Schema, type Stream, TestClock } from "effect"
import { alice, type AccountId, AccountNotFound, Bank, BankLive, bob, InsufficientFunds, type State } from "./Bank.js"

const BankTest = StateMachine.layerLocal(Bank).pipe(Layer.provide(BankLive))

describe("StateMachine", () => {
  describe("a client", () => {
    it.effect("moves the state by commands and reads it by queries", () =>
      Effect.gen(function* () {
        const bank = yield* Bank.client
        yield* bank.Open({ account: alice, amount: 10 })
        yield* bank.Open({ account: bob, amount: 0 })
        yield* bank.Transfer({ from: alice, to: bob, amount: 4 })
        assert.strictEqual(yield* bank.Balance({ account: alice }), 6)
        assert.strictEqual(yield* bank.Balance({ account: bob }).pipe(Consistency.stale), 4)
      }).pipe(Effect.provide(BankTest))
    )

    it.effect("tells what became of a command: its success, its own error, or that it never will be applied", () =>
      Effect.gen(function* () {
        const bank = yield* Bank.client
        const tickets = yield* Effect.all([Ticket.make, Ticket.make])
        const [opening, transfer] = tickets
        yield* Ticket.hold(opening)(bank.Open({ account: alice, amount: 3 }))
        const opened = Option.getOrThrow(yield* opening.token)
        assert.deepStrictEqual(yield* bank.resolve(opened), { _tag: "Applied", command: "Open", value: undefined })
        yield* Effect.flip(Ticket.hold(transfer)(bank.Transfer({ from: alice, to: bob, amount: 4 })))
        const refused = Option.getOrThrow(yield* transfer.token)
        assert.instanceOf(yield* Effect.flip(bank.resolve(refused)), AccountNotFound)
        // By now nobody can ask for the first one any more, and the next one is not there yet.
        assert.instanceOf(yield* Effect.flip(bank.resolve(opened)), Outcome.SessionExpired)
        const later = { ...refused, sequence: refused.sequence + 1 }
        assert.deepStrictEqual(yield* bank.resolve(later), { _tag: "NeverApplied" })
        assert.instanceOf(yield* Effect.flip(bank.Open({ account: bob, amount: 1 })), Outcome.Unavailable)
        assert.instanceOf(yield* Effect.flip(bank.Balance({ account: bob })), AccountNotFound)
      }).pipe(Effect.provide(BankTest))
    )

    it.effect("goes on in another session when nobody has called for long", () =>
      Effect.gen(function* () {
        const bank = yield* Bank.client
        yield* bank.Open({ account: alice, amount: 3 })
        yield* TestClock.adjust("2 hours")
        yield* bank.Open({ account: bob, amount: 1 })
        yield* bank.Transfer({ from: alice, to: bob, amount: 3 })
        assert.strictEqual(yield* bank.Balance({ account: bob }), 4)
      }).pipe(Effect.provide(BankTest))
    )

    it.effect("fails with the machine's own errors, and then nothing has changed", () =>
      Effect.gen(function* () {
        const bank = yield* Bank.client
        yield* bank.Open({ account: alice, amount: 3 })
        const missing = yield* Effect.flip(bank.Transfer({ from: alice, to: bob, amount: 1 }))
        assert.deepStrictEqual(missing, new AccountNotFound({ account: bob }))
        yield* bank.Open({ account: bob, amount: 0 })
        const short = yield* Effect.flip(bank.Transfer({ from: alice, to: bob, amount: 4 }))
        assert.deepStrictEqual(short, new InsufficientFunds({ account: alice, balance: 3 }))
        assert.strictEqual(yield* bank.Balance({ account: alice }), 3)
      }).pipe(Effect.provide(BankTest))
    )

    it.effect("dies of an input that its schema refuses, before anything is sent", () =>
      Effect.gen(function* () {
        const bank = yield* Bank.client
        const exit = yield* Effect.exit(bank.Open({ account: alice, amount: -1 }))
        assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
        assert.isTrue(Exit.isFailure(yield* Effect.exit(bank.Balance({ account: alice }))))
      }).pipe(Effect.provide(BankTest))
    )

    it.effect("fails with a CommandDefect when the handler dies", () =>
      Effect.gen(function* () {
        const counter = yield* Counter.client
        const defect = yield* Effect.flip(counter.Increment())
        assert.deepStrictEqual(
          defect,
          new Outcome.CommandDefect({ command: "Increment", reason: "its handler died with an Error: no more" })
        )
        assert.strictEqual(defect.message, "Increment changed nothing: its handler died with an Error: no more")
        assert.propertyVal(yield* Effect.flip(counter.Value()), "command", "Value")
      }).pipe(
        Effect.provide(
          StateMachine.layerLocal(Counter).pipe(
            Layer.provide(
              Counter.toLayer({
                Increment: () => Effect.die(new Error("no more")),
                Value: () => Effect.die(new Error("no more"))
              })
            ),
            Layer.provide(Logger.remove(Logger.defaultLogger))
          )
        )
      )
    )

    it.effect("sends a command anew each time its effect is run", () =>
      Effect.gen(function* () {
        const counter = yield* Counter.client
        const increment = counter.Increment()
        assert.strictEqual(yield* increment, 1)
        assert.strictEqual(yield* increment, 2)
        assert.strictEqual(yield* counter.Value(), 2)
      }).pipe(Effect.provide(CounterTest))
    )

    it.effect("fills in the defaults of a payload, and of a class that is one", () =>
      Effect.gen(function* () {
        const defaults = yield* Defaults.client
        assert.strictEqual(yield* defaults.Struct({}), 7)
        assert.strictEqual(yield* defaults.Class({}), 7)
        assert.strictEqual(yield* defaults.Class({ by: 2 }), 2)
      }).pipe(Effect.provide(DefaultsTest))
    )
  })

  describe("handlers from an effect", () => {
    class Step extends Context.Tag("Step")<Step, number>() {}

    const CounterByStep = Counter.toLayer(
      Effect.gen(function* () {
        const step = yield* Step
        return {
          Increment: (state) => Effect.succeed([state + step, state + step]),
          Value: (state) => Effect.succeed(state)
        }
      })
    )

    it.effect("take services while they are built", () =>
      Effect.gen(function* () {
        const counter = yield* Counter.client
        assert.strictEqual(yield* counter.Increment(), 5)
      }).pipe(
        Effect.provide(
          StateMachine.layerLocal(Counter).pipe(Layer.provide(CounterByStep), Layer.provide(Layer.succeed(Step, 5)))
        )
      )
    )

    it("show them in the layer's requirements", () => {
      expectTypeOf(CounterByStep).toEqualTypeOf<Layer.Layer<Executor.Id<"Counter">, never, Step>>()
    })
  })

  describe("make refuses", () => {
    const refuses = (what: string, reason: string, make: () => StateMachine.Any) =>
      it(what, () => assert.throws(make, StateMachine.InvalidMachine, reason))
    const Rounded = Schema.transform(Schema.Number, Schema.Number, { decode: identity, encode: Math.round })
    const valid = { version: 1, state: Schema.Int, initial: 0, commands: [], queries: [] } as const

    refuses("an empty name", "its name is empty", () => StateMachine.make("", valid))
    refuses("a version that is no positive integer", "its version is 0", () =>
      StateMachine.make("M", { ...valid, version: 0 })
    )
    refuses("a tag used twice", "the tag Value is used twice", () =>
      StateMachine.make("M", { ...valid, commands: [Rpc.make("Value")], queries: [Rpc.make("Value")] })
    )
    refuses("an empty tag", "an empty tag", () => StateMachine.make("M", { ...valid, commands: [Rpc.make("")] }))
    refuses("a stream", "Watch is a stream", () =>
      StateMachine.make("M", { ...valid, queries: [Rpc.make("Watch", { success: Schema.Int, stream: true })] })
    )
    refuses("a payload that has no form as bytes", "the payload of Put encodes to HashMap<string, number>", () =>
      StateMachine.make("M", {
        ...valid,
        commands: [
          Rpc.make("Put", { payload: { map: Schema.HashMapFromSelf({ key: Schema.String, value: Schema.Number }) } })
        ]
      })
    )
    refuses("a state that has no form as bytes", "its state encodes to HashMap<string, number>", () =>
      StateMachine.make("M", {
        ...valid,
        state: Schema.HashMapFromSelf({ key: Schema.String, value: Schema.Number }),
        initial: HashMap.empty()
      })
    )
    refuses("a tag that every client has", "the tag resolve is the name of a method that every client has", () =>
      StateMachine.make("M", { ...valid, commands: [Rpc.make("resolve")] })
    )
    refuses("no room for sessions", "it has room for 0 sessions, and must have for one or more", () =>
      StateMachine.make("M", { ...valid, sessions: { most: 0 } })
    )
    refuses("sessions that end at once", "its sessions must last for a whole number of milliseconds", () =>
      StateMachine.make("M", { ...valid, sessions: { expiry: 0 } })
    )
    refuses("an initial state that its schema refuses", "its initial state doesn't fit its schema", () =>
      StateMachine.make("M", { ...valid, initial: 0.5 })
    )
    refuses("an initial state that a snapshot changes", "comes back from a snapshot as another value", () =>
      StateMachine.make("M", { ...valid, state: Rounded, initial: 0.5 })
    )
  })

  // Types are checked when this file is compiled; nothing below runs.
  describe("types", () => {
    it("of DESIGN 1", () => {
      expectTypeOf(BankLive).toEqualTypeOf<Layer.Layer<Executor.Id<"Bank">>>()
      expectTypeOf(BankTest).toEqualTypeOf<Layer.Layer<Caller.Id<"Bank">>>()
      expectTypeOf(Bank.client).toEqualTypeOf<
        Effect.Effect<StateMachine.ClientOf<typeof Bank>, never, Caller.Id<"Bank">>
      >()
      expectTypeOf<StateMachine.CallerId<typeof Bank>>().toEqualTypeOf<Caller.Id<"Bank">>()
      expectTypeOf<StateMachine.ExecutorId<typeof Bank>>().toEqualTypeOf<Executor.Id<"Bank">>()
      expectTypeOf<typeof Bank>().toExtend<StateMachine.Any>()
    })

    it("of a client's methods", () => {
      type Client = StateMachine.ClientOf<typeof Bank>
      expectTypeOf<Client["Transfer"]>().toEqualTypeOf<
        (payload: {
          readonly from: AccountId
          readonly to: AccountId
          readonly amount: number
        }) => Effect.Effect<
          void,
          | AccountNotFound
          | InsufficientFunds
          | Outcome.CommandDefect
          | Outcome.Unavailable
          | Outcome.OutcomeUnknown
          | Outcome.SessionExpired
          | Outcome.Overloaded
        >
      >()
      expectTypeOf<Client["Balance"]>().toEqualTypeOf<
        (payload: {
          readonly account: AccountId
        }) => Effect.Effect<number, AccountNotFound | Outcome.CommandDefect | Outcome.Unavailable | Outcome.Overloaded>
      >()
      expectTypeOf<keyof Client>().toEqualTypeOf<
        "Open" | "Transfer" | "Balance" | "resolve" | "seen" | "applied" | "follow"
      >()
      type Resolved = Effect.Effect.Success<ReturnType<Client["resolve"]>>
      expectTypeOf<Extract<Resolved, { readonly _tag: "Applied" }>["command"]>().toEqualTypeOf<"Open" | "Transfer">()
      expectTypeOf<Effect.Effect.Error<ReturnType<Client["resolve"]>>>().toEqualTypeOf<
        | AccountNotFound
        | InsufficientFunds
        | Outcome.CommandDefect
        | Outcome.OutcomeUnknown
        | Outcome.SessionExpired
        | Outcome.Overloaded
      >()
      type Applied = Stream.Stream.Success<ReturnType<Client["applied"]>>
      expectTypeOf<Extract<Applied, { readonly command: "Transfer" }>>().toEqualTypeOf<{
        readonly position: { readonly slot: number; readonly index: number }
        readonly time: number
        readonly command: "Transfer"
        readonly payload: { readonly from: AccountId; readonly to: AccountId; readonly amount: number }
        readonly exit: Exit.Exit<void, AccountNotFound | InsufficientFunds | Outcome.CommandDefect>
      }>()
      expectTypeOf<Applied["command"]>().toEqualTypeOf<"Open" | "Transfer">()
      type Followed = ReturnType<Client["follow"]["Balance"]>
      expectTypeOf<Stream.Stream.Success<Followed>["exit"]>().toEqualTypeOf<
        Exit.Exit<number, AccountNotFound | Outcome.CommandDefect>
      >()
      expectTypeOf<Stream.Stream.Error<Followed>>().toEqualTypeOf<
        Outcome.Unavailable | Outcome.Overloaded | Feed.FeedTrimmed
      >()
      // @ts-expect-error branded ids must be made as such
      expectTypeOf<Parameters<Client["Balance"]>[0]>().toEqualTypeOf<{ readonly account: string }>()
    })

    it("of handlers", () => {
      type Handlers = StateMachine.HandlersOf<typeof Bank>
      expectTypeOf<Parameters<Handlers["Balance"]>>().toEqualTypeOf<
        [state: State, payload: { readonly account: AccountId }]
      >()
      expectTypeOf<ReturnType<Handlers["Open"]>>().toEqualTypeOf<Effect.Effect<readonly [reply: void, state: State]>>()
    })

    const handlers: StateMachine.HandlersOf<typeof Counter> = {
      Increment: (state) => Effect.succeed([state, state]),
      Value: (state) => Effect.succeed(state)
    }

    it("refuse handlers that don't fit", () => {
      const { Increment, Value } = handlers
      void (() => {
        // @ts-expect-error a handler is missing
        Counter.toLayer({ Increment })
        // @ts-expect-error no such command
        Counter.toLayer({ Increment, Value, Decrement: Increment })
        // @ts-expect-error the state is not of the state's type
        Counter.toLayer({ Value, Increment: () => Effect.succeed([1, "1"]) })
        // @ts-expect-error the reply is not of the success type
        Counter.toLayer({ Value, Increment: (state) => Effect.succeed(["1", state]) })
        // @ts-expect-error a command gives the next state along with its reply
        Counter.toLayer({ Value, Increment: (state) => Effect.succeed(state) })
        // @ts-expect-error a query does not move the state
        Counter.toLayer({ Increment, Value: (state) => Effect.succeed([state, state]) })
      })
    })

    it("refuse an error that the command does not declare, and services", () => {
      type Increment = StateMachine.HandlersOf<typeof Counter>["Increment"]
      expectTypeOf(() => Effect.fail("no" as const)).not.toExtend<Increment>()
      expectTypeOf((state: number) => Effect.map(Bank.client, () => [state, state] as const)).not.toExtend<Increment>()
      expectTypeOf((state: number) => Effect.succeed([state, state] as const)).toExtend<Increment>()
    })

    it("refuse machines that don't fit", () => {
      void (() => {
        // @ts-expect-error the initial state is not of the state's type
        StateMachine.make("M", { version: 1, state: Schema.Int, initial: "0", commands: [], queries: [] })
        class Key extends Context.Tag("Key")<Key, string>() {}
        const Sealed = Schema.transformOrFail(Schema.String, Schema.String, {
          decode: (text) => Effect.as(Key, text),
          encode: (text) => Effect.as(Key, text)
        })
        // @ts-expect-error a schema that needs services
        StateMachine.make("M", { version: 1, state: Sealed, initial: "", commands: [], queries: [] })
        const Seal = Rpc.make("Seal", { payload: Sealed })
        // @ts-expect-error a payload whose schema needs services
        StateMachine.make("M", { version: 1, state: Schema.Int, initial: 0, commands: [Seal], queries: [] })
      })
    })

    it("refuse calls that don't fit", () => {
      void ((bank: StateMachine.ClientOf<typeof Bank>) => {
        // @ts-expect-error a field is missing
        void bank.Transfer({ from: alice, to: bob })
        // @ts-expect-error no such command
        void bank.Close({ account: alice })
      })
    })
  })
})

const Increment = Rpc.make("Increment", { success: Schema.Int })
const Value = Rpc.make("Value", { success: Schema.Int })

const Counter = StateMachine.make("Counter", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands: [Increment],
  queries: [Value]
})

const CounterTest = StateMachine.layerLocal(Counter).pipe(
  Layer.provide(
    Counter.toLayer({
      Increment: (state) => Effect.succeed([state + 1, state + 1]),
      Value: (state) => Effect.succeed(state)
    })
  )
)

const by = Schema.Int.pipe(
  Schema.propertySignature,
  Schema.withConstructorDefault(() => 7)
)

class ByClass extends Schema.Class<ByClass>("ByClass")({ by }) {}

const Defaults = StateMachine.make("Defaults", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands: [
    Rpc.make("Struct", { payload: { by }, success: Schema.Int }),
    Rpc.make("Class", { payload: ByClass, success: Schema.Int })
  ],
  queries: []
})

const DefaultsTest = StateMachine.layerLocal(Defaults).pipe(
  Layer.provide(
    Defaults.toLayer({
      Struct: (state, payload) => Effect.succeed([payload.by, state]),
      Class: (state, payload) => Effect.succeed([payload.by, state])
    })
  )
)
