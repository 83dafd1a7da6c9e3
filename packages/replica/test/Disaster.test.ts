/** A quorum is gone for good: whole replicas go on from a journal that is left. */
import { expect, it } from "@effect/vitest"
import { Admin } from "@synod/client"
import { Disaster, Journal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { Effect } from "effect"
import * as Sockets from "./Sockets.js"

const cluster = "test"

it.scopedLive("two of three are gone: what the third one has goes on, grows, and the dead don't come back", () =>
  Effect.gen(function* () {
    const places = yield* Sockets.members(4)
    const founders = { 1: places[1]!, 2: places[2]!, 3: places[3]! }
    const disks = yield* Effect.forEach([1, 2, 3, 4, 5], () => Journal.makeMemoryDisk)
    const start = (node: number) => Sockets.start({ cluster, node, members: founders }, disks[node - 1]!)
    const running = yield* Effect.forEach([1, 2, 3], start)
    const tally = yield* Sockets.client(cluster, founders)
    for (let n = 0; n < 10; n++) yield* tally.Add({ key: `a${n}` })
    yield* Effect.forEach(running, ({ kill }) => kill)
    // Nobody decides alone.
    const alone = yield* start(3)
    const hasty = yield* Sockets.client(cluster, founders, { deadline: "300 millis" })
    expect((yield* Effect.flip(hasty.Add({ key: "alone" })))._tag).toBe("Unavailable")
    yield* alone.kill

    const recovered = yield* Effect.scoped(
      Effect.gen(function* () {
        const survivors = [{ node: NodeId.make(3), journal: yield* Journal.makeMemory(disks[2]!) }]
        const into = { open: () => Journal.makeMemory(disks[4]!) }
        return yield* Disaster.recoverFromSurvivors({ cluster, consent: cluster, survivors, into })
      })
    )
    expect(recovered.cluster).not.toBe(cluster)
    expect(recovered.report.certain).toBeGreaterThan(0)
    const now = { cluster: recovered.cluster, begin: "return" } as const
    const third = yield* Sockets.start({ ...now, node: 3, members: { 3: places[3]! } }, disks[4]!)
    const client = yield* Sockets.client(recovered.cluster, { 3: places[3]!, 4: places[4]! })
    // All that was acknowledged was in its log.
    expect(yield* client.Add({ key: "b" })).toBe(11)

    const joins = {
      cluster: recovered.cluster,
      begin: "join",
      node: 4,
      members: { 3: places[3]!, 4: places[4]! }
    } as const
    const fourth = yield* Sockets.start(joins, disks[3]!)
    const admin = yield* Admin.tcp({ cluster: recovered.cluster, servers: places })
    const { number } = yield* admin.epoch
    yield* admin.changeMembership({
      expect: number,
      wanted: {
        ...{ voters: [3, 4].map(NodeId.make), learners: [], quorums: { _tag: "Majority" } },
        addresses: [{ node: NodeId.make(4), address: `127.0.0.1:${places[4]!.port}` }]
      }
    })
    expect(yield* client.Add({ key: "c" })).toBe(12)

    // Two that were dead come back, a quorum of the old cluster, and have the new one's address.
    const [first, second] = yield* Effect.forEach([1, 2], start)
    const old = yield* Sockets.client(cluster, { 3: places[3]! }, { deadline: "500 millis" })
    const refused = yield* Effect.flip(old.Add({ key: "old" }))
    expect(refused.message).toContain("cluster")
    expect(yield* client.Add({ key: "d" })).toBe(13)
    for (const { replica } of [first!, second!]) expect((yield* replica.status).epoch.number).toBe(1)
    expect((yield* fourth.replica.status).epoch.membership.voters).toEqual([3, 4])
    expect(yield* client.Positions({ key: "c" })).toEqual([12])
    yield* third.kill
  })
)
