/** Replicas over real TCP on this machine. */
import { describe, expect, it } from "@effect/vitest"
import { Admin, Client, Endpoint } from "@synod/client"
import { Journal } from "@synod/journal"
import { type Membership, NodeId } from "@synod/paxos"
import { ReplicaConfig, Socket } from "@synod/replica"
import { Answer, Command, Reply } from "@synod/state-machine"
import { Frame, Message } from "@synod/wire"
import { Clock, Effect, Either } from "effect"
import * as Net from "node:net"
import * as Sockets from "./Sockets.js"

const cluster = "test"

const three = Effect.gen(function* () {
  const members = yield* Sockets.members(3)
  const disks = yield* Effect.forEach([1, 2, 3], () => Journal.makeMemoryDisk)
  const start = (node: number) => Sockets.start({ cluster, node, members }, disks[node - 1]!)
  return { members, start }
})

it.scopedLive("three replicas: one is killed and started again, and a remote client goes on", () =>
  Effect.gen(function* () {
    const { members, start } = yield* three
    const running = new Map(
      yield* Effect.forEach([1, 2, 3], (node) => Effect.map(start(node), (process) => [node, process] as const))
    )
    const tally = yield* Sockets.client(cluster, members)
    for (let n = 0; n < 20; n++) yield* tally.Add({ key: `a${n}` })

    const leads = (node: number) => Effect.map(running.get(node)!.replica.status, ({ phase }) => phase === "Leading")
    const [leader] = yield* Effect.filter([1, 2, 3], leads)
    yield* running.get(leader!)!.kill
    const before = yield* Clock.currentTimeMillis
    yield* tally.Add({ key: "b" })
    expect((yield* Clock.currentTimeMillis) - before).toBeLessThan(5_000)
    running.set(leader!, yield* start(leader!))
    for (let n = 0; n < 20; n++) yield* tally.Add({ key: `c${n}` })

    const digests = Effect.forEach([...running.values()], ({ replica }) => replica.digest)
    yield* Sockets.until(
      "all have applied the same",
      Effect.map(digests, (all) => new Set(all.map(({ appliedThrough }) => appliedThrough)).size === 1)
    )
    expect(new Set((yield* digests).map(({ digest }) => digest)).size).toBe(1)
    const all = yield* tally.All()
    expect(all.length).toBe(41)
    expect(all.every(([, positions]) => positions.length === 1)).toBe(true)
    expect(yield* tally.Positions({ key: "b" })).toEqual([21])
  })
)

it.scopedLive("a replica whose peers are down starts promptly, and leads as soon as it has a quorum", () =>
  Effect.gen(function* () {
    const { members, start } = yield* three
    const founders = yield* Effect.forEach([1, 2, 3], start)
    yield* Effect.forEach(founders, ({ replica }) => replica.begun)
    yield* Effect.forEach(founders, ({ kill }) => kill)
    const before = yield* Clock.currentTimeMillis
    const first = yield* start(1)
    expect((yield* Clock.currentTimeMillis) - before).toBeLessThan(3_000)
    const tally = yield* Sockets.client(cluster, members, { deadline: "300 millis" })
    expect((yield* Effect.flip(tally.Add({ key: "alone" })))._tag).toBe("Unavailable")
    const second = yield* start(2)
    const leads = Effect.map(Effect.all([first.replica.status, second.replica.status]), (all) =>
      all.some(({ phase }) => phase === "Leading")
    )
    yield* Sockets.until("one of two leads", leads)
    const patient = yield* Sockets.client(cluster, members)
    expect(yield* patient.Add({ key: "two" })).toBe(1)
  })
)

