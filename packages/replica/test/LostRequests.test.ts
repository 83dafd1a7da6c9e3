/** Requests between replicas that are never answered, as on a connection that takes everything and gives nothing back. */
import { expect, it } from "@effect/vitest"
import type { NodeId } from "@synod/paxos"
import { InProcess, ReplicaConfig } from "@synod/replica"
import { Context, Effect, Layer } from "effect"
import * as Cluster from "./Cluster.js"
import { Tally, TallyLive } from "./Tally.js"
import * as VirtualTime from "./VirtualTime.js"

it.scoped("lost requests are given up after some rounds, and make room for what is sent again", () =>
  Effect.gen(function* () {
    const outstanding = 2
    let silent: NodeId.NodeId | undefined
    let asked = 0
    let underWay = 0
    let most = 0
    const lost = () => {
      asked++
      most = Math.max(most, ++underWay)
      return () => void underWay--
    }
    const replicas = InProcess.layerMemory(Tally, {
      between: (from, to, peer) => ({
        ...peer,
        acceptor: (sent, message, answer) =>
          from !== undefined && to === silent ? lost() : peer.acceptor(sent, message, answer)
      })
    })
    const context = yield* Effect.provideService(
      Layer.build(Layer.provide(replicas, TallyLive)),
      ReplicaConfig.ReplicaConfig,
      { ...ReplicaConfig.defaults, outstanding }
    )
    const { digest, nodes, status } = Context.get(context, InProcess.InProcess)
    const tally = yield* Effect.provide(Tally.client, context)
    yield* tally.Add({ key: "a" })

    // Heartbeats still get through, so that nobody else takes the lead.
    const phases = yield* Effect.forEach(nodes, status)
    silent = nodes.find((_, i) => phases[i]!.phase === "Following")
    expect(silent).toBeDefined()
    for (const key of ["b", "c", "d"]) yield* tally.Add({ key })
    yield* Cluster.until(
      "requests were given up twice, and others sent",
      Effect.sync(() => asked > 2 * outstanding)
    )
    expect(most).toBe(outstanding)

    silent = undefined
    yield* Cluster.until(
      "the follower has caught up",
      Effect.map(Effect.forEach(nodes, digest), (digests) => new Set(digests.map(({ digest }) => digest)).size === 1)
    )
    expect(underWay).toBeLessThanOrEqual(outstanding)
  }).pipe(Effect.scoped, VirtualTime.provide)
)
