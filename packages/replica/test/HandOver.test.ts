/** A leader that gives the lead to another before it goes: nobody has to find out that it is gone. */
import { expect, it } from "@effect/vitest"
import { Clock, Effect, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

const quiet = Effect.provide(Logger.remove(Logger.defaultLogger))

const taken = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    const result = yield* effect
    return { result, milliseconds: (yield* Clock.currentTimeMillis) - begun }
  })

it.scoped("under load: within one heartbeat, again and again, with nothing lost, repeated or of unknown outcome", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    const load = yield* Cluster.load([client, client, client])
    yield* load.progress(20)
    for (let n = 0; n < 5; n++) {
      const leader = yield* cluster.leader
      const { milliseconds, result } = yield* taken(
        Effect.zipLeft(
          cluster.handOver(leader),
          Cluster.until(
            "another leads",
            Effect.map(Effect.forEach(cluster.nodes, cluster.status), (all) =>
              all.some(({ node, phase }) => node !== leader && phase === "Leading")
            )
          )
        )
      )
      expect(result).toBe(true)
      expect(milliseconds).toBeLessThanOrEqual(100)
      expect((yield* cluster.status(leader)).phase).toBe("Following")
      yield* load.progress(20)
    }
    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
    expect(account.unknown.size + account.refused.size).toBe(0)
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("to the one that holds everything, not to one that is behind or gone", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    for (const absence of ["behind", "gone"]) {
      const leader = yield* cluster.leader
      const [one, other] = cluster.nodes.filter((node) => node !== leader)
      if (absence === "gone") yield* cluster.kill(one!)
      else cluster.isolate(one!)
      yield* client.Add({ key: absence })
      expect(yield* cluster.handOver(leader)).toBe(true)
      yield* Cluster.until(
        "the other leads",
        Effect.map(cluster.status(other!), ({ phase }) => phase === "Leading")
      )
      cluster.heal()
      yield* cluster.start(one!)
    }
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("to nobody: it leads on after a while, and answers what waited", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const client = yield* cluster.client(cluster.nodes)
    const load = yield* Cluster.load([client])
    const leader = yield* cluster.leader
    // They take what they are sent, and their elections are deaf.
    const release = yield* Effect.forEach(
      cluster.nodes.filter((node) => node !== leader),
      (node) => cluster.hold(node, "election")
    )
    const { milliseconds, result } = yield* taken(cluster.handOver(leader))
    expect(result).toBe(false)
    expect(milliseconds).toBeGreaterThanOrEqual(900)
    expect(milliseconds).toBeLessThanOrEqual(1_500)
    yield* load.progress(3)
    yield* Effect.all(release)
    yield* load.progress(3)
    const account = yield* load.stop
    expect(account.unknown.size + account.refused.size).toBe(0)
    const follower = yield* Effect.map(cluster.leader, (leader) => cluster.nodes.find((node) => node !== leader)!)
    expect(yield* cluster.handOver(follower)).toBe(false)
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)
