import { describe, expect, it } from "@effect/vitest"
import { Endpoint } from "@synod/client"
import { NodeId, StateTable } from "@synod/paxos"
import type { RegisterMessage } from "@synod/paxos"
import { InProcess, type Peer, Register, RegisterConfig, Registers } from "@synod/register"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Schema, TestClock } from "effect"
import { bytes, directory, text } from "./Fixtures.js"

const Owner = Register.make("owner", { value: Schema.Struct({ name: Schema.String }) })
const alice = { name: "alice" }
const bob = { name: "bob" }

const config = (values: Partial<RegisterConfig.Values>) =>
  Layer.succeed(RegisterConfig.RegisterConfig, { ...RegisterConfig.defaults, ...values })

/** Loses messages, or their answers, as `lost` says. */
const losing =
  (lost: (from: number | undefined, to: number, message: RegisterMessage.ToAcceptor) => "no" | "message" | "answer") =>
  (from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peer.Peer): Peer.Peer =>
  (message) => {
    const gone = Effect.fail(new Endpoint.Unreachable({ reason: "lost", sent: true }))
    const what = lost(from, to, message)
    return what === "no" ? peer(message) : what === "message" ? gone : Effect.zipRight(peer(message), gone)
  }

describe("Registers", () => {
  it.scoped("decide once, answer whose it is, and are read by everybody", () =>
    Effect.gen(function* () {
      const { registers } = yield* InProcess.InProcess
      expect(yield* Owner.read("door")).toEqual(Option.none())
      expect(yield* Owner.propose("door", alice)).toEqual({ value: alice, mine: true })
      expect(yield* Owner.propose("door", bob)).toEqual({ value: alice, mine: false })
      expect(yield* Owner.propose("door", alice)).toEqual({ value: alice, mine: true })
      expect(yield* Owner.propose("window", bob)).toEqual({ value: bob, mine: true })
      for (const node of [1, 2, 3]) {
        const found = yield* (yield* registers(NodeId.make(node))).read("owner/door")
        expect(text(Option.getOrThrow(found))).toBe('{"name":"alice"}')
      }
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scopedLive("agree when all members and clients propose at once, on many keys", () =>
    Effect.gen(function* () {
      const { nodes, registers } = yield* InProcess.InProcess
      const own = yield* Registers.Registers
      const proposers = [own, own, ...(yield* Effect.forEach(nodes, registers))]
      const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
      const all = yield* Effect.forEach(
        keys.flatMap((key) => proposers.map((proposer, i) => ({ key, i, proposer }))),
        ({ i, key, proposer }) =>
          Effect.map(proposer.propose(key, bytes(`v${i}`)), (decision) => ({ key, i, ...decision })),
        { concurrency: "unbounded" }
      )
      for (const key of keys) {
        const answers = all.filter((answer) => answer.key === key)
        expect(new Set(answers.map(({ value }) => text(value))).size).toBe(1)
        expect(answers.filter(({ mine }) => mine)).toHaveLength(1)
      }
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scoped(
    "give every request ballots of its own, though one proposer has several of them for a register at once",
    () => {
      const lives = new Set<number>()
      const between = (_from: NodeId.NodeId | undefined, _to: NodeId.NodeId, peer: Peer.Peer): Peer.Peer => {
        return (message) => {
          if (message._tag === "Prepare") lives.add(message.life)
          return peer(message)
        }
      }
      return Effect.gen(function* () {
        const registers = yield* Registers.Registers
        yield* Effect.all([registers.propose("a", bytes("x")), Effect.either(registers.propose("a", bytes("y")))], {
          concurrency: "unbounded"
        }).pipe(Effect.fork)
        yield* Effect.yieldNow()
        yield* TestClock.adjust("1 second")
        expect(lives.size).toBe(2)
      }).pipe(Effect.provide(InProcess.layerMemory({ between })))
    }
  )

  it.scoped("go on without a minority, and bring it up to date when it is asked", () =>
    Effect.gen(function* () {
      const { kill, start } = yield* InProcess.InProcess
      const three = NodeId.make(3)
      yield* kill(three)
      expect((yield* Owner.propose("door", alice)).mine).toBe(true)
      yield* start(three)
      yield* kill(NodeId.make(1))
      expect(yield* Owner.read("door")).toEqual(Option.some(alice))
      yield* Effect.yieldNow()
      yield* kill(NodeId.make(2))
      expect(yield* Owner.read("door"), "node 3 alone knows").toEqual(Option.some(alice))
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scoped("are Unavailable without a quorum, and the value was sent to nobody", () =>
    Effect.gen(function* () {
      const { kill, start } = yield* InProcess.InProcess
      for (const node of [1, 2]) yield* kill(NodeId.make(node))
      const proposing = yield* Effect.fork(Effect.flip(Owner.propose("door", alice)))
      const reading = yield* Effect.fork(Effect.flip(Owner.read("door")))
      yield* TestClock.adjust("11 seconds")
      const error = yield* Fiber.join(proposing)
      expect(error._tag).toBe("Unavailable")
      expect(error.message).toContain("no answer of node 1, 2")
      expect((yield* Fiber.join(reading))._tag).toBe("Unavailable")
      for (const node of [1, 2]) yield* start(NodeId.make(node))
      expect(yield* Owner.read("door")).toEqual(Option.none())
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scoped("have an OutcomeUnknown once the value was sent to anybody; a read then decides it", () => {
    let cut = true
    const between = losing((from, _to, message) =>
      cut && from === undefined && message._tag === "Accept" ? "answer" : "no"
    )
    return Effect.gen(function* () {
      const { registers } = yield* InProcess.InProcess
      const proposing = yield* Effect.fork(Effect.flip(Owner.propose("door", alice)))
      yield* TestClock.adjust("11 seconds")
      expect((yield* Fiber.join(proposing))._tag).toBe("OutcomeUnknown")
      cut = false
      const second = yield* registers(NodeId.make(2))
      // Its first ballots are below those that were promised meanwhile, so that it takes a pause.
      const other = yield* Effect.fork(second.propose("owner/door", bytes("x")))
      yield* TestClock.adjust("1 second")
      expect(text((yield* Fiber.join(other)).value)).toBe('{"name":"alice"}')
      expect(yield* Owner.propose("door", alice), "idempotent").toEqual({ value: alice, mine: true })
    }).pipe(Effect.provide(InProcess.layerMemory({ between })))
  })

  it.scoped("refuse what is too large, and too much at once", () =>
    Effect.gen(function* () {
      const registers = yield* Registers.Registers
      for (const key of ["", "x".repeat(257)]) {
        expect((yield* Effect.flip(registers.read(key)))._tag).toBe("TooLarge")
      }
      expect((yield* Effect.flip(registers.propose("k", new Uint8Array(101))))._tag).toBe("TooLarge")
      const { kill } = yield* InProcess.InProcess
      for (const node of [1, 2, 3]) yield* kill(NodeId.make(node))
      const waiting = yield* Effect.forkAll([registers.read("a"), registers.read("b")])
      yield* Effect.yieldNow()
      expect(yield* Effect.flip(registers.read("c"))).toMatchObject({ _tag: "Overloaded", limit: 2 })
      yield* Fiber.interrupt(waiting)
      const next = yield* Effect.fork(Effect.flip(registers.read("c")))
      yield* TestClock.adjust("11 seconds")
      expect((yield* Fiber.join(next))._tag, "there is room again").toBe("Unavailable")
    }).pipe(Effect.provide(InProcess.layerMemory().pipe(Layer.provide(config({ value: 100, requests: 2 })))))
  )

  it.scoped("say so when a value is of another schema", () =>
    Effect.gen(function* () {
      const Other = Register.make("owner", { value: Schema.Number })
      yield* Owner.propose("door", alice)
      expect((yield* Effect.flip(Other.read("door")))._tag).toBe("Unreadable")
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scoped("survive a restart of all members from their files", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const cluster = InProcess.layer({ directory: path })
      yield* Effect.provide(Owner.propose("door", alice), cluster)
      expect(yield* Effect.provide(Owner.read("door"), cluster)).toEqual(Option.some(alice))
      const others = InProcess.layer({ directory: path, quorums: { _tag: "AllAboard" } })
      const refused = yield* Effect.flip(Effect.provide(Owner.read("door"), others))
      expect(refused._tag, "other quorums are another cluster").toBe("JournalRefused")
    })
  )

  it.scoped("are kept for ever, unless they are to be forgotten", () =>
    Effect.gen(function* () {
      const forgetful = InProcess.layerMemory().pipe(Layer.provide(config({ forget: Duration.days(1) })))
      for (const [layer, left] of [
        [InProcess.layerMemory(), Option.some(alice)],
        [forgetful, Option.none()]
      ] as const) {
        const found = yield* Effect.gen(function* () {
          yield* Owner.propose("door", alice)
          yield* TestClock.adjust("25 hours")
          yield* Owner.propose("window", bob)
          return yield* Owner.read("door")
        }).pipe(Effect.provide(layer))
        expect(found).toEqual(left)
      }
    })
  )

  it.scoped("show what their acceptors hold", () =>
    Effect.gen(function* () {
      const { kill } = yield* InProcess.InProcess
      yield* kill(NodeId.make(3))
      yield* Owner.propose("door", alice)
      const table = yield* Owner.stateTable("door")
      expect(StateTable.format(table, (value) => JSON.parse(text(value)).name)).toEqual([
        "owner/door  node 1   node 2   node 3",
        "1.65535     [alice]  [alice]  ?"
      ])
    }).pipe(Effect.provide(InProcess.layerMemory()))
  )

  it.scoped("refuse a configuration that can't work", () =>
    Effect.gen(function* () {
      for (const [option, value] of [
        ["key", 0],
        ["value", 2 ** 30],
        ["deadline", "soon"],
        ["patience", 0],
        ["suspicion", -1],
        ["firstPause", "x"],
        ["longestPause", 0],
        ["requests", 0],
        ["mailbox", 1],
        ["cache", -1],
        ["forget", "always"],
        ["forget", "19 seconds"],
        ["forgotten", 0]
      ] as const) {
        const layer = InProcess.layerMemory().pipe(
          Layer.provide(config({ [option]: value } as Partial<RegisterConfig.Values>))
        )
        expect(yield* Effect.flip(Effect.scoped(Layer.build(layer)))).toMatchObject({ _tag: "ConfigRefused", option })
      }
    })
  )
})

describe("all aboard", () => {
  const sent: Array<string> = []
  const between = (_from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peer.Peer): Peer.Peer => {
    return (message) => {
      if (message._tag !== "Decided") sent.push(`${message._tag} ${to}`)
      return peer(message)
    }
  }
  const propose = (node: number, key: string) =>
    Effect.gen(function* () {
      sent.length = 0
      const { registers } = yield* InProcess.InProcess
      yield* (yield* registers(NodeId.make(node))).propose(key, bytes("x"))
      return [...sent]
    })

  it.scoped("one round trip while all are there, two without one, and one again when it is back", () =>
    Effect.gen(function* () {
      const { kill, start } = yield* InProcess.InProcess
      const fast = ["Accept 2", "Accept 3"]
      expect(yield* propose(1, "a")).toEqual(fast)
      yield* kill(NodeId.make(3))
      const slow = ["Prepare 2", "Prepare 3", ...fast]
      expect(yield* propose(1, "b"), "it is news that node 3 is missing").toEqual([...fast, ...slow])
      expect(yield* propose(1, "c"), "it is known").toEqual(slow)
      yield* start(NodeId.make(3))
      expect(yield* propose(1, "d"), "it answers again").toEqual(slow)
      expect(yield* propose(1, "e")).toEqual(fast)
      yield* kill(NodeId.make(3))
      yield* propose(1, "f")
      yield* start(NodeId.make(3))
      yield* TestClock.adjust("3 seconds")
      expect(yield* propose(1, "g"), "it is tried again after a while").toEqual(fast)
    }).pipe(Effect.provide(InProcess.layerMemory({ quorums: { _tag: "AllAboard" }, between })))
  )
})

describe("the proposer's patience", () => {
  it.scoped("takes an acceptor that hangs for a missing one", () => {
    const between = (_from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peer.Peer): Peer.Peer =>
      to === 3 ? () => Effect.never : peer
    return Effect.gen(function* () {
      const { registers } = yield* InProcess.InProcess
      const one = yield* registers(NodeId.make(1))
      const done = yield* Deferred.make<boolean>()
      yield* Effect.fork(Effect.flatMap(one.propose("a", bytes("x")), ({ mine }) => Deferred.succeed(done, mine)))
      yield* TestClock.adjust("399 millis")
      expect(yield* Deferred.isDone(done)).toBe(false)
      yield* TestClock.adjust("1 millis")
      expect(yield* Deferred.await(done)).toBe(true)
      // From then on it is not waited for.
      expect(Exit.isSuccess(yield* Effect.exit(one.propose("b", bytes("x"))))).toBe(true)
    }).pipe(Effect.provide(InProcess.layerMemory({ quorums: { _tag: "AllAboard" }, between })))
  })
})