it.scopedLive("a replica joins over TCP, others leave, and addresses travel with the change", () =>
  Effect.gen(function* () {
    const places = yield* Sockets.members(5)
    const disks = yield* Effect.forEach([1, 2, 3, 4, 5], () => Journal.makeMemoryDisk)
    const founders = { 1: places[1]!, 2: places[2]!, 3: places[3]! }
    const join = (node: number) =>
      Sockets.start({ cluster, node, begin: "join", members: { ...founders, [node]: places[node]! } }, disks[node - 1]!)
    const found = (node: number) => Sockets.start({ cluster, node, members: founders }, disks[node - 1]!)
    const three = yield* Effect.forEach([1, 2, 3], found)
    const client = yield* Sockets.client(cluster, places)
    yield* client.Add({ key: "a" })
    const [four, five] = [yield* join(4), yield* join(5)]
    yield* three[2]!.kill
    const admin = yield* Admin.tcp({ cluster, servers: places })
    const wanted: Membership.Membership = {
      voters: [3, 4, 5].map(NodeId.make),
      learners: [],
      quorums: { _tag: "Majority" },
      addresses: [4, 5].map((node) => ({ node: NodeId.make(node), address: Socket.formatAddress(places[node]!) }))
    }
    expect((yield* admin.changeMembership({ expect: 1, wanted })).membership).toEqual(wanted)
    expect(yield* client.Add({ key: "b" })).toBe(2)
    yield* three[0]!.kill
    yield* three[1]!.kill
    // It knows only founders, all gone; those who take their place tell it where they are.
    const back = yield* found(3)
    yield* Sockets.until(
      "it takes part",
      Effect.map(back.replica.status, ({ epoch, leader }) => epoch.number === 3 && leader !== undefined)
    )
    yield* five.kill
    expect(yield* client.Add({ key: "c" })).toBe(3)
    // From its journal alone, whatever it is told of founders.
    yield* four.kill
    const again = yield* Sockets.start({ cluster, node: 4, members: { 4: places[4]! } }, disks[3]!)
    expect(yield* client.Add({ key: "d" })).toBe(4)
    // A journal that is gone doesn't come back.
    const lost = Sockets.start({ cluster, node: 5, begin: "return", members: places }, yield* Journal.makeMemoryDisk)
    expect((yield* Effect.flip(lost)).message).toContain("The journal of node 5 holds nothing")
    expect((yield* again.replica.status).epoch.membership).toEqual(wanted)
  })
)

it.scopedLive("a client goes on while every server that it was told of is replaced", () =>
  Effect.gen(function* () {
    const places = yield* Sockets.members(6)
    const disks = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => Journal.makeMemoryDisk)
    const founders = { 1: places[1]!, 2: places[2]!, 3: places[3]! }
    const old = yield* Effect.forEach([1, 2, 3], (node) =>
      Sockets.start({ cluster, node, members: founders }, disks[node - 1]!)
    )
    for (const node of [4, 5, 6]) {
      const members = { ...founders, [node]: places[node]! }
      yield* Sockets.start({ cluster, node, begin: "join", members }, disks[node - 1]!)
    }
    const busy = yield* Sockets.client(cluster, founders)
    // One that asks nothing meanwhile looks now and then.
    const idle = yield* Sockets.client(cluster, founders, { look: "50 millis" })
    yield* busy.Add({ key: "a" })
    const admin = yield* Admin.tcp({ cluster, servers: places })
    const voters = [4, 5, 6].map(NodeId.make)
    yield* admin.changeMembership({
      expect: 1,
      wanted: {
        ...{ voters, learners: [], quorums: { _tag: "Majority" } },
        addresses: voters.map((node) => ({ node, address: Socket.formatAddress(places[node]!) }))
      }
    })
    expect(yield* busy.Add({ key: "b" })).toBe(2)
    yield* Effect.sleep("500 millis")
    yield* Effect.forEach(old, ({ kill }) => kill)
    expect(yield* busy.Add({ key: "c" })).toBe(3)
    expect(yield* idle.Add({ key: "d" })).toBe(4)
    expect(yield* idle.Positions({ key: "c" })).toEqual([3])
  })
)

describe("bad frames", () => {
  const format: Message.Format = { cluster: Frame.clusterTag(cluster), maxBytes: 16 * 1024 * 1024 }
  const elsewhere = Message.encodeFromClient({ ...format, cluster: Frame.clusterTag("another") }, { _tag: "Ping" })
  const tooLong = Frame.encode({ ...format, kind: 1 }, new Uint8Array(4 * 1024 * 1024))
  const damaged = Message.encodeFromClient(format, { _tag: "Ping" }).map((byte, i) => (i === 13 ? byte ^ 1 : byte))
  const garbage = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")

  it.scopedLive(
    "of another cluster, too long, or no frames: closed with a reason, one line each, the replica unharmed",
    () =>
      Effect.gen(function* () {
        const members = yield* Sockets.members(1)
        const { lines, replica } = yield* Sockets.start({ cluster, node: 1, members }, yield* Journal.makeMemoryDisk)
        const tally = yield* Sockets.client(cluster, members)
        yield* tally.Add({ key: "before" })
        const frames = [elsewhere, tooLong, damaged, garbage]
        for (const [i, frame] of frames.entries()) {
          const received = yield* Sockets.sendRaw(members[1]!, frame)
          expect(received.length).toBeGreaterThan(0)
          yield* Sockets.until(
            "it is logged",
            Effect.sync(() => lines.length > i)
          )
        }
        expect(lines.length).toBe(frames.length)
        for (const line of lines) expect(line).toMatch(/^Closed the connection of 127\.0\.0\.1:\d+: \S/)
        expect(yield* tally.Add({ key: "after" })).toBe(2)
        expect((yield* replica.status).phase).toBe("Leading")
      })
  )

  it.scopedLive("a client of another cluster is told that it is unavailable, not left waiting", () =>
    Effect.gen(function* () {
      const members = yield* Sockets.members(1)
      yield* Sockets.start({ cluster, node: 1, members }, yield* Journal.makeMemoryDisk)
      const stranger = yield* Sockets.client("another", members, { deadline: "500 millis" })
      const error = yield* Effect.flip(stranger.Add({ key: "a" }))
      expect(error._tag).toBe("Unavailable")
      expect(error.message).toContain("cluster")
    })
  )
})

