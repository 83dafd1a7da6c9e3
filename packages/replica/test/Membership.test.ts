/** Replicas that join, leave and are replaced while clients go on. */
import { expect, it } from "@effect/vitest"
import { NodeId, QuorumSpec } from "@synod/paxos"
import type { Membership } from "@synod/paxos"
import { ReplicaConfig } from "@synod/replica"
import { Clock, Effect, Either, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

const ids = (...nodes: ReadonlyArray<number>) => nodes.map(NodeId.make)

const members = (voters: ReadonlyArray<number>, more: Partial<Membership.Membership> = {}): Membership.Membership => ({
  voters: ids(...voters),
  learners: [],
  quorums: { _tag: "Majority" },
  ...more
})

const quiet = Effect.provide(Logger.remove(Logger.defaultLogger))

const run = <A, E>(body: (cluster: Cluster.Cluster) => Effect.Effect<A, E, never>) =>
  Effect.flatMap(Cluster.make(), body).pipe(Effect.scoped, quiet, VirtualTime.provide)

/** Two clients that know of all replicas that a test names. */
const loaded = (cluster: Cluster.Cluster, nodes: ReadonlyArray<NodeId.NodeId>) =>
  Effect.flatMap(Effect.all([cluster.client(nodes), cluster.client(nodes)]), Cluster.load)

/** Nothing was lost or applied twice, and all of these replicas hold the same. */
const agrees = (cluster: Cluster.Cluster, load: Cluster.Load, nodes: ReadonlyArray<NodeId.NodeId>) =>
  Effect.gen(function* () {
    const account = yield* load.stop
    const client = yield* cluster.client(nodes)
    expect(Cluster.discrepancies(account, yield* Effect.orDie(client.All()))).toEqual([])
    expect(new Set(yield* cluster.digestsOf(nodes)).size).toBe(1)
    return account
  })

it.scoped("a replica that joins learns first, and then votes", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const load = yield* loaded(cluster, ids(1, 2, 3))
        yield* load.progress(50)
        const [four] = ids(4) as [NodeId.NodeId]
        yield* cluster.join(four)
        expect((yield* cluster.status(four)).outside).toBe(
          "node 4 has not joined the cluster yet: no change of membership has named it"
        )
        const present = yield* cluster.admin.changeMembership({ expect: 1, wanted: members([1, 2, 3, 4]) })
        // One epoch in which it learned, and one in which it votes.
        expect(present).toMatchObject({ number: 3, membership: members([1, 2, 3, 4]) })
        yield* load.progress(50)
        yield* Cluster.until(
          "it belongs to it",
          Effect.map(cluster.status(four), ({ outside }) => outside === undefined)
        )
        // With it, and without two of the others' help for the one that is gone: three of four.
        yield* cluster.kill(NodeId.make(1))
        yield* load.progress(50)
        yield* agrees(cluster, load, ids(2, 3, 4))
      })
    )
  )
)

it.scoped("a leader that removes itself hands over, hears that it is out, and serves nobody", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const leader = yield* cluster.leader
        const load = yield* loaded(cluster, cluster.nodes)
        yield* load.progress(50)
        const rest = cluster.nodes.filter((node) => node !== leader)
        const began = yield* Clock.currentTimeMillis
        const present = yield* cluster.admin.changeMembership({ expect: 1, wanted: members(rest) })
        expect(present.number).toBe(2)
        expect((yield* Clock.currentTimeMillis) - began).toBeLessThan(400)
        yield* load.progress(50)
        expect((yield* cluster.status(leader)).outside).toBe(
          `node ${leader} is no member of the cluster any more: it is not in epoch 2`
        )
        const refused = yield* Effect.flip(cluster.endpoint(leader).query([Uint8Array.of(1)], "stale"))
        expect(refused).toMatchObject({ _tag: "Unreachable", sent: false })
        // It still tells what is chosen, and knows who leads.
        yield* Cluster.until(
          "it hears who leads",
          Effect.map(cluster.status(leader), (status) => rest.some((node) => node === status.leader))
        )
        yield* agrees(cluster, load, rest)
      })
    )
  )
)

