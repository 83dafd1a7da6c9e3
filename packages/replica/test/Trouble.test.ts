/**
 * A replica that can't go on for a while, for its journal or because it is blocked: it votes no more, gives way where it led, and
 * goes on by itself when it can.
 */
import { expect, it } from "@effect/vitest"
import { Journal, JournalError, SqliteFile, SqliteJournal } from "@synod/journal"
import type { NodeId } from "@synod/paxos"
import { ReplicaConfig } from "@synod/replica"
import { Consistency } from "@synod/state-machine"
import { Clock, Deferred, Effect, Fiber, Layer, Logger } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Cluster from "./Cluster.js"
import * as Journals from "./Journals.js"
import * as VirtualTime from "./VirtualTime.js"

const quiet = Effect.provide(Logger.remove(Logger.defaultLogger))

/** Journals in memory; what is in `instead` comes before the writes of a node. Half of those that fail are there all the same. */
const journals = () => {
  const instead = new Map<NodeId.NodeId, Effect.Effect<void, JournalError.JournalError>>()
  let writes = 0
  const { of } = Journals.inMemory((journal, node) => {
    let settled = true
    const unsettled = new JournalError.JournalUnsettled({ filename: `disk ${node}` })
    const whenSettled = <A>(effect: Effect.Effect<A, JournalError.JournalError>) =>
      Effect.suspend(() => (settled ? effect : unsettled))
    return {
      read: (after, limit) => whenSettled(journal.read(after, limit)),
      recover: Effect.suspend(() => instead.get(node) ?? Effect.void).pipe(
        Effect.zipRight(Effect.sync(() => (settled = true))),
        Effect.zipRight(journal.recover)
      ),
      write: (write) =>
        whenSettled(
          Effect.suspend(() => {
            const other = instead.get(node)
            if (other === undefined) return journal.write(write)
            return other.pipe(
              Effect.tapError(() => {
                settled = false
                return ++writes % 2 === 0 ? journal.write(write) : Effect.void
              }),
              Effect.zipRight(journal.write(write))
            )
          })
        )
    }
  })
  return { of, instead }
}

const full = new JournalError.JournalFailed({ filename: "disk", operation: "write", reason: "the disk is full" })

/** Virtual milliseconds until something is done. */
const taken = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - begun
  })

for (const role of ["leader", "follower"] as const) {
  it.scoped(`the ${role}'s disk is full: the others go on; with space again it votes, without a restart`, () =>
    Effect.gen(function* () {
      const { instead, of } = journals()
      const cluster = yield* Cluster.make(of)
      const client = yield* cluster.client(cluster.nodes)
      const load = yield* Cluster.load([client, client, client])
      yield* load.progress(20)
      const leader = yield* cluster.leader
      const sick = role === "leader" ? leader : cluster.nodes.find((node) => node !== leader)!
      instead.set(sick, full)
      yield* Cluster.until(
        "it says so",
        Effect.map(cluster.status(sick), ({ trouble }) => trouble === full.message)
      )
      expect(yield* taken(load.progress(6))).toBeLessThan(1_000)
      yield* load.progress(100)
      yield* Effect.sleep("3 seconds")
      const { phase, trouble } = yield* cluster.status(sick)
      expect({ phase, trouble }).toEqual({ phase: "Following", trouble: full.message })

      instead.delete(sick)
      yield* Cluster.until(
        "it votes again",
        Effect.map(cluster.status(sick), (status) => status.trouble === undefined)
      )
      // From here on nothing is chosen without its vote.
      yield* cluster.kill(cluster.nodes.find((node) => node !== sick)!)
      yield* load.progress(50)
      for (const node of cluster.nodes) yield* cluster.start(node)
      const account = yield* load.stop
      expect(new Set(yield* cluster.digests).size).toBe(1)
      expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
    }).pipe(Effect.scoped, quiet, VirtualTime.provide)
  )
}

