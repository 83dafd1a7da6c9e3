/** Founders who hear each other late, twice or never, and lose their journals when it hurts most. */
import { Acceptor, Durable, Epoch, Founders, Incarnation, MembershipChange } from "@synod/paxos"
import type { Membership, NodeId } from "@synod/paxos"
import { assert, describe, it } from "vitest"
import * as Random from "./Random.js"
import { node } from "./Story.js"

const [x, y, z] = [1, 2, 3].map(node) as [NodeId.NodeId, NodeId.NodeId, NodeId.NodeId]
const nodes = [x, y, z]
const membership: Membership.Membership = { voters: nodes, learners: [], quorums: { _tag: "Majority" } }
const options = { keep: 10 }

const set = (...incarnations: ReadonlyArray<string>): Incarnation.Incarnations =>
  incarnations.map((incarnation, i) => ({ node: node(i + 1), incarnation }))

/** What a founder says that has this journal, and has noted these. */
const founder = (node: NodeId.NodeId, incarnation: string, noted?: Incarnation.Incarnations, epoch = 0) => ({
  ...{ node, incarnation, epoch, membership },
  ...(noted === undefined ? {} : { incarnations: noted })
})

const heard = (...all: ReadonlyArray<Founders.Introduction>) => new Map(all.map((one) => [one.node, one]))

describe("a founder", () => {
  const abc = set("a", "b", "c")

  it("notes which journals there are once all have told, and not before", () => {
    const self = founder(x, "a")
    assert.deepStrictEqual(Founders.decide(self, new Map()), { _tag: "Wait", nodes: [y, z] })
    assert.deepStrictEqual(Founders.decide(self, heard(founder(z, "c"))), { _tag: "Wait", nodes: [y] })
    const all = heard(founder(y, "b"), founder(z, "c"))
    assert.deepStrictEqual(Founders.decide(self, all), { _tag: "Note", incarnations: abc })
    // One that is to join founds nothing.
    const joins = heard(founder(y, "b"), { node: z, incarnation: "c", epoch: 0 })
    assert.deepStrictEqual(Founders.decide(self, joins), { _tag: "Wait", nodes: [z] })
  })

  it("begins only when all have noted the same", () => {
    const self = founder(x, "a", abc)
    assert.deepStrictEqual(Founders.decide(self, heard(founder(y, "b", abc), founder(z, "c"))), {
      _tag: "Wait",
      nodes: [z]
    })
    assert.strictEqual(Founders.decide(self, heard(founder(y, "b", abc), founder(z, "c", abc)))._tag, "Found")
    // One that has begun knew that all have.
    assert.strictEqual(Founders.decide(self, heard(founder(y, "b", abc, 1)))._tag, "Found")
  })

  it("that lost its journal is refused by any one that remembers", () => {
    for (const other of [founder(z, "c", abc), founder(z, "c", abc, 1), founder(z, "c", abc, 5)]) {
      const decision = Founders.decide(founder(x, "new"), heard(other))
      assert.deepStrictEqual(decision, { _tag: "Forgotten", by: other })
      const joining = { node: x, incarnation: "new", epoch: 0 }
      assert.deepStrictEqual(Founders.decide(joining, heard(other)), { _tag: "Forgotten", by: other })
    }
  })

  it("that was removed long ago, and lost its journal, founds nothing either", () => {
    const later = {
      ...founder(z, "c", set("c"), 7),
      membership: { ...membership, voters: [z] },
      incarnations: [{ node: z, incarnation: "c" }]
    }
    assert.strictEqual(Founders.decide(founder(x, "new"), heard(later))._tag, "Forgotten")
    // One that has noted who they are has only been away.
    assert.strictEqual(Founders.decide(founder(x, "a", abc), heard(later))._tag, "Wait")
  })

  it("is told of other members, or has noted other journals: both say so", () => {
    const half = { ...founder(y, "b"), membership: { ...membership, voters: [x, y] } }
    assert.deepStrictEqual(Founders.decide(founder(x, "a"), heard(half)), { _tag: "Differs", from: half })
    const other = founder(y, "b", set("a", "b", "d"))
    assert.deepStrictEqual(Founders.decide(founder(x, "a", abc), heard(other)), { _tag: "Differs", from: other })
  })
})

