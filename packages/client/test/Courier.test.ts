import { expect, it } from "@effect/vitest"
import { ClientConfig, ClientRpcs, Courier, Endpoint } from "@synod/client"
import { Effect, Fiber, TestClock } from "effect"
import * as Replicas from "./Replicas.js"

const envelope = Uint8Array.of(1)

/** Endpoints that answer as `reply` says, and note who was asked. */
const network = (
  reply: (node: number, time: number) => Effect.Effect<Uint8Array, ClientRpcs.NotLeader | Endpoint.Unreachable>
) => {
  const asked: Array<number> = []
  const endpoint = (node: number): Endpoint.Endpoint => ({
    ...Replicas.notSent,
    submit: () => Effect.suspend(() => reply(node, asked.push(node)))
  })
  const endpoints = new Map([1, 2, 3].map((node) => [node, endpoint(node)]))
  return Effect.map(Courier.make(endpoints, ClientConfig.defaults), (courier) => ({ asked, courier }))
}

it.scoped("a hint is followed at once, and remembered", () =>
  Effect.gen(function* () {
    const { asked, courier } = yield* network((node) =>
      node === 3 ? Effect.succeed(envelope) : new ClientRpcs.NotLeader({ leader: 3 })
    )
    yield* courier.submit(envelope, 1_000)
    yield* courier.submit(envelope, 1_000)
    expect(asked).toEqual([1, 3, 3])
  })
)

it.scoped("a hint to nobody, or to the one that gave it, is none: all are asked in turn", () =>
  Effect.gen(function* () {
    const { asked, courier } = yield* network((node) =>
      node === 3 ? Effect.succeed(envelope) : new ClientRpcs.NotLeader({ leader: node === 1 ? 77 : 2 })
    )
    const fiber = yield* Effect.fork(courier.submit(envelope, 1_000))
    yield* TestClock.adjust("100 millis")
    yield* Fiber.join(fiber)
    expect(asked).toEqual([1, 2, 3])
  })
)

it.scoped("hints in a circle are followed ever more slowly, up to the deadline", () =>
  Effect.gen(function* () {
    const { asked, courier } = yield* network((node) => new ClientRpcs.NotLeader({ leader: node === 1 ? 2 : 1 }))
    const fiber = yield* Effect.fork(Effect.flip(courier.submit(envelope, 10_000)))
    yield* TestClock.adjust("10 seconds")
    expect(yield* Fiber.join(fiber)).toMatchObject({ unsure: false })
    expect(asked.length).toBeGreaterThan(190)
    expect(asked.length).toBeLessThan(220)
  })
)

it.scoped("a leader that stopped: the others are asked, and it is found when another leads", () =>
  Effect.gen(function* () {
    let leader = 1
    const { asked, courier } = yield* network((node) =>
      node === 1 && leader !== 1
        ? new Endpoint.Unreachable({ reason: "node 1 has stopped", sent: true })
        : node === leader
          ? Effect.succeed(envelope)
          : new ClientRpcs.NotLeader(leader === 2 ? { leader } : { leader: 1 })
    )
    yield* courier.submit(envelope, 1_000)
    leader = 0
    const fiber = yield* Effect.fork(courier.submit(envelope, 10_000))
    yield* TestClock.adjust("400 millis")
    const tries = asked.length
    expect(tries).toBeLessThan(20)
    leader = 2
    yield* TestClock.adjust("200 millis")
    yield* Fiber.join(fiber)
    expect(asked.at(-1)).toBe(2)
  })
)

it.scoped("a deadline that has passed asks nobody", () =>
  Effect.gen(function* () {
    const { asked, courier } = yield* network(() => Effect.succeed(envelope))
    expect(yield* Effect.flip(courier.submit(envelope, 0))).toMatchObject({
      unsure: false,
      reason: "no replica was asked"
    })
    expect(asked).toEqual([])
  })
)
