/** Reads by a lease: they cost no message, and end with it, for a leader that is cut off or stood still as for any other. */
import { expect, it } from "@effect/vitest"
import { ReplicaConfig } from "@synod/replica"
import { Consistency } from "@synod/state-machine"
import { Clock, Effect, Fiber, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

const duration = 400

const make = (lease: ReplicaConfig.Values["lease"] = { duration, drift: 0.01 }) =>
  Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, { ...ReplicaConfig.defaults, lease })

const quiet = Effect.provide(Logger.remove(Logger.defaultLogger))

it.scoped("a leader that is cut off answers leased reads until its lease ends, and others lead only then", () =>
  Effect.gen(function* () {
    const cluster = yield* make()
    const writer = yield* cluster.client(cluster.nodes, { attempt: "200 millis" })
    yield* writer.Add({ key: "old" })
    const leader = yield* cluster.leader
    const reader = yield* cluster.client([leader], { deadline: "2 seconds" })
    const read = reader.Positions({ key: "old" })
    const cut = yield* Clock.currentTimeMillis
    cluster.isolate(leader)
    // No message gets out or in: a linearizable read waits in vain.
    expect(yield* Consistency.leased(read)).toEqual([1])
    const linearizable = yield* Effect.fork(Effect.flip(read))
    const others = cluster.nodes.filter((node) => node !== leader)
    yield* Cluster.until(
      "another leads",
      Effect.map(Effect.forEach(others, cluster.status), (all) => all.some(({ phase }) => phase === "Leading"))
    )
    const replaced = (yield* Clock.currentTimeMillis) - cut
    // Its last grants are at most half a lease old when it is cut off.
    expect(replaced).toBeGreaterThanOrEqual(duration / 2)
    expect(replaced).toBeLessThanOrEqual(1_500)
    yield* writer.Add({ key: "new" })
    expect((yield* Effect.flip(Consistency.leased(reader.Positions({ key: "new" }))))._tag).toBe("Unavailable")
    expect((yield* Fiber.join(linearizable))._tag).toBe("Unavailable")
    cluster.heal()
    expect(yield* Consistency.leased(writer.Positions({ key: "new" }))).toEqual([2])
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("without leases a leased read is confirmed like a linearizable one", () =>
  Effect.gen(function* () {
    const cluster = yield* make("off")
    const leader = yield* cluster.leader
    const reader = yield* cluster.client([leader], { deadline: "2 seconds" })
    yield* reader.Add({ key: "a" })
    const read = Consistency.leased(reader.Positions({ key: "a" }))
    expect(yield* read).toEqual([1])
    cluster.isolate(leader)
    expect((yield* Effect.flip(read))._tag).toBe("Unavailable")
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("a leader whose machine is late looks at its lease again before it answers", () =>
  Effect.gen(function* () {
    const cluster = yield* make()
    const writer = yield* cluster.client(cluster.nodes)
    yield* writer.Add({ key: "a" })
    const leader = yield* cluster.leader
    const reader = yield* cluster.client([leader], { deadline: "3 seconds" })
    const release = yield* cluster.hold(leader, "learner")
    const other = cluster.nodes.find((node) => node !== leader)!
    const chosen = (yield* cluster.status(leader)).chosenThrough
    yield* Effect.fork(writer.Add({ key: "b" }))
    yield* Cluster.until(
      "it is chosen",
      Effect.map(cluster.status(other), ({ chosenThrough }) => chosenThrough > chosen)
    )
    const read = yield* Effect.fork(Effect.either(Consistency.leased(reader.Positions({ key: "b" }))))
    yield* Effect.sleep("100 millis")
    cluster.isolate(leader)
    yield* Effect.sleep("1 second")
    yield* release
    // Its lease is over, and it can have nothing confirmed.
    expect((yield* Fiber.join(read))._tag).toBe("Left")
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("a follower asks the leader for the slot, which a leased one tells at once", () =>
  Effect.gen(function* () {
    const cluster = yield* make()
    const leader = yield* cluster.leader
    const follower = cluster.nodes.find((node) => node !== leader)!
    const writer = yield* cluster.client([leader])
    const reader = yield* cluster.client([follower], { reads: "nearest" })
    for (let n = 1; n <= 30; n++) {
      yield* writer.Add({ key: String(n) })
      expect(yield* Consistency.leased(reader.Positions({ key: String(n) }))).toEqual([n])
    }
    // The leader can't reach the third, and its proposer does nothing: the answer needs neither.
    const release = yield* cluster.hold(leader, "proposer")
    const before = cluster.questions()
    expect(yield* Consistency.leased(reader.Positions({ key: "30" }))).toEqual([30])
    expect(cluster.questions()).toBe(before + 1)
    yield* release
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("hand-over ends the lease first, and needs no waiting", () =>
  Effect.gen(function* () {
    const cluster = yield* make({ duration: "5 seconds", drift: 0.01 })
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "a" })
    const leader = yield* cluster.leader
    expect(yield* Consistency.leased(client.Positions({ key: "a" }))).toEqual([1])
    const begun = yield* Clock.currentTimeMillis
    expect(yield* cluster.handOver(leader)).toBe(true)
    yield* client.Add({ key: "b" })
    expect((yield* Clock.currentTimeMillis) - begun).toBeLessThanOrEqual(500)
    const old = yield* cluster.client([leader], { reads: "nearest" })
    expect(yield* Consistency.leased(old.Positions({ key: "b" }))).toEqual([2])
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("a hand-over that nobody takes leaves the leader with a lease of its next ballot", () =>
  Effect.gen(function* () {
    const cluster = yield* make()
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "a" })
    const leader = yield* cluster.leader
    const { promised } = yield* cluster.status(leader)
    yield* Effect.forEach(
      cluster.nodes.filter((node) => node !== leader),
      (node) => cluster.hold(node, "election")
    )
    expect(yield* cluster.handOver(leader)).toBe(false)
    yield* Effect.sleep("300 millis")
    expect((yield* cluster.status(leader)).promised).not.toBe(promised)
    cluster.isolate(leader)
    const reader = yield* cluster.client([leader], { deadline: "2 seconds" })
    expect(yield* Consistency.leased(reader.Positions({ key: "a" }))).toEqual([1])
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)
