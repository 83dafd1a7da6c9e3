/** The stories of the lecture on a lock, with registers: the ballots are those of one proposer a node. */
import { expect, it } from "@effect/vitest"
import { NodeId } from "@synod/paxos"
import { InProcess, Registers } from "@synod/register"
import { Effect, Option } from "effect"
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

it.scoped(
  "L3, L5: the proposer dies, another finishes; who asks again elsewhere is granted it once, by the same number",
  () =>
    Effect.gen(function* () {
      yield* at(3, acquire("door", "alice"))
      yield* each("kill", 3)
      expect(yield* at(4, acquire("door", "alice"))).toBe(1)
      expect(yield* Effect.flip(at(4, acquire("door", "bob")))).toEqual(new Held({ by: "alice", number: 1 }))
    }).pipe(Effect.provide(five))
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
