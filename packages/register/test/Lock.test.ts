/** The stories of the lecture on a lock, with registers: the ballots are those of one proposer a node. */
import { expect, it } from "@effect/vitest"
import { Ballot, NodeId } from "@synod/paxos"
import type { RegisterAcceptor } from "@synod/paxos"
import { InProcess, Registers, RegisterStore } from "@synod/register"
import { Effect, Layer, Option } from "effect"
import { bytes } from "./Fixtures.js"
import { acquire, Held, holder, release } from "./Lock.js"

const five = InProcess.layerMemory({ members: 5 })

/** By the proposer of a node. */
const at = <A, E>(node: number, effect: Effect.Effect<A, E, Registers.Registers>) =>
  Effect.gen(function* () {
    const { registers } = yield* InProcess.InProcess
    return yield* Effect.provideService(effect, Registers.Registers, yield* registers(NodeId.make(node)))
  })

const each = (what: "kill" | "start", ...nodes: ReadonlyArray<number>) =>
  Effect.flatMap(InProcess.InProcess, (cluster) => Effect.forEach(nodes, (node) => cluster[what](NodeId.make(node))))

it.scoped("L1: granted, with number 1", () =>
  Effect.gen(function* () {
    expect(yield* at(3, acquire("door", "alice"))).toBe(1)
    for (const node of [1, 2, 3, 4, 5]) expect(yield* at(node, holder("door", 1))).toEqual(Option.some("alice"))
  }).pipe(Effect.provide(five))
)

it.scoped("L2: two are down, come back, and one of them tries for Bob", () =>
  Effect.gen(function* () {
    yield* each("kill", 2, 3)
    expect(yield* at(5, acquire("door", "alice"))).toBe(1)
    yield* each("start", 2, 3)
    expect(yield* Effect.flip(at(2, acquire("door", "bob")))).toEqual(new Held({ by: "alice", number: 1 }))
  }).pipe(Effect.provide(five))
)

/** What an acceptor wrote for an owner of the door, at a ballot of a node, and nobody knows to be decided. */
const wrote = (owner: string, round: number, node: number): RegisterAcceptor.State => {
  const ballot = Ballot.make(round, NodeId.make(node))
  return { promised: ballot, life: node, accepted: { ballot, value: bytes(JSON.stringify(owner)) }, decided: false }
}

/** So many members, some of which hold what a proposer left behind that is gone. */
const leftBehind = (members: number, held: { readonly [node: number]: RegisterAcceptor.State }) =>
  InProcess.layerStores({
    members,
    store: (node) => {
      const state = held[node]
      const written: RegisterStore.States = new Map(state === undefined ? [] : [["lock/door/1", state]])
      return Layer.scoped(
        RegisterStore.RegisterStore,
        Effect.gen(function* () {
          const store = yield* RegisterStore.makeMemory(yield* RegisterStore.makeMemoryDisk)
          yield* Effect.orDie(store.write(written, 0))
          return store
        })
      )
    }
  })

it.scoped(
  "L3, L5: the proposer dies midway, the next one finishes; who asks there is granted it once, by number 1",
  () =>
    Effect.gen(function* () {
      yield* each("kill", 3)
      // Bob asks first, and what he hears of is finished for Alice, who has heard nothing yet.
      expect(yield* Effect.flip(at(4, acquire("door", "bob")))).toEqual(new Held({ by: "alice", number: 1 }))
      expect(yield* at(4, acquire("door", "alice"))).toBe(1)
      expect(yield* at(4, acquire("door", "alice"))).toBe(1)
      for (const node of [1, 2, 4, 5]) expect(yield* at(node, holder("door", 1))).toEqual(Option.some("alice"))
      expect(yield* at(4, holder("door", 2))).toEqual(Option.none())
    }).pipe(Effect.provide(leftBehind(5, { 1: wrote("alice", 1, 3), 2: wrote("alice", 1, 3) })))
)

it.scopedLive("L4: three hold three owners, and none is decided: of those who answer the highest ballot is taken", () =>
  Effect.gen(function* () {
    yield* each("kill", 2)
    expect(yield* Effect.flip(at(1, acquire("door", "dave")))).toEqual(new Held({ by: "carol", number: 1 }))
    yield* each("start", 2)
    for (const node of [1, 2, 3]) expect(yield* at(node, holder("door", 1))).toEqual(Option.some("carol"))
  }).pipe(Effect.provide(leftBehind(3, { 1: wrote("alice", 1, 1), 2: wrote("bob", 1, 2), 3: wrote("carol", 2, 3) })))
)

it.scopedLive("whoever comes at once, one holds it; numbers rise from owner to owner", () =>
  Effect.gen(function* () {
    const names = ["alice", "bob", "carol", "dave", "erin"]
    const numbers: Array<number> = []
    const owners = new Set<string>()
    for (let turn = 1; turn <= 5; turn++) {
      const tries = yield* Effect.forEach(
        names.filter((name) => !owners.has(name)),
        (name, i) => Effect.map(Effect.either(at(1 + (i % 5), acquire("door", name))), (got) => ({ name, got })),
        { concurrency: "unbounded" }
      )
      const won = tries.filter(({ got }) => got._tag === "Right")
      expect(won).toHaveLength(1)
      const [{ got, name }] = won as [(typeof won)[number]]
      owners.add(name)
      if (got._tag === "Right") numbers.push(got.right)
      yield* release("door", turn)
    }
    expect(numbers).toEqual([1, 2, 3, 4, 5])
  }).pipe(Effect.provide(five))
)
