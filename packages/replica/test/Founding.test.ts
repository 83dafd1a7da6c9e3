/** Whole replicas that found a cluster, and journals that get lost. */
import { describe, expect, it } from "@effect/vitest"
import { Journal } from "@synod/journal"
import { Ballot, Durable, Entry, Epoch, type Message, NodeId, QuorumSpec, Slot } from "@synod/paxos"
import { Peers, Replica, type Socket } from "@synod/replica"
import { Effect, Layer, Logger } from "effect"
import * as Cluster from "./Cluster.js"
import * as Sockets from "./Sockets.js"
import { Tally, TallyLive } from "./Tally.js"
import * as VirtualTime from "./VirtualTime.js"

const cluster = "test"

/** Three places, a disk each; a disk can be taken away. */
const three = Effect.gen(function* () {
  const members = yield* Sockets.members(4)
  const founders = { 1: members[1]!, 2: members[2]!, 3: members[3]! }
  const empty = Journal.makeMemoryDisk
  const disks = yield* Effect.forEach([1, 2, 3, 4], () => empty)
  const start = (node: number, options: Partial<Socket.Options> = {}) =>
    Sockets.start({ cluster, node, members: { ...founders, [node]: members[node]! }, ...options }, disks[node - 1]!)
  const lose = (node: number) => Effect.map(empty, (disk) => (disks[node - 1] = disk))
  return { members, founders, start, lose }
})

const number = ({ replica }: Sockets.Process) => Effect.map(replica.status, ({ epoch }) => epoch.number)

const sentence = (node: number, by: number | string) =>
  `Node ${node} has stopped: The journal of node ${node} is not the one that its cluster knows it by, ${
    typeof by === "number" ? `node ${by} says` : by
  }. A replica that lost its journal can't come back under its number, since it has forgotten what it promised: have a replica with a new number join, and then remove node ${node} from the members.`

describe("founders", () => {
  it.scopedLive("nobody decides before all of them were there once, and then two are enough", () =>
    Effect.gen(function* () {
      const { founders, start } = yield* three
      const [one, two] = [yield* start(1), yield* start(2)]
      yield* Sockets.until(
        "they say for whom they wait",
        Effect.map(
          one.replica.status,
          ({ outside }) =>
            outside ===
            "node 1 founds the cluster, and waits for node 3: every founder must have heard of all others once"
        )
      )
      expect(yield* number(two)).toBe(0)
      const hasty = yield* Sockets.client(cluster, founders, { deadline: "300 millis" })
      expect((yield* Effect.flip(hasty.Add({ key: "early" })))._tag).toBe("Unavailable")
      const third = yield* start(3)
      yield* Effect.all([one, two, third].map(({ replica }) => replica.begun))
      yield* third.kill
      const tally = yield* Sockets.client(cluster, founders)
      expect(yield* tally.Add({ key: "a" })).toBe(1)
    })
  )

  it.scopedLive("one that loses its journal is refused under found, join and return; a new number joins", () =>
    Effect.gen(function* () {
      const { founders, lose, members, start } = yield* three
      const running = yield* Effect.forEach([1, 2, 3], (node) => start(node))
      const tally = yield* Sockets.client(cluster, founders)
      yield* tally.Add({ key: "a" })
      // The two others are gone, but for one: it alone remembers.
      yield* running[0]!.kill
      yield* running[1]!.kill
      yield* lose(1)
      for (const begin of ["found", "join"] as const) {
        const again = yield* start(1, { begin })
        expect((yield* Effect.flip(again.replica.stopped)).message).toBe(sentence(1, 3))
        yield* again.kill
        yield* lose(1)
      }
      const returns = yield* Effect.flip(start(1, { begin: "return" }))
      expect(returns.message).toContain("The journal of node 1 holds nothing")
      // What is chosen goes on without it.
      yield* start(2)
      expect(yield* tally.Add({ key: "b" })).toBe(2)
      const four = yield* start(4, { begin: "join" })
      const admin = running[2]!.replica.admin
      const voters = [2, 3, 4].map(NodeId.make)
      const address = `127.0.0.1:${members[4]!.port}`
      yield* admin.changeMembership({
        expect: 1,
        wanted: {
          ...{ voters, learners: [], quorums: { _tag: "Majority" } },
          addresses: [{ node: NodeId.make(4), address }]
        }
      })
      const { epoch } = yield* four.replica.status
      expect(epoch.membership.voters).toEqual(voters)
      expect(epoch.incarnations?.map(({ node }) => node)).toEqual(voters)
      // And so it is with one that came later.
      yield* four.kill
      yield* lose(4)
      const again = yield* start(4, { begin: "join" })
      expect((yield* Effect.flip(again.replica.stopped)).message).toMatch(
        /^Node 4 has stopped: The journal of node 4 is not the one that its cluster knows it by, /
      )
    })
  )

  it.scopedLive("two halves that are told of each other's members don't begin, and say so", () =>
    Effect.gen(function* () {
      const { members, start } = yield* three
      const half = (...nodes: ReadonlyArray<number>) => Object.fromEntries(nodes.map((node) => [node, members[node]!]))
      const two = yield* start(2, { members: half(1, 2) })
      const one = yield* start(1, { members: half(1, 2, 3) })
      const told = /^Node [12] has stopped: Node [12] is told to found a cluster with the members 1, 2/
      expect((yield* Effect.flip(one.replica.stopped)).message).toMatch(told)
      expect((yield* Effect.flip(two.replica.stopped)).message).toMatch(told)
    })
  )

  it.scopedLive("founders that all end between the two rounds go on with what they have noted, also under return", () =>
    Effect.gen(function* () {
      const places = yield* Sockets.members(3)
      const membership = { voters: [1, 2, 3].map(NodeId.make), learners: [], quorums: QuorumSpec.majority }
      const incarnations = membership.voters.map((node) => ({ node, incarnation: `begun ${node}` }))
      const noted = (node: number) =>
        Effect.gen(function* () {
          const disk = yield* Journal.makeMemoryDisk
          const identity = { incarnation: `begun ${node}`, founding: { membership, incarnations } }
          const state = { ...Durable.initial, epochs: { ...Epoch.none, identity } }
          const write = { state, after: Slot.zero, entries: [] }
          yield* Effect.scoped(Effect.flatMap(Journal.makeMemory(disk), (journal) => journal.write(write)))
          return disk
        })
      const start = (node: number, begin: "found" | "return") =>
        Effect.flatMap(noted(node), (disk) => Sockets.start({ cluster, node, members: places, begin }, disk))
      const [one, two] = [yield* start(1, "return"), yield* start(2, "found")]
      yield* Sockets.until(
        "they wait for the third",
        Effect.map(one.replica.status, ({ outside }) => outside?.includes("waits for node 3") === true)
      )
      const third = yield* start(3, "return")
      yield* Effect.all([one, two, third].map(({ replica }) => replica.begun))
      expect((yield* one.replica.status).epoch).toMatchObject({ number: 1, membership, incarnations })
    })
  )
})