describe("its acceptor", () => {
  const founding = { membership, incarnations: set("a", "b", "c") }
  const begun = Acceptor.recover({ ...Durable.initial, epochs: { ...Epoch.none, identity: { incarnation: "a" } } }, [])
  const after = (state: Acceptor.State, input: Acceptor.Input) => Acceptor.step(state, input, options)

  it("notes one set, durably, and never another one", () => {
    const noted = after(begun, { _tag: "Note", founding })
    assert.deepStrictEqual(
      noted.actions.map(({ _tag }) => _tag),
      ["Persist"]
    )
    assert.deepStrictEqual(Acceptor.durable(noted.state).epochs.identity, { incarnation: "a", founding })
    const again = after(noted.state, { _tag: "Note", founding: { ...founding, incarnations: set("a", "x", "y") } })
    assert.deepStrictEqual(again, { state: noted.state, actions: [] })
  })

  it("is in epoch 1 only behind that, and knows which journals vote", () => {
    assert.deepStrictEqual(after(begun, { _tag: "Found" }), { state: begun, actions: [] })
    const { actions, state } = after(after(begun, { _tag: "Note", founding }).state, { _tag: "Found" })
    assert.deepStrictEqual(
      actions.map(({ _tag }) => _tag),
      ["Persist", "Enter"]
    )
    assert.deepStrictEqual(state.epochs, {
      present: { number: 1, after: 0, ...founding },
      past: [],
      identity: { incarnation: "a" }
    } as unknown as Epoch.Epochs)
    assert.isFalse(Epoch.isReplaced(state.epochs, x))
    assert.isTrue(Epoch.isReplaced({ ...state.epochs, identity: { incarnation: "new" } }, x))
  })
})

it("a change of membership takes the journals of voters along, whatever they say by now", () => {
  const present = { ...Epoch.founded(membership, set("a", "b", "c")).present }
  const [four] = [node(4)]
  const request = { expect: 1, wanted: membership, incarnations: [...set("new"), { node: four, incarnation: "d" }] }
  const wanted = { ...membership, voters: [x, z, four] }
  assert.deepStrictEqual(MembershipChange.incarnations(present, wanted, request), [
    { node: x, incarnation: "a" },
    { node: z, incarnation: "c" },
    { node: four, incarnation: "d" }
  ])
})

/** One founder: what is durable, and what it has heard. */
interface Place {
  readonly node: NodeId.NodeId
  incarnation: string
  acceptor: Acceptor.State
  said: Map<NodeId.NodeId, Founders.Introduction>
}

type Decide = typeof Founders.decide

/** Sets of journals that became a cluster, in a run in which journals are lost and messages come late. */
const walk = (seed: number, decide: Decide): ReadonlyArray<Incarnation.Incarnations> => {
  const random = Random.make(seed)
  const founded: Array<Incarnation.Incarnations> = []
  const sent: Array<{ readonly to: Place; readonly introduction: Founders.Introduction }> = []
  let drawn = 0
  const begin = (place: Place): void => {
    place.incarnation = `j${++drawn}`
    const identity = { incarnation: place.incarnation }
    place.acceptor = Acceptor.recover({ ...Durable.initial, epochs: { ...Epoch.none, identity } }, [])
    place.said = new Map()
  }
  const places = nodes.map((node) => {
    const place = { node } as Place
    begin(place)
    return place
  })
  const own = ({ acceptor, incarnation, node }: Place) =>
    Founders.introduce({ node, incarnation }, acceptor.epochs, membership)
  const consider = (place: Place): void => {
    if (place.acceptor.epochs.present.number > 0) return
    const decision = decide(own(place), place.said)
    const input: Acceptor.Input | undefined =
      decision._tag === "Note"
        ? { _tag: "Note", founding: { membership, incarnations: decision.incarnations } }
        : decision._tag === "Found"
          ? { _tag: "Found" }
          : undefined
    if (input === undefined) return
    place.acceptor = Acceptor.step(place.acceptor, input, options).state
    if (input._tag === "Found") founded.push(place.acceptor.epochs.present.incarnations!)
  }
  for (let i = 0; i < 120; i++) {
    const place = random.pick(places)
    if (random.chance(0.02)) begin(place)
    else if (random.chance(0.5)) sent.push({ to: random.pick(places), introduction: own(place) })
    else if (sent.length > 0) {
      // Any message, any number of times.
      const { introduction, to } = random.pick(sent)
      if (introduction.node !== to.node) to.said.set(introduction.node, introduction)
      consider(to)
    }
  }
  return founded
}

/** Two clusters that share a journal. */
const clash = (founded: ReadonlyArray<Incarnation.Incarnations>): boolean =>
  founded.some((a) =>
    founded.some(
      (b) => !Incarnation.equals(a, b) && a.some(({ incarnation }) => b.some((o) => o.incarnation === incarnation))
    )
  )

describe("whatever gets lost or comes late", () => {
  const seeds = Array.from({ length: 4_000 }, (_, i) => i + 1)

  it("no journal is in two clusters, and most runs found one", () => {
    const runs = seeds.map((seed) => ({ seed, founded: walk(seed, Founders.decide) }))
    assert.deepStrictEqual(
      runs.filter(({ founded }) => clash(founded)).map(({ seed }) => seed),
      []
    )
    assert.isAbove(runs.filter(({ founded }) => founded.length > 0).length, 200)
  })

  it("it takes both rounds: without the second one, two clusters share journals", () => {
    const hasty: Decide = (self, others) => {
      const decision = Founders.decide(self, others)
      return decision._tag === "Wait" && self.incarnations !== undefined ? { _tag: "Found" } : decision
    }
    assert.isTrue(seeds.some((seed) => clash(walk(seed, hasty))))
  })
})
