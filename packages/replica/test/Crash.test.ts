/**
 * An injected crash between any two parts of any actor's turn, on the leader and on a follower, while clients add keys: no
 * acknowledged one is lost, none is applied twice, and the replicas agree in the end.
 */
import { expect, it } from "@effect/vitest"
import { Journal, SqliteJournal } from "@synod/journal"
import type { Actor } from "@synod/replica"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

const actors = ["acceptor", "proposer", "learner", "election"]
const points: ReadonlyArray<Actor.Point> = ["persist", "send", "deliver", "end"]
const roles = ["leader", "follower"] as const

/** Crashes the leader or a follower, again and again, each time somewhere else, under load. */
const story = (
  crashes: ReadonlyArray<{ readonly role: (typeof roles)[number] } & Omit<Cluster.Crash, "node">>,
  journals?: Parameters<typeof Cluster.make>[0]
) =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make(journals)
    const clients = [yield* cluster.client(cluster.nodes), yield* cluster.client([...cluster.nodes].reverse())]
    const load = yield* Cluster.load([...clients, ...clients])
    for (const { role, ...where } of crashes) {
      const leader = yield* cluster.leader
      const node = role === "leader" ? leader : cluster.nodes.find((node) => node !== leader)!
      yield* cluster.crash({ node, ...where })
      yield* load.progress(3)
      yield* cluster.start(node)
      yield* load.progress(3)
    }
    const account = yield* load.stop
    const digests = yield* cluster.digests
    expect(Cluster.discrepancies(account, yield* clients[0]!.All())).toEqual([])
    expect(new Set(digests).size).toBe(1)
    expect(account.acknowledged.size).toBeGreaterThanOrEqual(6 * crashes.length)
  }).pipe(Effect.scoped, VirtualTime.provide)

for (const actor of actors) {
  it.scoped(`the ${actor}: crashes at each point of a turn lose nothing and repeat nothing`, () =>
    story(points.flatMap((point) => roles.flatMap((role) => [1, 2, 7].map((time) => ({ role, actor, point, time })))))
  )
}

it.scoped("the same on SQLite files", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-crash-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const crashes = points.flatMap((point) => roles.map((role) => ({ role, actor: "acceptor", point, time: 2 })))
    yield* story(crashes, (node, cluster) =>
      Layer.scoped(Journal.Journal, SqliteJournal.make({ filename: join(directory, `${node}.sqlite`), cluster, node }))
    )
  })
)
