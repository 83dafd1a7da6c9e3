/** Snapshots: what a restart loads, what is trimmed behind them, and how they bring back a replica that was away. */
import { expect, it } from "@effect/vitest"
import type { NodeId, Slot } from "@synod/paxos"
import { Effect } from "effect"
import * as Cluster from "./Cluster.js"
import * as Journals from "./Journals.js"

/** Journals that tests look into, and whose snapshots they damage. */
const disks = () => {
  const damaged = new Map<NodeId.NodeId, Set<Slot.Slot>>()
  const reads: Array<number> = []
  const { look, of: journals } = Journals.inMemory((journal, node) => ({
    read: (after, limit) => {
      reads.push(after)
      return journal.read(after, limit)
    },
    readChunk: (slot, index) =>
      Effect.map(journal.readChunk(slot, index), (body) =>
        damaged.get(node)?.has(slot) === true ? body.map((byte) => byte ^ 1) : body
      ),
    saveChunk: (slot, index, body) => {
      damaged.get(node)?.delete(slot)
      return journal.saveChunk(slot, index, body)
    }
  }))
  /** Damages the newest snapshots of a journal that nobody has open. */
  const damage = (node: NodeId.NodeId, count: number) =>
    Effect.map(
      look(node, ({ snapshots }) => snapshots),
      (whole) => {
        expect(whole.length).toBe(2)
        damaged.set(node, new Set(whole.slice(0, count).map(({ slot }) => slot)))
      }
    )
  return { damage, journals, look, reads }
}

const positions = (client: Cluster.TallyClient) =>
  Effect.map(client.All(), (all) => all.map(([key, held]) => [Number(key), ...held]).sort((a, b) => a[0]! - b[0]!))

const expected = (count: number) => Array.from({ length: count }, (_, n) => [n, n + 1])

it.scoped("a restart begins with the newest snapshot, and applies what came behind it", () =>
  Effect.gen(function* () {
    const { journals, look, reads } = disks()
    const cluster = yield* Cluster.make(journals)
    const client = yield* cluster.client(cluster.nodes)
    // Far more than two snapshots' worth: each takes as long as another thread needs to compress it, and virtual time goes on.
    yield* Journals.add(client, 0, 90)
    const leader = yield* cluster.leader
    const again = cluster.nodes.find((node) => node !== leader)!
    yield* cluster.digests
    const before = yield* cluster.status(again)
    expect(before.snapshotThrough).toBeGreaterThan(20)
    expect(before.trimmedThrough).toBeGreaterThan(10)
    expect(before.trimmedThrough).toBeLessThan(before.snapshotThrough)
    yield* cluster.kill(again)
    expect((yield* look(again, ({ snapshots }) => snapshots)).length).toBe(2)
    reads.length = 0
    yield* cluster.start(again)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(before.snapshotThrough)
    expect(yield* positions(client)).toEqual(expected(90))
  }).pipe(Journals.withShortLogs)
)

it.scoped("a snapshot that is damaged is left for the one before it", () =>
  Effect.gen(function* () {
    const { damage, journals } = disks()
    const cluster = yield* Cluster.make(journals)
    const client = yield* cluster.client(cluster.nodes)
    yield* Journals.add(client, 0, 45)
    yield* cluster.digests
    const leader = yield* cluster.leader
    const again = cluster.nodes.find((node) => node !== leader)!
    yield* cluster.kill(again)
    yield* damage(again, 1)
    yield* cluster.start(again)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(yield* positions(client)).toEqual(expected(45))
  }).pipe(Journals.withShortLogs)
)

it.scoped("a replica with no snapshot that it can use gets one from another, and keeps voting meanwhile", () =>
  Effect.gen(function* () {
    const { damage, journals } = disks()
    const cluster = yield* Cluster.make(journals)
    const client = yield* cluster.client(cluster.nodes)
    yield* Journals.add(client, 0, 45)
    yield* cluster.digests
    const leader = yield* cluster.leader
    const [again, away] = cluster.nodes.filter((node) => node !== leader)
    yield* cluster.kill(again!)
    yield* damage(again!, 2)
    yield* cluster.start(again!)
    yield* cluster.kill(away!)
    yield* Journals.add(client, 45, 60)
    yield* cluster.start(away!)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(yield* positions(client)).toEqual(expected(60))
  }).pipe(Journals.withShortLogs)
)

it.scoped("a replica that was away longer than any log reaches comes back by a snapshot, under load", () =>
  Effect.gen(function* () {
    const { journals, look } = disks()
    const cluster = yield* Cluster.make(journals)
    const client = yield* cluster.client(cluster.nodes)
    const leader = yield* cluster.leader
    const away = cluster.nodes.find((node) => node !== leader)!
    yield* client.Add({ key: "first" })
    yield* cluster.kill(away)
    yield* Journals.add(client, 0, 60)
    const held = yield* look(away, ({ recovered }) => Effect.succeed(recovered.acceptedThrough))
    for (const node of cluster.nodes) {
      if (node !== away) expect((yield* cluster.status(node)).trimmedThrough).toBeGreaterThan(held)
    }
    const load = yield* Cluster.load([client])
    yield* cluster.start(away)
    yield* load.progress(30)
    const account = yield* load.stop
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect((yield* cluster.status(away)).snapshotThrough).toBeGreaterThan(held)
    // And it can do without the one who gave it.
    yield* cluster.kill(leader)
    yield* client.Add({ key: "last" })
    const all = yield* client.All()
    expect(Cluster.discrepancies(account, all)).toEqual([])
    expect(all.length).toBe(account.acknowledged.size + 62)
  }).pipe(Journals.withShortLogs)
)

it.scoped("a snapshot is gone on with after its link was cut, and its source may die on the way", () =>
  Effect.gen(function* () {
    const { journals } = disks()
    const cluster = yield* Cluster.make(journals)
    const client = yield* cluster.client(cluster.nodes)
    const leader = yield* cluster.leader
    const [away, other] = cluster.nodes.filter((node) => node !== leader)
    yield* cluster.kill(away!)
    yield* Journals.add(client, 0, 60)
    yield* cluster.start(away!)
    for (let i = 0; i < 3; i++) {
      yield* Effect.sleep("30 millis")
      cluster.isolate(away!)
      yield* Effect.sleep("200 millis")
      cluster.heal()
    }
    yield* cluster.kill(other!)
    yield* Journals.add(client, 60, 80)
    yield* cluster.start(other!)
    expect(new Set(yield* cluster.digests).size).toBe(1)
    expect(yield* positions(client)).toEqual(expected(80))
  }).pipe(Journals.withShortLogs)
)
