import { describe, expect, it } from "@effect/vitest"
import { Actor } from "@synod/replica"
import { Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { turn } from "./VirtualTime.js"

/** An actor that counts what it is told, and notes what its turns do. */
const counter = (options?: {
  readonly fails?: Actor.Failure
  readonly mailbox?: number
  readonly gate?: Effect.Effect<void>
}) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const note = (what: string) => (asked: ReadonlyArray<Actor.Asked<number, string>>) => {
      log.push(`${what} ${asked.map(({ action }) => action).join(",")}`)
      return Effect.void
    }
    const actor = yield* Actor.make<number, number, string>({
      name: "counter",
      initial: 0,
      mailbox: options?.mailbox ?? 16,
      step: (state, input) => ({ state: state + input, actions: [`+${input}`] }),
      persist: (asked) =>
        Effect.andThen(
          options?.gate ?? Effect.void,
          Effect.suspend(() => (options?.fails === undefined ? note("persist")(asked) : Effect.fail(options.fails)))
        ),
      send: note("send"),
      deliver: note("deliver")
    })
    return { actor, log }
  })

it.scoped("a turn persists, then sends, then delivers", () =>
  Effect.gen(function* () {
    const { actor, log } = yield* counter()
    yield* Effect.forkScoped(actor.run)
    actor.tell(1)
    yield* turn
    expect(log).toEqual(["persist +1", "send +1", "deliver +1"])
    expect(actor.state()).toBe(1)
  })
)

it.scoped("what waits in the mailbox becomes one turn: one persist, one send", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const { actor, log } = yield* counter({ gate: Deferred.await(gate) })
    yield* Effect.forkScoped(actor.run)
    actor.tell(1)
    yield* turn
    for (const n of [2, 3, 4]) actor.tell(n)
    expect(log).toEqual([])
    yield* Deferred.succeed(gate, undefined)
    yield* turn
    expect(log).toEqual([
      "persist +1",
      "send +1",
      "deliver +1",
      "persist +2,+3,+4",
      "send +2,+3,+4",
      "deliver +2,+3,+4"
    ])
    expect(actor.state()).toBe(10)
  })
)

it.scoped("nothing is said of what could not be made durable, and the state stays as it was", () =>
  Effect.gen(function* () {
    const { actor, log } = yield* counter({ fails: { message: "the disk is full" } })
    const run = yield* Effect.fork(actor.run)
    actor.tell(1)
    expect(yield* Fiber.await(run)).toEqual(Exit.fail({ message: "the disk is full" }))
    expect(log).toEqual([])
    expect(actor.state()).toBe(0)
  })
)

it.scoped("a step that breaks an invariant ends the actor before it persists or speaks", () =>
  Effect.gen(function* () {
    const said: Array<string> = []
    const actor = yield* Actor.make<number, number, string>({
      name: "broken",
      initial: 0,
      mailbox: 16,
      step: (state, input) => {
        if (input === 2) throw new Error("it does not hold")
        return { state: state + input, actions: ["say"] }
      },
      persist: () => Effect.sync(() => void said.push("persist")),
      send: () => Effect.sync(() => void said.push("send"))
    })
    const run = yield* Effect.fork(actor.run)
    actor.tell(1)
    actor.tell(2)
    expect(Exit.isFailure(yield* Fiber.await(run))).toBe(true)
    expect(said).toEqual([])
  })
)

it.scoped("a full mailbox loses what it is told, and makes who offers wait", () =>
  Effect.gen(function* () {
    const { actor } = yield* counter({ mailbox: 2 })
    expect([actor.tell(1), actor.tell(1), actor.tell(1)]).toEqual([true, true, false])
    const offered = yield* Effect.fork(actor.offer(10))
    yield* turn
    expect(yield* Fiber.poll(offered)).toEqual(expect.objectContaining({ _tag: "None" }))
    yield* Effect.forkScoped(actor.run)
    yield* Fiber.join(offered)
    yield* turn
    expect(actor.state()).toBe(12)
  })
)

describe("a crash at a checkpoint", () => {
  const done: ReadonlyArray<readonly [Actor.Point, ReadonlyArray<string>]> = [
    ["persist", []],
    ["send", ["persist +1"]],
    ["deliver", ["persist +1", "send +1"]],
    ["end", ["persist +1", "send +1", "deliver +1"]]
  ]
  for (const [point, expected] of done) {
    it.scoped(`${point}: nothing of the turn happens behind it`, () =>
      Effect.gen(function* () {
        const { actor, log } = yield* counter()
        const run = yield* Effect.fork(actor.run)
        actor.tell(1)
        yield* Fiber.await(run)
        expect(log).toEqual(expected)
      }).pipe(
        Effect.provide(Layer.succeed(Actor.Checkpoint, (_actor, at) => (at === point ? Effect.interrupt : Effect.void)))
      )
    )
  }
})
