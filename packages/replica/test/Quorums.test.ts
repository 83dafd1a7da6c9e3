/** Clusters that decide by other quorums than majorities. */
import { expect, it } from "@effect/vitest"
import { Journal } from "@synod/journal"
import { InProcess } from "@synod/replica"
import { Cause, Effect, Exit, Layer } from "effect"
import * as Cluster from "./Cluster.js"
import { Tally, TallyLive } from "./Tally.js"
import * as VirtualTime from "./VirtualTime.js"

it.scoped("two of five accept while three are down, and nobody takes over before four are up", () =>
  Effect.gen(function* () {
    const quorums = { _tag: "Flexible", prepare: 4, accept: 2 } as const
    const cluster = yield* Cluster.make(undefined, { replicas: 5, quorums })
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "all" })
    const leader = yield* cluster.leader
    const others = cluster.nodes.filter((node) => node !== leader)
    yield* Effect.forEach(others.slice(1), cluster.kill)
    expect(yield* client.Add({ key: "two" })).toBe(2)
    expect(yield* cluster.leader).toBe(leader)

    yield* cluster.kill(leader)
    yield* cluster.start(others[1]!)
    yield* cluster.start(others[2]!)
    const hasty = yield* cluster.client(cluster.nodes, { deadline: "3 seconds" })
    expect((yield* Effect.flip(hasty.Add({ key: "three" })))._tag).toBe("Unavailable")
    yield* cluster.start(leader)
    expect(yield* client.Add({ key: "four" })).toBe(3)
    yield* cluster.start(others[3]!)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(yield* client.All()).toEqual([
      ["all", [1]],
      ["two", [2]],
      ["four", [3]]
    ])
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.scoped("all aboard: with one missing, majorities of later rounds go on at once", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make(undefined, { quorums: { _tag: "AllAboard", fast: 1_000 } })
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "all" })
    const leader = yield* cluster.leader
    expect(yield* roundOf(cluster, leader)).toBeLessThan(1_000)
    const follower = cluster.nodes.find((node) => node !== leader)!
    yield* cluster.kill(follower)
    expect(yield* client.Add({ key: "two" })).toBe(2)
    expect(yield* roundOf(cluster, yield* cluster.leader)).toBeGreaterThan(1_000)
    yield* cluster.start(follower)
    expect(new Set(yield* cluster.digests).size).toBe(1)
  }).pipe(Effect.scoped, VirtualTime.provide)
)

it.effect("a system that is not safe for the members starts nothing", () =>
  Effect.gen(function* () {
    const quorums = { _tag: "Flexible", prepare: 1, accept: 2 } as const
    const exit = yield* Effect.exit(
      Effect.scoped(Layer.build(Layer.provide(InProcess.layerMemory(Tally, { quorums }), TallyLive)))
    )
    expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(
      "the prepare quorum {1} misses the accept quorum {2, 3}"
    )
  })
)

const roundOf = (cluster: Cluster.Cluster, node: Cluster.Cluster["nodes"][number]) =>
  Effect.map(cluster.status(node), ({ promised }) => Number(promised.split(".")[0]))

it.scoped("a journal stays with the members and quorums that it was begun with", () =>
  Effect.gen(function* () {
    const disks = new Map(
      yield* Effect.forEach([1, 2, 3], (node) => Effect.map(Journal.makeMemoryDisk, (disk) => [node, disk] as const))
    )
    const journal = (node: number) =>
      Layer.unwrapEffect(
        Effect.map(Journal.makeMemoryDisk, (fresh) => Journal.layerMemoryDisk(disks.get(node) ?? fresh))
      )
    const start = (options: Pick<InProcess.Options, "replicas" | "quorums">) =>
      Effect.exit(
        Effect.scoped(
          Effect.provide(
            Effect.flatMap(Tally.client, (tally) => tally.Add({ key: "again" })),
            Layer.provide(InProcess.layerJournals(Tally, { ...options, journal }), TallyLive)
          )
        )
      )
    expect(yield* start({})).toEqual(Exit.succeed(1))
    const more = yield* start({ replicas: 5 })
    expect(Exit.isFailure(more) && Cause.pretty(more.cause)).toContain(
      "The journal of node 1 was begun with the members 1, 2, 3 and quorums"
    )
    const others = yield* start({ quorums: { _tag: "Flexible", prepare: 3, accept: 1 } })
    expect(Exit.isFailure(others) && Cause.pretty(others.cause)).toContain("A setting doesn't change who decides")
    expect(Exit.isSuccess(yield* start({}))).toBe(true)
  }).pipe(VirtualTime.provide)
)
