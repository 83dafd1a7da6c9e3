/** Following a machine: each element once and in order, whichever replica shows it, and whatever happens to that meanwhile. */
import { expect, it } from "@effect/vitest"
import type { ClientRpcs } from "@synod/client"
import { type ClientConfig, Endpoint } from "@synod/client"
import type { NodeId } from "@synod/paxos"
import { ReplicaConfig } from "@synod/replica"
import { Command, Feed } from "@synod/state-machine"
import { Chunk, Effect, Either, Exit, Fiber, Stream } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

/** A snapshot every ten slots, hardly any log behind it, and in memory no more than half of what a test does. */
const small: ReplicaConfig.Values = {
  ...ReplicaConfig.defaults,
  snapshotSlots: 10,
  margin: 0,
  chunk: 256,
  keep: 4,
  feed: 600,
  idle: "1 second"
}

const run = <A, E, R>(effect: Effect.Effect<A, E, R>, config: Partial<ReplicaConfig.Values> = {}) =>
  effect.pipe(
    Effect.scoped,
    Effect.provideService(ReplicaConfig.ReplicaConfig, { ...ReplicaConfig.defaults, ...config }),
    VirtualTime.provide
  )

const setting = Effect.gen(function* () {
  const cluster = yield* Cluster.make()
  const leader = yield* cluster.leader
  const [near, far] = cluster.nodes.filter((node) => node !== leader) as [NodeId.NodeId, NodeId.NodeId]
  return { cluster, leader, near, far, writer: yield* cluster.client([leader, near, far]) }
})

const add = (client: Cluster.TallyClient, from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, i) => from + i),
    (n) => client.Add({ key: String(n) }),
    { discard: true }
  )

type Applied = Stream.Stream.Success<ReturnType<Cluster.TallyClient["applied"]>>

/** Everything from the beginning, as it is applied; ends with the one that is added as `end`. */
const all = (client: Cluster.TallyClient, options = { after: { slot: 0 } as Feed.Position }) =>
  Effect.map(
    Stream.runCollect(
      Stream.takeUntil(
        client.applied(options),
        ({ payload }: { readonly payload: { readonly key: string } }) => payload.key === "end"
      )
    ),
    Chunk.toReadonlyArray
  )

/** Each key that was added, with the position in which it was: what comes twice or not at all shows. */
const told = (elements: ReadonlyArray<Applied>) =>
  elements.map(({ exit, payload }) => [payload.key, Exit.getOrElse(exit, () => 0)])

const expected = (count: number) => [...Array.from({ length: count }, (_, n) => [String(n), n + 1]), ["end", count + 1]]

const inOrder = (elements: ReadonlyArray<Applied>) =>
  elements.every(({ position }, i) => i === 0 || Feed.isBefore(elements[i - 1]!.position, position))

it.scoped("whoever follows is shown all that is applied, once and in order, by a follower as by the leader", () =>
  Effect.gen(function* () {
    const { cluster, far, leader, near, writer } = yield* setting
    const followers = yield* Effect.forEach([leader, near, far], (node) => cluster.client([node]))
    const following = yield* Effect.forEach(followers, (client) => Effect.fork(all(client)))
    yield* Effect.all([add(writer, 0, 40)], { concurrency: "unbounded" })
    yield* writer.Add({ key: "end" })
    const seen = yield* Effect.forEach(following, Fiber.join)
    expect(told(seen[0]!)).toEqual(expected(40))
    expect(inOrder(seen[0]!)).toBe(true)
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
    // From the middle of it, on another replica: what came after, and nothing else.
    for (const i of [0, 7, 39]) {
      expect(yield* all(followers[i % 3]!, { after: seen[0]![i]!.position })).toEqual(seen[0]!.slice(i + 1))
    }
  }).pipe(run)
)

