/**
 * Reads at followers: as new as asked, answered without the leader's machine, and by nobody who can't know.
 */
import { expect, it } from "@effect/vitest"
import { ReplicaConfig } from "@synod/replica"
import { Consistency } from "@synod/state-machine"
import { Effect, Fiber } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

const setting = Effect.gen(function* () {
  const cluster = yield* Cluster.make()
  const leader = yield* cluster.leader
  const follower = cluster.nodes.find((node) => node !== leader)!
  const writer = yield* cluster.client([leader])
  const reader = yield* cluster.client([follower], { reads: "nearest", deadline: "3 seconds" })
  return { cluster, leader, follower, writer, reader }
})

it.scoped("a follower answers linearizable reads, and never from before the last answer to anybody", () =>
  Effect.gen(function* () {
    const { reader, writer } = yield* setting
    for (let n = 1; n <= 50; n++) {
      const key = String(n)
      yield* writer.Add({ key })
      expect(yield* Effect.all([reader.Positions({ key }), reader.Positions({ key })], all)).toEqual([[n], [n]])
    }
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("reads that wait at a follower cost the leader one question", () =>
  Effect.gen(function* () {
    const { cluster, follower, leader, writer } = yield* setting
    yield* writer.Add({ key: "a" })
    const release = yield* cluster.hold(leader, "proposer")
    const endpoint = cluster.endpoint(follower)
    const reads = yield* Effect.forEach(Array.from({ length: 20 }), () =>
      Effect.fork(endpoint.query([], "linearizable"))
    )
    yield* Effect.sleep("50 millis")
    const before = cluster.questions()
    yield* release
    const told = yield* Effect.forEach(reads, Fiber.join)
    expect(told.every((answers) => answers.leader === leader && answers.slot >= 2)).toBe(true)
    // The first read's question was under way; the others came while it was.
    expect(before).toBe(1)
    expect(cluster.questions()).toBe(2)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("reads that come while the leader confirms its ballot for others are all answered", () =>
  Effect.gen(function* () {
    const { cluster, leader, writer } = yield* setting
    yield* writer.Add({ key: "a" })
    const endpoint = cluster.endpoint(leader)
    const reads = yield* Effect.forEach(Array.from({ length: 100 }), () =>
      Effect.zipLeft(Effect.fork(endpoint.query([], "linearizable")), Effect.yieldNow())
    )
    const answers = yield* Effect.timeout(Effect.forEach(reads, Fiber.join), "5 seconds")
    expect(answers.length).toBe(100)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a follower that is cut off answers no linearizable read, and none of a slot that it lacks", () =>
  Effect.gen(function* () {
    const { cluster, follower, reader, writer } = yield* setting
    yield* writer.Add({ key: "a" })
    yield* Consistency.atLeast(yield* writer.seen)(reader.Positions({ key: "a" }))
    cluster.isolate(follower)
    yield* writer.Add({ key: "b" })
    const seen = yield* writer.seen
    const read = reader.Positions({ key: "b" })
    expect((yield* Effect.flip(read))._tag).toBe("Unavailable")
    expect((yield* Effect.flip(Consistency.atLeast(seen)(read)))._tag).toBe("Unavailable")
    expect(yield* Consistency.readYourWrites(read)).toEqual([])
    expect(yield* Consistency.stale(read)).toEqual([])
    const waits = yield* Effect.fork(Consistency.atLeast(seen)(read))
    yield* Effect.sleep("1 second")
    cluster.heal()
    expect(yield* Fiber.join(waits)).toEqual([2])
    expect(yield* reader.seen).toBeGreaterThanOrEqual(seen)
    expect(yield* Consistency.readYourWrites(read)).toEqual([2])
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a client that wrote at the leader reads its writes at another replica", () =>
  Effect.gen(function* () {
    const { cluster, follower, leader } = yield* setting
    const client = yield* cluster.client([follower, leader], { reads: "nearest" })
    for (let n = 1; n <= 30; n++) {
      yield* client.Add({ key: String(n) })
      expect(yield* Consistency.readYourWrites(client.Positions({ key: String(n) }))).toEqual([n])
    }
  }).pipe(Effect.scoped, VirtualTime.provide)
)

const all = { concurrency: "unbounded" } as const

it.scoped("more reads than may wait are refused, and those that gave up make room", () =>
  Effect.gen(function* () {
    const config = { ...ReplicaConfig.defaults, waitingReads: 3 }
    const cluster = yield* Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, config)
    const leader = yield* cluster.leader
    const endpoint = cluster.endpoint(leader)
    const release = yield* cluster.hold(leader, "proposer")
    const ask = Effect.zipLeft(Effect.fork(Effect.either(endpoint.query([], "linearizable"))), VirtualTime.turn)
    const waiting = yield* Effect.forEach([1, 2, 3], () => ask)
    const tag = yield* Effect.map(Effect.flip(endpoint.query([], "linearizable")), ({ _tag }) => _tag)
    expect(tag).toBe("Overloaded")
    yield* Fiber.interrupt(waiting[0]!)
    const late = yield* ask
    yield* release
    const answers = yield* Effect.forEach([waiting[1]!, waiting[2]!, late], Fiber.join)
    expect(answers.map(({ _tag }) => _tag)).toEqual(["Right", "Right", "Right"])
    expect((yield* endpoint.query([], "linearizable")).slot).toBeGreaterThanOrEqual(0)
  }).pipe(Effect.scoped, VirtualTime.provide)
)