/** The longest time for which nobody was told that a command is applied, in milliseconds. */
const pauses = (load: Cluster.Load) =>
  Effect.gen(function* () {
    let longest = 0
    let since = yield* Clock.currentTimeMillis
    let known = load.account.acknowledged.size
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          yield* Effect.sleep("10 millis")
          const now = yield* Clock.currentTimeMillis
          if (load.account.acknowledged.size > known) {
            known = load.account.acknowledged.size
            since = now
          }
          longest = Math.max(longest, now - since)
        })
      )
    )
    return () => longest
  })

it.scoped("a change that leaves the leader where it is waits for no election", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const load = yield* loaded(cluster, cluster.nodes)
        yield* load.progress(50)
        const longest = yield* pauses(load)
        // Both of the others have to promise in the new epoch: whoever is asked before it is there answers once it is.
        const all: QuorumSpec.QuorumSpec = { _tag: "Flexible", prepare: 3, accept: 3 }
        for (const [expect, quorums] of [all, QuorumSpec.majority, all].entries()) {
          yield* cluster.admin.changeMembership({ expect: expect + 1, wanted: members([1, 2, 3], { quorums }) })
          yield* load.progress(20)
        }
        expect(longest()).toBeLessThan(100)
        yield* agrees(cluster, load, cluster.nodes)
      })
    )
  )
)

it.scoped("R1: every original member is replaced under load, with no pause beyond one election", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const all = ids(1, 2, 3, 4, 5, 6)
        for (const node of all.slice(3)) yield* cluster.join(node)
        const load = yield* loaded(cluster, all)
        yield* load.progress(50)
        const longest = yield* pauses(load)
        let voters: ReadonlyArray<NodeId.NodeId> = all.slice(0, 3)
        let number = 1
        for (const [out, next] of [
          [1, 4],
          [2, 5],
          [3, 6]
        ] as const) {
          voters = [...voters.filter((node) => node !== out), NodeId.make(next)]
          const present = yield* cluster.admin.changeMembership({ expect: number, wanted: members(voters) })
          expect(present.membership.voters).toEqual(voters)
          number = present.number
          yield* load.progress(20)
          yield* cluster.kill(NodeId.make(out))
          yield* load.progress(20)
        }
        expect(voters).toEqual(ids(4, 5, 6))
        const account = yield* agrees(cluster, load, voters)
        // Longer than an election timeout of 400 ms it takes only where the leader that is killed was missed.
        expect(longest()).toBeLessThan(700)
        expect(account.acknowledged.size).toBeGreaterThan(150)
      })
    )
  )
)

it.scoped("all members are replaced in one operation, and one that was away hears of it", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* cluster.leader
        const all = ids(1, 2, 3, 4, 5, 6)
        for (const node of all.slice(3)) yield* cluster.join(node)
        const load = yield* loaded(cluster, all)
        yield* load.progress(50)
        yield* cluster.kill(NodeId.make(3))
        yield* cluster.admin.changeMembership({ expect: 1, wanted: members([4, 5, 6]) })
        yield* load.progress(50)
        yield* cluster.start(NodeId.make(3))
        yield* Cluster.until(
          "it hears that it is out",
          Effect.map(cluster.status(NodeId.make(3)), ({ outside }) => outside !== undefined)
        )
        for (const node of all.slice(0, 3)) yield* cluster.kill(node)
        yield* load.progress(50)
        // And from their own journals, where nobody else is left to tell them.
        for (const node of all.slice(3)) yield* cluster.kill(node)
        for (const node of all.slice(3)) yield* cluster.start(node)
        yield* load.progress(50)
        yield* agrees(cluster, load, all.slice(3))
      })
    )
  )
)