it.scoped("in one process: a journal that is gone is missed at the next start", () =>
  Effect.gen(function* () {
    const disks = new Map<NodeId.NodeId, Journal.MemoryDisk>()
    const journal = (node: NodeId.NodeId) =>
      Layer.unwrapEffect(
        Effect.gen(function* () {
          const disk = disks.get(node) ?? (yield* Journal.makeMemoryDisk)
          disks.set(node, disk)
          return Journal.layerMemoryDisk(disk)
        })
      )
    yield* Effect.scoped(Effect.flatMap(Cluster.make(journal), ({ leader }) => leader))
    disks.delete(NodeId.make(2))
    const defect = yield* Effect.scoped(Cluster.make(journal)).pipe(Effect.catchAllDefect(Effect.fail), Effect.flip)
    expect(defect).toBeInstanceOf(Replica.ReplicaStopped)
    expect(String((defect as Error).message)).toMatch(
      /^Node 2 has stopped: The journal of node 2 is not the one that its cluster knows it by/
    )
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)

it.scoped("a cluster's epoch says which journals vote in it", () =>
  Effect.gen(function* () {
    const cluster = yield* Cluster.make()
    const { incarnations } = (yield* cluster.status(NodeId.make(1))).epoch
    expect(incarnations?.map(({ node }) => node)).toEqual(cluster.nodes)
    expect(new Set(incarnations?.map(({ incarnation }) => incarnation)).size).toBe(3)
  }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)

it.scoped("one that nobody warns stops when the log tells of another journal under its number, before it votes", () =>
  Effect.gen(function* () {
    const [self, other] = [NodeId.make(1), NodeId.make(2)]
    const membership = { voters: [self, other], learners: [], quorums: { _tag: "Majority" } } as const
    const incarnations = [self, other].map((node) => ({ node, incarnation: `old ${node}` }))
    const learned: Message.Learned = {
      ...{ _tag: "Learned", epoch: 1, ballot: Ballot.make(1, other), after: Slot.zero },
      entries: [Entry.stopSign(0, 1, membership, incarnations)]
    }
    const peer = (): Peers.Peer => ({
      ...Peers.unreachable("it says nothing"),
      learn: ({ after }) => Effect.succeed({ ...learned, after, entries: after === 0 ? learned.entries : [] })
    })
    const { peer: own, replica } = yield* Replica.make(yield* Tally.executor.pipe(Effect.provide(TallyLive))).pipe(
      Effect.provideService(Peers.Peers, {
        ...{ cluster: "test", self, beginning: { _tag: "Join", seeds: [other] }, peer },
        ...{ enter: () => Effect.void, serve: () => Effect.void }
      }),
      Effect.provideService(Journal.Journal, yield* Effect.flatMap(Journal.makeMemoryDisk, Journal.makeMemory))
    )
    expect((yield* Effect.flip(replica.stopped)).message).toBe(sentence(1, "the log says"))
    const prepare = { _tag: "Prepare", ballot: Ballot.make(5, other), released: Ballot.zero } as const
    const said: Array<string | undefined> = []
    own.acceptor({ from: other, epoch: 2 }, prepare, (reply) => void said.push(reply?._tag))
    yield* Effect.sleep("1 second")
    expect(said).not.toContain("Promise")
  }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)), VirtualTime.provide)
)
