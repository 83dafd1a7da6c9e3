import { Rpc } from "@effect/rpc"
import { assert, describe, it } from "@effect/vitest"
import { Feed, FeedWindow, StateMachine } from "@synod/state-machine"
import { Array, Chunk, Effect, Either, Exit, FastCheck, Fiber, Layer, Schema, Stream } from "effect"
import { AccountNotFound, alice, Bank, BankLive, bob, InsufficientFunds } from "./Bank.js"

const record = (slot: number, index: number, size = 0): Feed.Record => ({
  slot,
  index,
  time: slot * 10,
  command: new Uint8Array(size),
  answer: Uint8Array.of(slot % 256, index % 256)
})

const slotOf = (slot: number, count: number, size?: number) => Array.makeBy(count, (index) => record(slot, index, size))

describe("Feed", () => {
  it("orders positions: through a command of a slot, then through all of it", () => {
    const inOrder: ReadonlyArray<Feed.Position> = [
      { slot: 0 },
      { slot: 1, index: 0 },
      { slot: 1, index: 1 },
      { slot: 1 },
      { slot: 2, index: 0 }
    ]
    for (const [i, a] of inOrder.entries()) {
      for (const [j, b] of inOrder.entries()) assert.strictEqual(Feed.isBefore(a, b), i < j, `${i} before ${j}`)
    }
  })

  it("pages come back as they were", () => {
    const Numbers = FastCheck.nat({ max: 2 ** 40 })
    const Bytes = FastCheck.uint8Array({ maxLength: 300 })
    const Records = FastCheck.array(
      FastCheck.record({ slot: Numbers, index: Numbers, time: Numbers, command: Bytes, answer: Bytes })
    )
    FastCheck.assert(
      FastCheck.property(Records, (records) => {
        const bytes = Feed.encode(records)
        assert.deepStrictEqual(Either.getOrThrow(Feed.decode(bytes)), records)
        assert.strictEqual(records.reduce((sum, one) => sum + Feed.sizeOf(one), 0) <= bytes.length, true)
      })
    )
  })

  it("bytes that are no page are refused, whatever they claim", () => {
    const bytes = Feed.encode([record(1, 0, 20), record(2, 0, 20)])
    for (let length = 0; length < bytes.length; length++) {
      assert.isTrue(Either.isLeft(Feed.decode(bytes.subarray(0, length))), `cut to ${length}`)
    }
    assert.isTrue(Either.isLeft(Feed.decode(Uint8Array.of(...bytes, 0))))
    assert.isTrue(Either.isLeft(Feed.decode(Uint8Array.of(2, 0))))
    assert.isTrue(Either.isLeft(Feed.decode(Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 15))))
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array(), (any) => void Feed.decode(any)))
  })

  it("a page that repeats, goes back or stops short of its elements is out of order", () => {
    const page = (through: Feed.Position, ...records: ReadonlyArray<Feed.Record>) => ({ records, through })
    const after = { slot: 3, index: 1 }
    assert.isTrue(Feed.isInOrder(page({ slot: 5 }, record(3, 2), record(5, 0)), after))
    assert.isTrue(Feed.isInOrder(page(after), after))
    assert.isTrue(Feed.isInOrder(page({ slot: 9 }), undefined))
    assert.isFalse(Feed.isInOrder(page({ slot: 5 }, record(3, 1), record(5, 0)), after))
    assert.isFalse(Feed.isInOrder(page({ slot: 5 }, record(5, 0), record(4, 0)), after))
    assert.isFalse(Feed.isInOrder(page({ slot: 5, index: 0 }, record(5, 0), record(5, 1)), after))
    assert.isFalse(Feed.isInOrder(page({ slot: 3, index: 0 }), after))
  })
})

