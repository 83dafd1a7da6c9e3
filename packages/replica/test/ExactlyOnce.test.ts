/**
 * Requests and replies that are lost, repeated and delayed between a client and the replicas: what was acknowledged was
 * applied once, and what was refused never.
 */
import { expect, it } from "@effect/vitest"
import { Endpoint } from "@synod/client"
import { Effect, Random } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

/** Loses a third of the requests and a third of the replies, repeats and delays others; says so like a connection would. */
const unreliable = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint => {
  const lost = Effect.flatMap(Random.nextIntBetween(0, 3), (n) =>
    n === 0 ? new Endpoint.Unreachable({ reason: "the connection broke", sent: true }) : Effect.void
  )
  const late = Effect.flatMap(Random.nextIntBetween(0, 300), (millis) => Effect.sleep(millis))
  return {
    ...endpoint,
    submit: (envelope) =>
      Effect.gen(function* () {
        if (yield* Random.nextBoolean) {
          yield* Effect.forkDaemon(Effect.ignore(Effect.zipRight(late, endpoint.submit(envelope))))
        }
        yield* lost
        const reply = yield* endpoint.submit(envelope)
        yield* lost
        return reply
      })
  }
}

for (const seed of [1, 2, 3]) {
  it.scoped(`lost, repeated and late requests are applied once (seed ${seed})`, () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make()
      const steady = yield* cluster.client(cluster.nodes)
      const shaky = yield* Effect.forEach([0, 1, 2], () =>
        cluster.client(cluster.nodes, { attempt: "500 millis", commands: 4 }, unreliable)
      )
      // Few calls a request and few requests, so that sequences overtake each other.
      const load = yield* Cluster.load([...shaky, ...shaky, ...shaky, ...shaky])
      yield* load.progress(200)
      yield* cluster.kill(yield* cluster.leader)
      yield* load.progress(200)
      for (const node of cluster.nodes) yield* cluster.start(node)
      yield* load.progress(200)
      const account = yield* load.stop
      expect(new Set(yield* cluster.digests).size).toBe(1)
      expect(Cluster.discrepancies(account, yield* steady.All())).toEqual([])
      expect(account.acknowledged.size).toBeGreaterThan(600)
    }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)), VirtualTime.provide)
  )
}

it.scoped("a command of unknown outcome is applied once or never, and one that was refused never", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const steady = yield* cluster.client(cluster.nodes)
    // Replies never come back: every outcome is unknown, and most commands are applied.
    const deaf = yield* cluster.client(cluster.nodes, { deadline: "800 millis", attempt: "50 millis" }, (endpoint) => ({
      ...endpoint,
      submit: (envelope) =>
        envelope.length === 2 ? endpoint.submit(envelope) : Effect.zipRight(endpoint.submit(envelope), Effect.never)
    }))
    // Requests never arrive.
    const mute = yield* cluster.client(cluster.nodes, { deadline: "800 millis" }, (endpoint) => ({
      ...endpoint,
      submit: () => new Endpoint.Unreachable({ reason: "no connection", sent: false })
    }))
    const load = yield* Cluster.load([steady, deaf, deaf, mute, mute])
    yield* Cluster.until(
      "some outcomes are unknown",
      Effect.sync(() => load.account.unknown.size >= 10)
    )
    yield* Cluster.until(
      "some are refused",
      Effect.sync(() => load.account.refused.size >= 10)
    )
    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    const all = yield* steady.All()
    expect(Cluster.discrepancies(account, all)).toEqual([])
    expect(all.filter(([key]) => account.unknown.has(key)).length).toBeGreaterThan(0)
  }).pipe(Effect.scoped, VirtualTime.provide)
)