it.scoped("a member that was away through two changes comes back and takes part", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* cluster.leader
        const all = ids(1, 2, 3, 4, 5)
        for (const node of all.slice(3)) yield* cluster.join(node)
        const load = yield* loaded(cluster, all)
        yield* load.progress(20)
        yield* cluster.kill(NodeId.make(3))
        const first = yield* cluster.admin.changeMembership({ expect: 1, wanted: members([1, 3, 4]) })
        yield* cluster.admin.changeMembership({ expect: first.number, wanted: members([3, 4, 5]) })
        yield* cluster.start(NodeId.make(3))
        yield* cluster.kill(NodeId.make(1))
        yield* cluster.kill(NodeId.make(2))
        yield* cluster.kill(NodeId.make(5))
        // Nothing is chosen without it from here on.
        yield* load.progress(20)
        yield* cluster.start(NodeId.make(5))
        yield* agrees(cluster, load, ids(3, 4, 5))
      })
    )
  )
)

it.scoped("a new replica gets a snapshot of what is in no log any more", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const load = yield* loaded(cluster, ids(1, 2, 3, 4))
        yield* load.progress(100)
        yield* Cluster.until(
          "the logs are trimmed",
          Effect.map(Effect.all(cluster.nodes.map((node) => cluster.status(node))), (all) =>
            all.every(({ trimmedThrough }) => trimmedThrough > 10)
          )
        )
        yield* cluster.join(NodeId.make(4))
        yield* cluster.admin.changeMembership({ expect: 1, wanted: members([1, 2, 4]) })
        expect(cluster.pieces().length).toBeGreaterThan(0)
        yield* load.progress(20)
        // It goes on from its own journal, snapshot and all.
        yield* cluster.kill(NodeId.make(4))
        yield* load.progress(20)
        yield* cluster.start(NodeId.make(4))
        yield* cluster.kill(NodeId.make(1))
        yield* load.progress(20)
        yield* agrees(cluster, load, ids(2, 4))
      })
    )
  ).pipe(
    Effect.provideService(ReplicaConfig.ReplicaConfig, {
      ...ReplicaConfig.defaults,
      ...{ snapshotSlots: 10, margin: 2, keep: 2 }
    })
  )
)

it.scoped(
  "a change of the quorum system is the same operation; one that is not safe is refused with two sets that miss",
  () =>
    run((cluster) =>
      Effect.gen(function* () {
        yield* cluster.leader
        const with_ = (quorums: QuorumSpec.QuorumSpec) => members([1, 2, 3], { quorums })
        const refused = yield* Effect.flip(
          cluster.admin.changeMembership({ expect: 1, wanted: with_({ _tag: "Flexible", prepare: 1, accept: 2 }) })
        )
        expect(refused).toMatchObject({ _tag: "Unsafe" })
        if (refused._tag === "Unsafe") {
          expect(refused.prepare).toHaveLength(1)
          expect(refused.accept).toHaveLength(2)
          expect(refused.prepare?.some((node) => refused.accept?.includes(node))).toBe(false)
        }
        const wanted = with_({ _tag: "Flexible", prepare: 3, accept: 1 })
        expect(yield* cluster.admin.changeMembership({ expect: 1, wanted })).toMatchObject({
          number: 2,
          membership: wanted
        })
        // With all others gone, one is enough to accept.
        const leader = yield* cluster.leader
        for (const node of cluster.nodes) if (node !== leader) yield* cluster.kill(node)
        const client = yield* cluster.client([leader])
        expect(yield* Effect.orDie(client.Add({ key: "a" }))).toBe(1)
      }).pipe(Effect.scoped)
    )
)