describe("FeedWindow", () => {
  it("page after page gives every element once, however short pages are and wherever they end", () => {
    const Slots = FastCheck.array(FastCheck.nat({ max: 5 }), { maxLength: 30 })
    FastCheck.assert(
      FastCheck.property(Slots, FastCheck.integer({ min: 1, max: 120 }), FastCheck.nat(40), (counts, bytes, skip) => {
        const window = FeedWindow.make(7, 1_000_000)
        const all = counts.flatMap((count, i) => {
          const records = slotOf(8 + i, count, 3)
          window.append(8 + i, records, 100)
          return records
        })
        const from = skip < all.length ? { slot: all[skip]!.slot, index: all[skip]!.index } : { slot: 7 }
        const found: Array<Feed.Record> = []
        let after: Feed.Position = from
        for (;;) {
          const page = window.page(after, bytes)!
          assert.isTrue(Feed.isInOrder(page, after))
          found.push(...page.records)
          after = page.through
          if (page.records.length === 0) break
        }
        assert.deepStrictEqual(
          found,
          all.filter((one) => Feed.isBefore(from, one))
        )
        assert.deepStrictEqual(after, { slot: 7 + counts.length })
      })
    )
  })

  it("says that it lacks what it let go, and never leaves it out", () => {
    const window = FeedWindow.make(0, 100)
    for (let slot = 1; slot <= 10; slot++) window.append(slot, slotOf(slot, 2), 30)
    assert.strictEqual(window.from(), 7)
    assert.isUndefined(window.page({ slot: 6 }, 1_000))
    assert.isUndefined(window.page({ slot: 7, index: 0 }, 1_000))
    assert.strictEqual(window.page({ slot: 7 }, 1_000)!.records.length, 6)
    assert.strictEqual(window.page({ slot: 8, index: 0 }, 1_000)!.records.length, 5)
    assert.strictEqual(window.ahead({ slot: 8, index: 0 }), 90)
    assert.strictEqual(window.ahead({ slot: 9 }), 30)
    // What nothing was done in takes no room.
    for (let slot = 11; slot <= 50; slot++) window.append(slot, [], 1_000)
    assert.deepStrictEqual(window.page({ slot: 10 }, 1_000), { records: [], through: { slot: 50 } })
    assert.strictEqual(window.from(), 7)
  })

  it("keeps one slot at least, and goes on after another one", () => {
    const window = FeedWindow.make(0, 0)
    window.append(1, slotOf(1, 3), 500)
    assert.strictEqual(window.page({ slot: 0 }, 1_000)!.records.length, 3)
    window.append(2, slotOf(2, 1), 500)
    assert.isUndefined(window.page({ slot: 0 }, 1_000))
    window.reset(40)
    assert.isUndefined(window.page({ slot: 39 }, 1_000))
    assert.deepStrictEqual(window.page({ slot: 40 }, 1_000), { records: [], through: { slot: 40 } })
    // Of what is not applied yet it says no more than that.
    assert.deepStrictEqual(window.page({ slot: 45, index: 2 }, 1_000), { records: [], through: { slot: 45, index: 2 } })
  })

  it("holds no more slots than its bound allows, however many go through it", () => {
    const window = FeedWindow.make(0, 1_000)
    for (let slot = 1; slot <= 50_000; slot++) window.append(slot, slotOf(slot, 1), 100)
    assert.strictEqual(window.from(), 49_990)
    assert.deepStrictEqual(
      window.page({ slot: 49_995 }, 1_000)!.records.map(({ slot }) => slot),
      [49_996, 49_997, 49_998, 49_999, 50_000]
    )
  })
})

const BankTest = StateMachine.layerLocal(Bank).pipe(Layer.provide(BankLive))

const after = { slot: 0 }

