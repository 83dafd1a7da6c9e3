/** A replica that is told to get a snapshot, among peers that say nothing. */
import { expect, it } from "@effect/vitest"
import { Journal } from "@synod/journal"
import { Ballot, Durable, type Membership, type Message, NodeId, Slot } from "@synod/paxos"
import { Peers, Replica } from "@synod/replica"
import { Effect, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import { Tally, TallyLive } from "./Tally.js"
import * as VirtualTime from "./VirtualTime.js"

const [self, leader, other] = [NodeId.make(1), NodeId.make(2), NodeId.make(3)]

const membership: Membership.Membership = {
  voters: [self, leader, other],
  learners: [],
  quorums: { _tag: "Majority" }
}

/** The replica as its leader sees it, and whom it has asked for a snapshot. */
const make = Effect.gen(function* () {
  const disk = yield* Journal.makeMemoryDisk
  const state = Durable.founded(membership)
  yield* Effect.scoped(
    Effect.flatMap(Journal.makeMemory(disk), (journal) => journal.write({ state, after: Slot.zero, entries: [] }))
  )
  const asked: Array<NodeId.NodeId> = []
  const silent = () => Effect.never
  const peer = (node: NodeId.NodeId): Peers.Peer => ({
    acceptor: () => () => undefined,
    introduce: silent,
    heartbeat: silent,
    takeOver: silent,
    learn: silent,
    readSlot: silent,
    snapshot: () =>
      Effect.zipRight(
        Effect.sync(() => asked.push(node)),
        Effect.never
      ),
    client: { submit: silent, query: silent, follow: silent, status: Effect.never, digest: Effect.never },
    admin: { change: silent, status: Effect.never }
  })
  const replica = yield* Replica.make(yield* Tally.executor.pipe(Effect.provide(TallyLive))).pipe(
    Effect.provideService(Peers.Peers, {
      cluster: "test",
      self,
      beginning: { _tag: "Found", membership },
      peer,
      enter: () => Effect.void,
      serve: () => Effect.void
    }),
    Effect.provideService(Journal.Journal, yield* Journal.makeMemory(disk))
  )
  return { asked, peer: replica.peer }
})

it.scoped("a node that is named while another one is asked is asked next, however the names take turns", () =>
  Effect.gen(function* () {
    const { asked, peer } = yield* make
    const ballot = Ballot.make(1, leader)
    const sent = { from: leader, epoch: 1 }
    const tell = (message: Message.ToAcceptor) =>
      Effect.async<void>((resume) => void peer.acceptor(sent, message, () => resume(Effect.void)))
    yield* tell({ _tag: "Prepare", ballot, released: Ballot.zero })
    // The leader names both in turn, and says nothing more: so it is every time that this replica would listen.
    for (const source of [other, leader, other]) yield* tell({ _tag: "Behind", ballot, source })
    yield* Cluster.until(
      "the leader is asked",
      Effect.sync(() => asked.includes(leader))
    )
    expect(Array.from(new Set(asked))).toEqual([other, leader])
    const before = asked.length
    yield* Effect.sleep("10 seconds")
    // And each of them once, for as long as one piece may take.
    expect(asked.filter((node) => node === leader).length).toBe(asked.filter((node) => node === other).length)
    expect(asked.length).toBeGreaterThan(before)
  }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)