it.scoped("the replica that is followed crashes, a link breaks, the lead changes: the stream goes on elsewhere", () =>
  Effect.gen(function* () {
    const { cluster, far, leader, near, writer } = yield* setting
    const client = yield* cluster.client([near, far, leader])
    const following = yield* Effect.fork(all(client))
    yield* add(writer, 0, 20)
    yield* cluster.kill(near)
    yield* add(writer, 20, 40)
    yield* cluster.start(near)
    yield* cluster.leader
    yield* cluster.handOver(leader)
    yield* add(writer, 40, 60)
    yield* cluster.kill(far)
    yield* add(writer, 60, 80)
    yield* cluster.start(far)
    yield* writer.Add({ key: "end" })
    expect(told(yield* Fiber.join(following))).toEqual(expected(80))
  }).pipe(run)
)

it.scoped("a command that its client sends again is one element, where it was applied", () =>
  Effect.gen(function* () {
    const { cluster, leader, near, writer } = yield* setting
    let sent = 0
    // Every reply is lost once: each request stands in the log twice.
    const losing = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint => ({
      ...endpoint,
      submit: (envelope) =>
        Effect.tap(endpoint.submit(envelope), () =>
          sent++ % 2 === 0 ? new Endpoint.Unreachable({ reason: "the reply is lost", sent: true }) : Effect.void
        )
    })
    const unlucky = yield* cluster.client([leader], {}, losing)
    const before = (yield* cluster.status(leader)).appliedThrough
    yield* add(unlucky, 0, 20)
    yield* writer.Add({ key: "end" })
    expect((yield* cluster.status(leader)).appliedThrough).toBeGreaterThan(before + 40)
    for (const node of [leader, near]) {
      expect(told(yield* all(yield* cluster.client([node])))).toEqual(expected(20))
    }
  }).pipe(run)
)

it.scoped("what memory holds no more is shown from the log, also to several at a time", () =>
  Effect.gen(function* () {
    const { cluster, near, writer } = yield* setting
    yield* add(writer, 0, 60)
    yield* writer.Add({ key: "end" })
    const clients = yield* Effect.forEach([1, 2, 3, 4], () => cluster.client([near], { page: 100 }))
    const seen = yield* Effect.forEach(clients, (client) => all(client), { concurrency: "unbounded" })
    for (const one of seen) expect(told(one)).toEqual(expected(60))
    const [first] = seen
    for (const i of [5, 30, 58]) {
      const after = first![i]!.position
      expect(yield* all(clients[0]!, { after })).toEqual(first!.slice(i + 1))
      expect(yield* all(clients[1]!, { after: { slot: after.slot } })).toEqual(first!.slice(i + 1))
    }
  }).pipe((effect) => run(effect, { feed: 0, chunk: 256 }))
)

it.scoped("the log is shown, page by page, also where a slot or two hold more than a replay keeps in memory", () =>
  Effect.gen(function* () {
    const { cluster, near, writer } = yield* setting
    const keys = Array.from({ length: 40 }, (_, n) => (n % 5 === 0 ? String(n).padStart(300, " ") : String(n)))
    yield* Effect.forEach(keys, (key) => writer.Add({ key }), { discard: true })
    yield* writer.Add({ key: "end" })
    const seen = yield* all(yield* cluster.client([near], { page: 1 }))
    expect(seen.map(({ payload }) => payload.key)).toEqual([...keys, "end"])
  }).pipe((effect) => run(effect, { feed: 0, chunk: 64, replay: 8 }))
)

it.scoped("goes on in the middle of a slot, where a page ended or a follower stopped", () =>
  Effect.gen(function* () {
    const { cluster, far, near, writer } = yield* setting
    const keys = Array.from({ length: 30 }, (_, n) => String(n))
    yield* Effect.forEach(keys, (key) => writer.Add({ key }), { concurrency: "unbounded", discard: true })
    yield* writer.Add({ key: "end" })
    const seen = yield* all(yield* cluster.client([near], { page: 1 }))
    expect(told(seen)).toEqual(expected(30))
    expect(seen.filter(({ position }) => position.index > 0).length).toBeGreaterThan(10)
    const { position } = seen[17]!
    expect(yield* all(yield* cluster.client([far]), { after: position })).toEqual(seen.slice(18))
  }).pipe(run)
)