describe("a client follows", () => {
  it.effect("what is applied: payloads, successes, and errors that changed nothing", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      const following = yield* Effect.fork(Stream.runCollect(Stream.take(bank.applied({ after }), 4)))
      yield* bank.Open({ account: alice, amount: 3 })
      yield* Effect.flip(bank.Transfer({ from: alice, to: bob, amount: 1 }))
      yield* bank.Open({ account: bob, amount: 0 })
      yield* Effect.flip(bank.Transfer({ from: alice, to: bob, amount: 4 }))
      const all = Chunk.toReadonlyArray(yield* Fiber.join(following))
      assert.deepStrictEqual(
        all.map(({ command, exit, payload }) => ({ command, payload, exit })),
        [
          { command: "Open", payload: { account: alice, amount: 3 }, exit: Exit.void },
          {
            command: "Transfer",
            payload: { from: alice, to: bob, amount: 1 },
            exit: Exit.fail(new AccountNotFound({ account: bob }))
          },
          { command: "Open", payload: { account: bob, amount: 0 }, exit: Exit.void },
          {
            command: "Transfer",
            payload: { from: alice, to: bob, amount: 4 },
            exit: Exit.fail(new InsufficientFunds({ account: alice, balance: 3 }))
          }
        ]
      )
      const rest = yield* Stream.runCollect(Stream.take(bank.applied({ after: all[1]!.position }), 2))
      assert.deepStrictEqual(Chunk.toReadonlyArray(rest), all.slice(2))
      const [third] = yield* Stream.runCollect(Stream.take(bank.applied({ after: { slot: all[1]!.position.slot } }), 1))
      assert.deepStrictEqual(third, all[2])
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("from now on, unless it says from where", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      yield* bank.Open({ account: alice, amount: 3 })
      const following = yield* Effect.fork(Stream.runCollect(Stream.take(bank.applied(), 1)))
      yield* asked
      yield* bank.Open({ account: bob, amount: 1 })
      const [first] = yield* Fiber.join(following)
      assert.deepStrictEqual(first?.payload, { account: bob, amount: 1 })
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("a query: the answer now, and each other one, with its errors", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      const take = (count: number, options?: { readonly after: number }) =>
        Effect.map(
          Stream.runCollect(Stream.take(bank.follow.Balance({ account: alice }, options), count)),
          Chunk.toReadonlyArray
        )
      const following = yield* Effect.fork(take(3))
      yield* asked
      yield* bank.Open({ account: bob, amount: 7 })
      yield* bank.Open({ account: alice, amount: 3 })
      yield* bank.Open({ account: alice, amount: 3 })
      yield* Effect.flip(bank.Transfer({ from: alice, to: bob, amount: 4 }))
      yield* bank.Transfer({ from: alice, to: bob, amount: 1 })
      const all = yield* Fiber.join(following)
      assert.deepStrictEqual(
        all.map(({ exit }) => exit),
        [Exit.fail(new AccountNotFound({ account: alice })), Exit.succeed(3), Exit.succeed(2)]
      )
      assert.deepStrictEqual(
        all.map(({ slot }) => slot),
        [1, 3, 6]
      )
      assert.deepStrictEqual(yield* take(1, { after: 3 }), all.slice(2))
      const now = yield* take(1)
      assert.deepStrictEqual(now[0]!.exit, Exit.succeed(2))
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("an exit ends a stream that wants values only", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      const values = Stream.mapEffect(bank.follow.Balance({ account: alice }), ({ exit }) => exit)
      const following = yield* Effect.fork(Effect.flip(Stream.runDrain(values)))
      assert.deepStrictEqual(yield* Fiber.join(following), new AccountNotFound({ account: alice }))
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("no further back than is remembered, and is told so", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      yield* bank.Open({ account: alice, amount: 3 })
      // A query is followed here from its first use on.
      const late = yield* Effect.flip(Stream.runDrain(bank.follow.Balance({ account: alice }, { after: 0 })))
      assert.deepStrictEqual(late, new Feed.FeedTrimmed({ earliest: 2 }))
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("what no handler took is no element, and what can't be read here ends the stream", () =>
    Effect.gen(function* () {
      const caller = yield* Bank.caller
      const other = yield* Effect.provideService(Other.client, Other.caller, caller as never)
      const bank = yield* Bank.client
      yield* Effect.flip(other.Close({ account: alice }))
      yield* bank.Open({ account: alice, amount: 3 })
      const [first] = yield* Stream.runCollect(Stream.take(bank.applied({ after }), 1))
      assert.strictEqual(first?.command, "Open")
      const exit = yield* Effect.exit(Stream.runDrain(other.applied({ after })))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("nothing that its schema refuses", () =>
    Effect.gen(function* () {
      const counted = yield* Bank.client
      const exit = yield* Effect.exit(Stream.runDrain(counted.follow.Balance({ account: 7 as never })))
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
    }).pipe(Effect.provide(BankTest))
  )
})

/** Whoever was forked has asked for its first element. */
const asked = Effect.repeatN(Effect.yieldNow(), 100)

/** The bank in a version that can do more and knows less. */
const Other = StateMachine.make("Bank", {
  version: 2,
  state: Schema.Int,
  initial: 0,
  commands: [Rpc.make("Close", { payload: { account: Schema.String } })],
  queries: []
})