describe("commands that can't be applied", () => {
  const encoded = (tag: string, payload: unknown) => Either.getOrThrow(Command.encode(tag, payload))

  it.scopedLive("are refused before the log, and those they travelled with are applied", () =>
    Effect.gen(function* () {
      const members = yield* Sockets.members(1)
      const { replica } = yield* Sockets.start({ cluster, node: 1, members }, yield* Journal.makeMemoryDisk)
      const endpoint = yield* Endpoint.tcp({ ...members[1]!, cluster })
      const caller = yield* Client.make(new Map([[1, endpoint]]))
      const answerTo = (command: Uint8Array) =>
        Effect.map(caller.submit(command), (bytes) => Either.getOrThrow(Answer.decode(bytes)))
      yield* answerTo(encoded("Add", { key: "a" }))
      const { chosenThrough } = yield* replica.status
      const refused = [
        [encoded("Remove", {}), "Remove", "Tally has no such command"],
        [encoded("All", undefined), "All", "Tally has no such command"],
        [encoded("Add", { key: 7 }), "Add", "its payload doesn't fit its schema"],
        [Uint8Array.of(0xc1), "A command", /\S/]
      ] as const
      for (const [command, name, reason] of refused) {
        const answer = yield* answerTo(command)
        expect(answer).toMatchObject({ _tag: "Defect", command: name })
        if (answer._tag === "Defect") expect(answer.reason).toMatch(reason)
      }
      const envelope = new Uint8Array(ReplicaConfig.defaults.envelope + 1)
      for (const [bytes, reason] of [
        [envelope, /more than the 73728 that are allowed/],
        [Uint8Array.of(9, 9), /format 1/]
      ] as const) {
        const reply = Either.getOrThrow(Reply.decode(yield* endpoint.submit(bytes)))
        expect(reply._tag === "Refused" ? reply.reason : reply._tag).toMatch(reason)
      }
      expect((yield* replica.status).chosenThrough).toBe(chosenThrough)
      const together = [encoded("Add", { key: "b" }), refused[0][0], encoded("Add", { key: "c" }), refused[2][0]]
      const answers = yield* Effect.forEach(together, answerTo, { concurrency: "unbounded" })
      expect(answers.map((answer) => (answer._tag === "Success" ? answer.value : answer._tag))).toEqual([
        ...[2, "Defect"],
        ...[3, "Defect"]
      ])
    })
  )
})

describe("what keeps it from starting is said in a sentence", () => {
  it.scopedLive("a port in use", () =>
    Effect.gen(function* () {
      const members = yield* Sockets.members(1)
      yield* Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer()
          server.listen(members[1]!.port, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const error = yield* Effect.flip(Sockets.start({ cluster, node: 1, members }, yield* Journal.makeMemoryDisk))
      expect(error.message).toBe(`Can't listen on 127.0.0.1:${members[1]!.port}: the port is in use.`)
    })
  )

  const address = { host: "127.0.0.1", port: 1 }
  for (const [name, node, members, reason] of [
    ["a node that is no member", 4, { 1: address, 2: address }, "node 4 is this replica and not one of them"],
    ["a node that is no number", 0, { 1: address }, "node 0 is not a whole number from 1 to 65,535"],
    [
      "a member that is no number",
      1,
      { 1: address, 70000: address },
      "node 70000 is not a whole number from 1 to 65,535"
    ]
  ] as const) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Sockets.start({ cluster, node, members }, yield* Journal.makeMemoryDisk))
        expect(error.message).toBe(`The members don't make a cluster: ${reason}.`)
      })
    )
  }
})