it.scoped("what is in no log any more is refused with the slot from which on it still is", () =>
  Effect.gen(function* () {
    const { cluster, near, writer } = yield* setting
    const whole = yield* cluster.client(cluster.nodes)
    const early = yield* Effect.fork(all(whole))
    yield* add(writer, 0, 60)
    yield* writer.Add({ key: "end" })
    const seen = yield* Fiber.join(early)
    expect(told(seen)).toEqual(expected(60))
    yield* cluster.digests
    const { trimmedThrough } = yield* cluster.status(near)
    expect(trimmedThrough).toBeGreaterThan(20)
    const client = yield* cluster.client([near])
    const refused = yield* Effect.flip(all(client))
    expect(refused).toBeInstanceOf(Feed.FeedTrimmed)
    const { earliest } = refused as Feed.FeedTrimmed
    expect(earliest).toBeGreaterThanOrEqual(trimmedThrough)
    const later = seen.filter(({ position }) => position.slot > earliest)
    expect(later.length).toBeGreaterThan(0)
    expect(yield* all(client, { after: { slot: earliest } })).toEqual(later)
    expect(yield* Effect.flip(all(client, { after: { slot: earliest - 1 } }))).toEqual(refused)
  }).pipe((effect) => run(effect, small))
)

it.scoped("what one replica lacks, another one may have", () =>
  Effect.gen(function* () {
    const { cluster, far, near, writer } = yield* setting
    yield* add(writer, 0, 5)
    yield* writer.Add({ key: "end" })
    const asked: Array<string> = []
    const without = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint => ({
      ...endpoint,
      follow: (request) => {
        const lacks = endpoint === cluster.endpoint(near)
        asked.push(lacks ? "near" : "far")
        return lacks ? new Feed.FeedTrimmed({ earliest: 4 }) : endpoint.follow(request)
      }
    })
    expect(told(yield* all(yield* cluster.client([near, far], {}, without)))).toEqual(expected(5))
    expect(asked.slice(0, 2)).toEqual(["near", "far"])
    expect(asked.slice(2).every((node) => node === "far")).toBe(true)
  }).pipe(run)
)

it.scoped("one who takes long holds nothing up, and misses nothing", () =>
  Effect.gen(function* () {
    const { cluster, near, writer } = yield* setting
    const client = yield* cluster.client([near], { page: 64 })
    const slow = Stream.tap(client.applied({ after: { slot: 0 } }), () => Effect.sleep("50 millis"))
    const isEnd = ({ payload }: { readonly payload: { readonly key: string } }) => payload.key === "end"
    const following = yield* Effect.fork(Stream.runCollect(Stream.takeUntil(slow, isEnd)))
    yield* add(writer, 0, 100)
    yield* writer.Add({ key: "end" })
    expect(told(Chunk.toReadonlyArray(yield* Fiber.join(following)))).toEqual(expected(100))
  }).pipe((effect) => run(effect, { feed: 500 }))
)

const answers = (client: Cluster.TallyClient, count: number, after?: number) =>
  Effect.map(
    Stream.runCollect(Stream.take(client.follow.Positions({ key: "x" }, after === undefined ? {} : { after }), count)),
    Chunk.toReadonlyArray
  )

