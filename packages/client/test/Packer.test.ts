import { expect, it } from "@effect/vitest"
import { Packer } from "@synod/client"
import { Deferred, Effect, Exit, Fiber, TestClock } from "effect"

const bytes = (length: number) => new Uint8Array(length)
const all = { concurrency: "unbounded" } as const

const make = (
  send: (calls: ReadonlyArray<Packer.Call<string>>) => Effect.Effect<void>,
  options?: { readonly requests?: number; readonly waiting?: number }
) =>
  Packer.make<string>({
    requests: 2,
    calls: 4,
    bytes: 10,
    waiting: 100,
    deadline: 1_000,
    overloaded: () => "overloaded",
    ...options,
    send
  })

const answer = (calls: ReadonlyArray<Packer.Call<string>>) =>
  Effect.sync(() => calls.forEach(({ bytes, end }) => end(Effect.succeed(bytes))))

it.scoped("a request holds so many calls and bytes, and a longer call goes alone", () =>
  Effect.gen(function* () {
    const sizes: Array<ReadonlyArray<number>> = []
    const packer = yield* make((calls) => {
      sizes.push(calls.map((call) => call.bytes.length))
      return answer(calls)
    })
    yield* Effect.forEach([1, 1, 1, 1, 1, 5, 4, 20, 3], (length) => packer.call(bytes(length)), all)
    expect(sizes).toEqual([[1, 1, 1, 1], [1, 5, 4], [20], [3]])
  })
)

it.scoped("no more requests than may be under way; what waits goes together", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    let under = 0
    const sizes: Array<number> = []
    const packer = yield* make((calls) => {
      sizes.push(calls.length)
      expect(++under).toBeLessThanOrEqual(2)
      return Deferred.await(gate).pipe(Effect.zipRight(answer(calls)), Effect.ensuring(Effect.sync(() => under--)))
    })
    const fibers = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
      Effect.zipLeft(Effect.fork(packer.call(bytes(1))), TestClock.adjust(0))
    )
    expect(sizes).toEqual([1, 1])
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.joinAll(fibers)
    expect(sizes).toEqual([1, 1, 3])
  })
)

it.scoped("a request that dies ends its calls, and its place is free again", () =>
  Effect.gen(function* () {
    let n = 0
    const packer = yield* make((calls) => (++n <= 3 ? Effect.dieMessage("a bug") : answer(calls)), { requests: 1 })
    for (let i = 0; i < 3; i++) expect(Exit.isFailure(yield* Effect.exit(packer.call(bytes(1))))).toBe(true)
    yield* packer.call(bytes(1))
  })
)

it.scoped("calls that are withdrawn leave no trace", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const sizes: Array<number> = []
    const packer = yield* make(
      (calls) => {
        sizes.push(calls.length)
        return Effect.zipRight(Deferred.await(gate), answer(calls))
      },
      { requests: 1, waiting: 2 }
    )
    const first = yield* Effect.fork(packer.call(bytes(1)))
    yield* TestClock.adjust(0)
    for (let i = 0; i < 10; i++) {
      const waits = yield* Effect.fork(packer.call(bytes(1)))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(waits)
    }
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(first)
    yield* packer.call(bytes(1))
    expect(sizes).toEqual([1, 1])
  })
)