it.scoped("every disk is full: nothing is answered, and all of it once there is space", () =>
  Effect.gen(function* () {
    const { instead, of } = journals()
    const cluster = yield* Cluster.make(of)
    const client = yield* cluster.client(cluster.nodes)
    yield* client.Add({ key: "a" })
    for (const node of cluster.nodes) instead.set(node, full)
    const waits = yield* Effect.fork(client.Add({ key: "b" }))
    yield* Effect.sleep("3 seconds")
    expect((yield* Fiber.poll(waits))._tag).toBe("None")
    instead.clear()
    expect(yield* Fiber.join(waits)).toBe(2)
    expect(new Set(yield* cluster.digests).size).toBe(1)
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

it.scoped("a leader whose journal stalls gives way, since its heartbeats answer for the journal", () =>
  Effect.gen(function* () {
    const { instead, of } = journals()
    const cluster = yield* Cluster.make(of)
    const client = yield* cluster.client(cluster.nodes)
    const load = yield* Cluster.load([client, client, client])
    yield* load.progress(20)
    const stalled = yield* cluster.leader
    const gate = yield* Deferred.make<void>()
    instead.set(stalled, Deferred.await(gate))
    yield* Cluster.until(
      "it says so",
      Effect.map(cluster.status(stalled), ({ trouble }) =>
        /^a write to the journal has taken \d+ ms/.test(trouble ?? "")
      )
    )
    yield* Cluster.until(
      "another leads",
      Effect.map(Effect.forEach(cluster.nodes, cluster.status), (all) =>
        all.some(({ node, phase }) => node !== stalled && phase === "Leading")
      )
    )
    yield* load.progress(50)
    instead.delete(stalled)
    yield* Deferred.succeed(gate, undefined)
    yield* load.progress(50)
    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
    expect((yield* cluster.status(stalled)).trouble).toBeUndefined()
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)

for (const lease of ["off", { duration: 400, drift: 0.01 }] as const) {
  const kind = lease === "off" ? "" : ", with leases"
  it.scoped(`a leader whose event loop is blocked gives way, and says nothing of before when it goes on${kind}`, () =>
    Effect.gen(function* () {
      const config = { ...ReplicaConfig.defaults, lease }
      const cluster = yield* Effect.provideService(Cluster.make(), ReplicaConfig.ReplicaConfig, config)
      const client = yield* cluster.client(cluster.nodes, { attempt: "200 millis" })
      const load = yield* Cluster.load([client, client, client])
      yield* load.progress(20)
      const blocked = yield* cluster.leader
      // None of its actors takes another turn; whatever comes is queued, as by a process that computes something.
      const goOn = yield* Effect.forEach(["election", "proposer", "acceptor", "learner"], (actor) =>
        cluster.hold(blocked, actor)
      )
      const others = cluster.nodes.filter((node) => node !== blocked)
      const given = yield* taken(
        Cluster.until(
          "another leads",
          Effect.map(Effect.forEach(others, cluster.status), (all) => all.some(({ phase }) => phase === "Leading"))
        )
      )
      // Silence of four heartbeats, and three rounds until somebody else has noticed and prepared.
      expect(given).toBeLessThanOrEqual(1_000)
      yield* load.progress(50)
      expect((yield* cluster.status(blocked)).phase).toBe("Leading")
      yield* client.Add({ key: "new" })
      const own = yield* cluster.client([blocked], { deadline: "10 seconds" })
      const reads = yield* Effect.forEach(
        [own.Positions({ key: "new" }), Consistency.leased(own.Positions({ key: "new" }))],
        (read) => Effect.fork(Effect.either(read))
      )
      yield* Effect.sleep("500 millis")
      yield* Effect.all(goOn)
      yield* Cluster.until(
        "it follows",
        Effect.map(cluster.status(blocked), ({ phase }) => phase === "Following")
      )
      // What it was asked for in between is answered from what others have chosen, or not at all.
      for (const read of reads) {
        const answer = yield* Fiber.join(read)
        if (answer._tag === "Right") expect(answer.right.length).toBe(1)
      }
      yield* load.progress(50)
      const account = yield* load.stop
      expect(new Set(yield* cluster.digests).size).toBe(1)
      expect(
        Cluster.discrepancies({ ...account, unknown: new Set(["new", ...account.unknown]) }, yield* client.All())
      ).toEqual([])
    }).pipe(Effect.scoped, quiet, VirtualTime.provide)
  )
}

it.scoped("on SQLite: a file that may not grow, and may again", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-trouble-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const files = new Map<NodeId.NodeId, SqliteFile.SqliteFile>()
    const cluster = yield* Cluster.make((node, cluster) =>
      Layer.scoped(
        Journal.Journal,
        SqliteFile.open({ filename: join(directory, `${node}.sqlite`), cluster, node }).pipe(
          Effect.tap((file) => files.set(node, file)),
          Effect.flatMap(SqliteJournal.fromFile)
        )
      )
    )
    const client = yield* cluster.client(cluster.nodes)
    const load = yield* Cluster.load([client, client])
    yield* load.progress(10)
    const leader = yield* cluster.leader
    const file = files.get(leader)!
    const allow = (pages: number) => Effect.orDie(file.query(`PRAGMA max_page_count = ${pages}`))
    // SQLite takes the least that the file has already.
    yield* allow(1)
    yield* Cluster.until(
      "it says so",
      Effect.map(cluster.status(leader), ({ trouble }) => trouble?.endsWith("the disk is full") === true)
    )
    yield* load.progress(20)
    yield* allow(1_000_000)
    yield* Cluster.until(
      "it votes again",
      Effect.map(cluster.status(leader), ({ trouble }) => trouble === undefined)
    )
    yield* cluster.kill(cluster.nodes.find((node) => node !== leader)!)
    yield* load.progress(20)
    for (const node of cluster.nodes) yield* cluster.start(node)
    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Cluster.discrepancies(account, yield* client.All())).toEqual([])
  }).pipe(Effect.scoped, quiet, VirtualTime.provide)
)
