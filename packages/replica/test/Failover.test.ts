/**
 * The leader goes, by a kill or behind a cut: writes go on under another one, and reads never show an older state than was
 * acknowledged.
 */
import { expect, it } from "@effect/vitest"
import { ReplicaConfig } from "@synod/replica"
import { Consistency, Envelope } from "@synod/state-machine"
import { Clock, Effect, Fiber, FiberSet, Ref } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

it.scoped("the leader is killed under load: another leads within a second, the killed one returns and catches up", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    const load = yield* Cluster.load([client, client, client])
    yield* load.progress(100)
    const killed = yield* cluster.leader
    const before = yield* Clock.currentTimeMillis
    yield* cluster.kill(killed)
    // Three more than were under way when it died.
    yield* load.progress(6)
    expect((yield* Clock.currentTimeMillis) - before).toBeLessThan(1_000)
    expect(yield* cluster.leader).not.toBe(killed)
    yield* load.progress(100)
    yield* cluster.start(killed)
    yield* load.progress(100)

    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
    expect(account.unknown.size + account.refused.size).toBe(0)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped(
  "the next command after a kill is answered within 500 ms, in the median of many, and always within a second",
  () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make()
      const client = yield* cluster.client(cluster.nodes)
      const taken: Array<number> = []
      for (let n = 0; n < 31; n++) {
        yield* client.Add({ key: `${n} before` })
        const leader = yield* cluster.leader
        // At any time of a round.
        yield* Effect.sleep(`${(n * 70) % 110} millis`)
        const killed = yield* Clock.currentTimeMillis
        yield* cluster.kill(leader)
        yield* client.Add({ key: `${n} after` })
        taken.push((yield* Clock.currentTimeMillis) - killed)
        yield* cluster.start(leader)
      }
      taken.sort((a, b) => a - b)
      expect(taken[15]).toBeLessThanOrEqual(500)
      expect(taken[30]).toBeLessThanOrEqual(1_000)
    }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a replica that was away longer than memory reaches catches up from the journal of another", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    const leader = yield* cluster.leader
    const away = cluster.nodes.find((node) => node !== leader)!
    yield* cluster.kill(away)
    // One slot each, more than `keep`.
    for (let n = 0; n < 300; n++) yield* client.Add({ key: String(n) })
    yield* cluster.start(away)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect((yield* cluster.status(away)).appliedThrough).toBeGreaterThanOrEqual(300)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("no majority, no answer: writes end with their deadline, and those that were not sent say so", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes, { deadline: "3 seconds" })
    yield* client.Add({ key: "before" })
    const leader = yield* cluster.leader
    const others = cluster.nodes.filter((node) => node !== leader)
    for (const node of others) yield* cluster.kill(node)
    expect((yield* Effect.flip(client.Add({ key: "under way" })))._tag).toBe("OutcomeUnknown")
    yield* cluster.kill(leader)
    expect((yield* Effect.flip(client.Add({ key: "never sent" })))._tag).toBe("Unavailable")
    expect((yield* Effect.flip(client.Positions({ key: "before" })))._tag).toBe("Unavailable")

    for (const node of cluster.nodes) yield* cluster.start(node)
    expect(yield* client.Positions({ key: "before" })).toEqual([1])
    yield* client.Add({ key: "after" })
    expect(yield* client.Positions({ key: "never sent" })).toEqual([])
    expect((yield* client.Positions({ key: "under way" })).length).toBeLessThanOrEqual(1)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a read after an acknowledged write sees it, from any client, while leaders come and go", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const writer = yield* cluster.client(cluster.nodes)
    const readers = yield* Effect.forEach(cluster.nodes, (node) =>
      cluster.client([node, ...cluster.nodes.filter((other) => other !== node)])
    )
    const running = yield* Ref.make(true)
    const checked: Array<string> = []
    const unseen: Array<string> = []
    const fibers = yield* FiberSet.make<void, unknown>()
    for (const [i, reader] of readers.entries()) {
      let n = 0
      const check = Effect.gen(function* () {
        const key = `${i}/${n++}`
        yield* writer.Add({ key })
        if ((yield* reader.Positions({ key })).length === 0) unseen.push(key)
        checked.push(key)
      })
      yield* FiberSet.run(fibers, Effect.repeat(check, { while: () => Ref.get(running) }))
    }
    for (let round = 0; round < 6; round++) {
      const leader = yield* cluster.leader
      const goal = checked.length + 15
      yield* Cluster.until(
        "reads go on",
        Effect.sync(() => checked.length >= goal)
      )
      if (round % 2 === 0) {
        yield* cluster.kill(leader)
        yield* Cluster.until(
          "reads go on",
          Effect.sync(() => checked.length >= goal + 15)
        )
        yield* cluster.start(leader)
      } else {
        cluster.isolate(leader)
        yield* Cluster.until(
          "reads go on",
          Effect.sync(() => checked.length >= goal + 15)
        )
        cluster.heal()
      }
    }
    yield* Ref.set(running, false)
    yield* FiberSet.awaitEmpty(fibers)
    expect(unseen).toEqual([])
    expect(checked.length).toBeGreaterThan(150)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a new leader that has not applied all that was acknowledged answers no linearizable read until it has", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "a" })
    const leader = yield* cluster.leader
    const others = cluster.nodes.filter((node) => node !== leader)
    const release = yield* Effect.forEach(others, (node) => cluster.hold(node, "learner"))
    yield* client.Add({ key: "b" })
    yield* cluster.kill(leader)
    yield* cluster.leader
    const read = yield* Effect.fork(client.Positions({ key: "b" }))
    yield* Effect.sleep("1 second")
    expect((yield* Fiber.poll(read))._tag).toBe("None")
    yield* Effect.all(release)
    expect(yield* Fiber.join(read)).toEqual([2])
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a deposed leader that is cut off answers no linearizable read; a stale one it does", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const writer = yield* cluster.client(cluster.nodes, { attempt: "200 millis" })
    yield* writer.Add({ key: "old" })
    const deposed = yield* cluster.leader
    const reader = yield* cluster.client([deposed], { deadline: "5 seconds" })
    expect(yield* reader.Positions({ key: "old" })).toEqual([1])
    yield* reader.Add({ key: "opens its session" })

    cluster.isolate(deposed)
    yield* writer.Add({ key: "new" })
    expect((yield* cluster.status(deposed)).phase).toBe("Leading")
    expect((yield* Effect.flip(reader.Positions({ key: "new" })))._tag).toBe("Unavailable")
    expect(yield* Consistency.stale(reader.Positions({ key: "new" }))).toEqual([])
    expect(yield* Consistency.stale(reader.Positions({ key: "old" }))).toEqual([1])
    // What it is asked to write meanwhile must not be answered either, nor applied when it is back.
    expect((yield* Effect.flip(reader.Add({ key: "lost" })))._tag).toBe("OutcomeUnknown")

    cluster.heal()
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(yield* writer.Positions({ key: "new" })).toEqual([3])
    expect(yield* Consistency.stale(reader.Positions({ key: "new" }))).toEqual([3])
    expect((yield* writer.Positions({ key: "lost" })).length).toBeLessThanOrEqual(1)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("who loses the lead sends everyone on who waits: what was proposed, what was not, and reads", () =>
  Effect.gen(function* () {
    const config = { ...ReplicaConfig.defaults, pipeline: 1 }
    const cluster = yield* Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, config)
    const leader = yield* cluster.leader
    const endpoint = cluster.endpoint(leader)
    const open = Envelope.encode(Envelope.open)
    yield* endpoint.submit(open)

    cluster.isolate(leader)
    const asked = yield* Effect.forEach(
      [
        Effect.asVoid(endpoint.submit(open)),
        Effect.asVoid(endpoint.submit(open)),
        Effect.asVoid(endpoint.query([], "linearizable"))
      ],
      (request) => Effect.zipLeft(Effect.fork(Effect.flip(request)), VirtualTime.turn)
    )
    const others = Effect.forEach(
      cluster.nodes.filter((node) => node !== leader),
      cluster.status
    )
    yield* Cluster.until(
      "another leads",
      Effect.map(others, (all) => all.some(({ phase }) => phase === "Leading"))
    )
    cluster.heal()
    const errors = yield* Effect.timeout(Fiber.joinAll(asked), "2 seconds")
    expect(errors.map(({ _tag }) => _tag)).toEqual(["Superseded", "NotLeader", "NotLeader"])
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("a stale read goes to the nearest replica, and a restarted one does not show how things were before", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const leader = yield* cluster.leader
    const nearest = cluster.nodes.find((node) => node !== leader)!
    const nodes = [nearest, ...cluster.nodes.filter((node) => node !== nearest)]
    const asked: Array<string> = []
    const client = yield* cluster.client(nodes, {}, (endpoint) => ({
      ...endpoint,
      query: (queries, consistency) =>
        Effect.zipRight(
          Effect.sync(() => asked.push(endpoint === cluster.endpoint(nearest) ? "nearest" : "another")),
          endpoint.query(queries, consistency)
        )
    }))
    yield* client.Add({ key: "a" })
    yield* client.Positions({ key: "a" })
    yield* Cluster.until(
      "the nearest has heard of it",
      Effect.map(cluster.status(nearest), (s) => s.appliedThrough > 1)
    )
    asked.length = 0
    expect(yield* Consistency.stale(client.Positions({ key: "a" }))).toEqual([1])
    expect(asked).toEqual(["nearest"])

    for (let n = 0; n < 10; n++) yield* client.Add({ key: String(n) })
    yield* cluster.kill(nearest)
    const release = yield* cluster.hold(nearest, "learner")
    yield* cluster.start(nearest)
    const read = yield* Effect.fork(Consistency.stale(client.Positions({ key: "a" })))
    yield* Effect.sleep("1 second")
    expect((yield* Fiber.poll(read))._tag).toBe("None")
    yield* release
    expect(yield* Fiber.join(read)).toEqual([1])
    expect(asked.at(-1)).toBe("nearest")
  }).pipe(Effect.scoped, VirtualTime.provide)
)
