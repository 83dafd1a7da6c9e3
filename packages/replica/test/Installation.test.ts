/** A snapshot of another replica on bad days: pieces that can't be saved, restarts in between, a log that is gone meanwhile. */
import { expect, it } from "@effect/vitest"
import { JournalError } from "@synod/journal"
import type { NodeId } from "@synod/paxos"
import { Deferred, Effect } from "effect"
import * as Cluster from "./Cluster.js"
import * as Journals from "./Journals.js"

/** What a test does before a journal does what it is told. */
interface Hooks {
  save: (node: NodeId.NodeId, index: number) => Effect.Effect<void, JournalError.JournalError>
  read: (node: NodeId.NodeId, after: number) => Effect.Effect<void>
}

const journals = (hooks: Hooks) =>
  Journals.inMemory((journal, node) => ({
    read: (after, limit) =>
      Effect.zipRight(
        Effect.suspend(() => hooks.read(node, after)),
        journal.read(after, limit)
      ),
    saveChunk: (slot, index, body) =>
      Effect.zipRight(
        Effect.suspend(() => hooks.save(node, index)),
        journal.saveChunk(slot, index, body)
      )
  })).of

/**
 * So many that a snapshot has more pieces than any test here looks at. Which slot the last one was taken at differs from run
 * to run: pieces are compressed on another thread, and virtual time goes on meanwhile.
 */
const commands = 90

/** A replica that was away for so long that the others have no log for it any more, and is not back yet. */
const setting = (hooks: Hooks) =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make(journals(hooks))
    const client = yield* cluster.client(cluster.nodes)
    const leader = yield* cluster.leader
    const away = cluster.nodes.find((node) => node !== leader)!
    yield* client.Add({ key: "first" })
    yield* cluster.kill(away)
    yield* Journals.add(client, 0, commands)
    return { cluster, client, away, leader }
  })

const isWhole = (cluster: Cluster.Cluster, client: Cluster.TallyClient, count: number) =>
  Effect.gen(function* () {
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect((yield* client.All()).length).toBe(count)
  })

/** How often each piece was asked for, from the second one on: the first is also what tells whether there is anything new. */
const asked = (cluster: Cluster.Cluster) => {
  const times: Array<number> = []
  for (const { index } of cluster.pieces()) times[index] = (times[index] ?? 0) + 1
  return times.slice(1)
}

const harmless: Hooks = { save: () => Effect.void, read: () => Effect.void }

it.scoped("a piece that can't be saved is asked for again later, and those before it are not", () =>
  Effect.gen(function* () {
    const hooks = { ...harmless }
    const { away, client, cluster } = yield* setting(hooks)
    let failures = 0
    hooks.save = (node, index) => {
      if (node !== away || index !== 4 || failures === 3) return Effect.void
      failures++
      return new JournalError.JournalFailed({ filename: "memory", operation: "write", reason: "there is no room" })
    }
    yield* cluster.start(away)
    yield* isWhole(cluster, client, commands + 1)
    expect(failures).toBe(3)
    const times = asked(cluster)
    expect(times.length).toBeGreaterThan(5)
    // The last one that is there is asked for anew, since the source tells with it that it has this snapshot still.
    expect(times).toEqual(times.map((_, place) => (place === 2 || place === 3 ? 4 : 1)))
    expect((yield* cluster.status(away)).snapshotThrough).toBeGreaterThan(20)
  }).pipe(Journals.withShortLogs)
)

it.scoped("a replica that crashes while it gets a snapshot goes on with the pieces that it has", () =>
  Effect.gen(function* () {
    const hooks = { ...harmless }
    const { away, client, cluster } = yield* setting(hooks)
    for (const stop of [3, 5]) {
      const reached = yield* Deferred.make<void>()
      hooks.save = (node, index) =>
        node === away && index === stop
          ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
          : Effect.void
      yield* cluster.start(away)
      yield* Deferred.await(reached)
      yield* cluster.kill(away)
    }
    hooks.save = harmless.save
    yield* cluster.start(away)
    yield* isWhole(cluster, client, commands + 1)
    const times = asked(cluster)
    // Before a crash the piece that was not saved, and after it the last that was.
    expect(times.slice(0, 6)).toEqual([1, 2, 2, 2, 2, 1])
  }).pipe(Journals.withShortLogs)
)

it.scoped("the source crashes while it hands a snapshot out, and another one does", () =>
  Effect.gen(function* () {
    const hooks = { ...harmless }
    const { away, client, cluster, leader } = yield* setting(hooks)
    const reached = yield* Deferred.make<void>()
    const goOn = yield* Deferred.make<void>()
    hooks.save = (node, index) =>
      node === away && index === 3
        ? Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(goOn))
        : Effect.void
    yield* cluster.start(away)
    yield* Deferred.await(reached)
    yield* cluster.kill(leader)
    yield* Deferred.succeed(goOn, undefined)
    // With the one that lags there is a quorum, as long as that votes.
    const other = yield* cluster.client(cluster.nodes.filter((node) => node !== leader))
    yield* Journals.add(other, commands, commands + 10)
    yield* cluster.start(leader)
    yield* isWhole(cluster, client, commands + 11)
  }).pipe(Journals.withShortLogs)
)

it.scoped("a learner that reads a log which a snapshot takes the place of meanwhile goes on from that", () =>
  Effect.gen(function* () {
    const hooks = { ...harmless }
    const { away, client, cluster } = yield* setting(hooks)
    const reading = yield* Deferred.make<void>()
    const goOn = yield* Deferred.make<void>()
    hooks.read = (node, after) =>
      node === away && after === 0
        ? Effect.zipRight(Deferred.succeed(reading, undefined), Deferred.await(goOn))
        : Effect.void
    yield* cluster.start(away)
    // What it had when it stopped it reads from its journal.
    yield* Deferred.await(reading)
    yield* Cluster.until(
      "the snapshot has taken the place of the log",
      Effect.map(cluster.status(away), ({ trimmedThrough }) => trimmedThrough > 20)
    )
    yield* Deferred.succeed(goOn, undefined)
    yield* Journals.add(client, commands, commands + 5)
    yield* isWhole(cluster, client, commands + 6)
  }).pipe(Journals.withShortLogs)
)
