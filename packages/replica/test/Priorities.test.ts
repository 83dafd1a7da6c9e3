/** Of those that can lead, the replica with the highest priority does. */
import { expect, it } from "@effect/vitest"
import { ReplicaConfig } from "@synod/replica"
import { Effect, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

it.scoped("it gets the lead when it comes back, by hand-over under load: nothing is lost or of unknown outcome", () =>
  Effect.gen(function* () {
    const config = { ...ReplicaConfig.defaults, priorities: { 2: 1, 3: 2 } }
    const cluster = yield* Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, config)
    const client = yield* cluster.client(cluster.nodes)
    const [one, two, three] = cluster.nodes
    const leads = (node: number) =>
      Cluster.until(
        `node ${node} leads`,
        Effect.map(cluster.leader, (leader) => leader === node)
      )
    yield* leads(three!)
    yield* cluster.kill(three!)
    yield* leads(two!)
    const load = yield* Cluster.load([client, client])
    yield* load.progress(20)
    yield* cluster.start(three!)
    yield* leads(three!)
    yield* load.progress(20)
    yield* cluster.kill(one!)
    yield* load.progress(20)
    expect(yield* cluster.leader).toBe(three)
    const account = yield* load.stop
    expect(account.unknown.size + account.refused.size).toBe(0)
    yield* cluster.start(one!)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
  }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)