for (const [name, config] of [
  ["memory", {}],
  ["the log", { idle: "100 millis", chunk: 64 }]
] as const) {
  it.scoped(`a query's answers: each that is another one than before, with its slot, from ${name}`, () =>
    Effect.gen(function* () {
      const { cluster, far, near, writer } = yield* setting
      const client = yield* cluster.client([near])
      const following = yield* Effect.fork(answers(client, 6))
      yield* Effect.sleep("100 millis")
      const slots: Array<number> = []
      for (let n = 1; n <= 5; n++) {
        yield* add(writer, 10 * n, 10 * n + 3)
        yield* writer.Add({ key: "x" })
        slots.push(yield* writer.seen)
      }
      const seen = yield* Fiber.join(following)
      expect(seen.map(({ exit }) => Exit.getOrElse(exit, () => []).length)).toEqual([0, 1, 2, 3, 4, 5])
      expect(seen.slice(1).map(({ slot }) => slot)).toEqual(slots)
      yield* Effect.sleep("10 seconds")
      const other = yield* cluster.client([far])
      for (const i of [0, 1, 3]) expect(yield* answers(other, 5 - i, seen[i]!.slot)).toEqual(seen.slice(i + 1))
      expect(yield* answers(other, 5, 0)).toEqual(seen.slice(1))
      const [now] = yield* answers(other, 1)
      expect(now!.exit).toEqual(seen[5]!.exit)
    }).pipe((effect) => run(effect, config))
  )
}

it.scoped("a replica that hears of no leader says so, and another one is asked", () =>
  Effect.gen(function* () {
    const { cluster, far, leader, near, writer } = yield* setting
    const alone = yield* cluster.client([near], { deadline: "3 seconds" })
    const both = yield* cluster.client([near, far])
    const following = yield* Effect.fork(all(both))
    const stuck = yield* Effect.fork(Effect.flip(all(alone)))
    yield* Effect.sleep("100 millis")
    cluster.isolate(near)
    yield* add(writer, 0, 10)
    yield* writer.Add({ key: "end" })
    expect(told(yield* Fiber.join(following))).toEqual(expected(10))
    expect((yield* Fiber.join(stuck))._tag).toBe("Unavailable")
    cluster.heal()
    expect(told(yield* all(alone))).toEqual(expected(10))
    expect(leader).toBeGreaterThan(0)
  }).pipe(run)
)

it.scoped("no more wait, and no more queries are followed, than there is room for; another replica may have it", () =>
  Effect.gen(function* () {
    const { cluster, far, leader, near, writer } = yield* setting
    const request: ClientRpcs.Follow = { after: { slot: 1_000 }, atLeast: 0, wait: 1_000, bytes: 100 }
    const endpoint = cluster.endpoint(near)
    const waiting = yield* Effect.forEach([1, 2], () => Effect.fork(endpoint.follow(request)))
    yield* Effect.sleep("50 millis")
    expect((yield* Effect.flip(endpoint.follow(request)))._tag).toBe("Overloaded")
    expect(yield* Effect.forEach(waiting, Fiber.join)).toEqual(
      Array.from({ length: 2 }, () => ({ through: { slot: 1_000 }, records: Feed.encode([]) }))
    )
    const positions = (key: string) => Either.getOrThrow(Command.encode("Positions", { key }))
    const { after: _, ...now } = request
    const follow = (key: string) => endpoint.follow({ ...now, query: positions(key) })
    yield* follow("a")
    yield* follow("b")
    expect((yield* Effect.flip(follow("c")))._tag).toBe("Overloaded")
    yield* follow("a")
    // What nobody asks for any more makes room.
    yield* Effect.sleep("1500 millis")
    yield* follow("c")
    const config: Partial<ClientConfig.ClientConfig> = { deadline: "2 seconds" }
    yield* follow("d")
    const elsewhere = yield* cluster.client([near, far], config)
    expect((yield* answers(elsewhere, 1)).length).toBe(1)
    const nowhere = yield* cluster.client([near], config)
    yield* follow("c")
    yield* follow("d")
    const keep = yield* Effect.fork(
      Effect.forever(Effect.zipRight(Effect.all([follow("c"), follow("d")]), Effect.sleep("100 millis")))
    )
    expect((yield* Effect.flip(answers(nowhere, 1)))._tag).toBe("Overloaded")
    yield* Fiber.interrupt(keep)
    yield* writer.Add({ key: "end" })
    expect(leader).toBeGreaterThan(0)
  }).pipe((effect) => run(effect, { followers: 2, followed: 2, idle: "1 second" }))
)