it.scoped("a request that is late or repeated changes nothing, and says what is in force", () =>
  run((cluster) =>
    Effect.gen(function* () {
      yield* cluster.leader
      const { changeMembership, epoch } = cluster.admin
      expect(yield* Effect.flip(changeMembership({ expect: 1, wanted: members([1, 2, 3]) }))).toMatchObject({
        _tag: "Unchanged"
      })
      yield* changeMembership({ expect: 1, wanted: members([1, 2]) })
      const late = yield* Effect.flip(changeMembership({ expect: 1, wanted: members([1]) }))
      expect(late).toMatchObject({ _tag: "OtherEpoch", present: { number: 2, membership: members([1, 2]) } })
      expect(late.message).toBe("Epoch 2 is in force: voters 1, 2, quorums Majority")
      // Two at once: one of them comes about.
      const both = yield* Effect.all(
        [[1], [2]].map((voters) => Effect.either(changeMembership({ expect: 2, wanted: members(voters) }))),
        { concurrency: "unbounded" }
      )
      expect(both.filter(Either.isRight)).toHaveLength(1)
      expect((yield* epoch).number).toBe(3)
    })
  )
)

it.scoped("a message of an epoch that is over does nothing", () =>
  run((cluster) =>
    Effect.gen(function* () {
      yield* cluster.leader
      yield* cluster.admin.changeMembership({ expect: 1, wanted: members([1, 2]) })
      const late = { from: NodeId.make(3), epoch: 1 }
      const ballot = { round: 1000, node: NodeId.make(3) }
      const [one] = cluster.nodes as [NodeId.NodeId]
      const before = (yield* cluster.status(one)).promised
      const peer = cluster.peer(one)
      for (const asked of [
        Effect.async<never, unknown>((resume) => {
          const prepare = { _tag: "Prepare", ballot, released: { round: 0, node: 0 } } as const
          peer.acceptor(late, prepare, (reply) => resume(Effect.fail(reply)))
        }),
        peer.heartbeat(late, { _tag: "Heartbeat", round: 1 }),
        peer.takeOver(late, { _tag: "TakeOver", ballot })
      ]) {
        expect(yield* Effect.flip<unknown, unknown, never>(asked)).toMatchObject({ _tag: "EpochDiffers", epoch: 2 })
      }
      expect((yield* cluster.status(one)).promised).toBe(before)
    })
  )
)

it.scoped(
  "a new replica that nobody reaches holds nothing up: it learns until it does, and the operator hears of it",
  () =>
    run((cluster) =>
      Effect.scoped(
        Effect.gen(function* () {
          const load = yield* loaded(cluster, ids(1, 2, 3))
          yield* load.progress(20)
          const wanted = members([1, 2, 3, 4])
          const unfinished = yield* Effect.flip(
            cluster.admin.changeMembership({ expect: 1, wanted }, { timeout: "5 seconds" })
          )
          expect(unfinished).toMatchObject({
            _tag: "ChangeUnfinished",
            unsure: false,
            present: { number: 2, membership: members([1, 2, 3], { learners: ids(4) }) }
          })
          yield* load.progress(20)
          yield* cluster.join(NodeId.make(4))
          expect(yield* cluster.admin.changeMembership({ expect: 2, wanted })).toMatchObject({ membership: wanted })
          yield* agrees(cluster, load, ids(1, 2, 3, 4))
        })
      )
    )
)

it.scoped("a change goes on with the next leader", () =>
  run((cluster) =>
    Effect.scoped(
      Effect.gen(function* () {
        const leader = yield* cluster.leader
        const load = yield* loaded(cluster, ids(1, 2, 3, 4))
        yield* load.progress(20)
        const rest = cluster.nodes.filter((node) => node !== leader)
        const wanted = members([...rest, 4])
        const changing = yield* Effect.fork(cluster.admin.changeMembership({ expect: 1, wanted }))
        yield* Cluster.until(
          "the new one is to learn",
          Effect.map(cluster.admin.epoch, ({ number }) => number === 2)
        )
        yield* cluster.kill(leader)
        yield* cluster.join(NodeId.make(4))
        expect(yield* changing).toMatchObject({ number: 3, membership: wanted })
        yield* agrees(cluster, load, [...rest, NodeId.make(4)])
      })
    )
  )
)
