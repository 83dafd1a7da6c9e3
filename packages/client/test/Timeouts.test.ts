import { expect, it } from "@effect/vitest"
import { Timeouts } from "@synod/client"
import { Deferred, Effect, Exit, Fiber, Scope, TestClock } from "effect"

const late = () => Effect.fail("late")

/** Never ends, and notes that it was interrupted. */
const endless = (interrupted: Array<string>, name: string) =>
  Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push(name)))

it.scoped("an effect that ends in time is what it was", () =>
  Effect.gen(function* () {
    const timeouts = yield* Timeouts.make
    expect(yield* timeouts.within(Effect.succeed(1), 10, late)).toBe(1)
    expect(yield* Effect.flip(timeouts.within(Effect.fail("no"), 10, late))).toBe("no")
    const defect = yield* Effect.exit(timeouts.within(Effect.die("broken"), 10, late))
    expect(defect).toEqual(Exit.die("broken"))
  })
)

it.scoped("each is interrupted when its own time is up, whoever was there first", () =>
  Effect.gen(function* () {
    const interrupted: Array<string> = []
    const timeouts = yield* Timeouts.make
    const within = (name: string, millis: number) =>
      Effect.fork(Effect.flip(timeouts.within(endless(interrupted, name), millis, late)))
    const slow = yield* within("slow", 100)
    yield* TestClock.adjust(10)
    const quick = yield* within("quick", 20)
    yield* TestClock.adjust(19)
    expect(interrupted).toEqual([])
    yield* TestClock.adjust(1)
    expect(yield* Fiber.join(quick)).toBe("late")
    expect(interrupted).toEqual(["quick"])
    yield* TestClock.adjust(69)
    expect(interrupted).toEqual(["quick"])
    yield* TestClock.adjust(1)
    expect(yield* Fiber.join(slow)).toBe("late")
    expect(interrupted).toEqual(["quick", "slow"])
  })
)

it.scoped("one that begins after others have ended has all of its time", () =>
  Effect.gen(function* () {
    const interrupted: Array<string> = []
    const timeouts = yield* Timeouts.make
    yield* timeouts.within(Effect.void, 100, late)
    yield* TestClock.adjust(99)
    const fiber = yield* Effect.fork(Effect.flip(timeouts.within(endless(interrupted, "second"), 100, late)))
    yield* TestClock.adjust(99)
    expect(interrupted).toEqual([])
    yield* TestClock.adjust(1)
    expect(yield* Fiber.join(fiber)).toBe("late")
  })
)

it.scoped("whoever is interrupted interrupts the effect, and waits for its end", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const timeouts = yield* Timeouts.make
    let ended = false
    const effect = Effect.onInterrupt(Effect.never, () =>
      Effect.zipRight(
        Deferred.await(gate),
        Effect.sync(() => (ended = true))
      )
    )
    const fiber = yield* Effect.fork(timeouts.within(effect, 100, late))
    yield* TestClock.adjust(0)
    const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
    yield* TestClock.adjust(0)
    expect(ended).toBe(false)
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(interrupting)
    expect(ended).toBe(true)
  })
)

it.effect("what runs when the scope closes is interrupted", () =>
  Effect.gen(function* () {
    const interrupted: Array<string> = []
    const scope = yield* Scope.make()
    const timeouts = yield* Scope.extend(Timeouts.make, scope)
    const fiber = yield* Effect.fork(timeouts.within(endless(interrupted, "one"), 100, late))
    yield* TestClock.adjust(0)
    yield* Scope.close(scope, Exit.void)
    expect(interrupted).toEqual(["one"])
    expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
  })
)
