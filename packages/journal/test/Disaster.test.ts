/** Journals that are left of a cluster: which to go on from, what may be missing, and what the new one holds. */
import { assert, describe, it } from "@effect/vitest"
import { Disaster, Journal, type JournalStore, Survivors } from "@synod/journal"
import { Ballot, Durable, Entry, Epoch, type Membership, NodeId, Slot } from "@synod/paxos"
import { Effect } from "effect"

const nodes = [1, 2, 3, 4, 5].map(NodeId.make)
const [one, two, three] = nodes as [NodeId.NodeId, NodeId.NodeId, NodeId.NodeId]
const founders: Membership.Membership = { voters: nodes, learners: [], quorums: { _tag: "Majority" } }
const incarnations = nodes.map((node) => ({ node, incarnation: `old ${node}` }))
const cluster = "bank"
const limit = { slots: 100, bytes: 1_000_000 }

const batch = (letter: string): Entry.Entry => Entry.commands(letter.charCodeAt(0), new TextEncoder().encode(letter))

interface Held {
  readonly log: ReadonlyArray<Entry.Entry>
  readonly chosen: number
  /** The round in which the log was accepted. */
  readonly round?: number
  readonly epochs?: Epoch.Epochs
}

/** The journal of a node that holds this. */
const survivor = (
  node: NodeId.NodeId,
  { chosen, epochs = Epoch.founded(founders, incarnations), log, round = 1 }: Held
) =>
  Effect.gen(function* () {
    const disk = yield* Journal.makeMemoryDisk
    const ballot = Ballot.make(round, one)
    const state: Durable.Durable = {
      epochs: { ...epochs, identity: { incarnation: `old ${node}` } },
      ...{ promised: ballot, acceptedBallot: ballot },
      acceptedThrough: Slot.make(log.length),
      chosenThrough: Slot.make(chosen),
      trimmedThrough: Slot.zero
    }
    yield* Effect.scoped(
      Effect.flatMap(Journal.makeMemory(disk), (journal) => journal.write({ state, after: Slot.zero, entries: log }))
    )
    return { node, journal: yield* Journal.makeMemory(disk) } satisfies Survivors.Survivor
  })

const entries = (letters: string) => Array.from(letters, batch)

const surveyed = (first: Survivors.Survivor, ...rest: ReadonlyArray<Survivors.Survivor>) =>
  Survivors.survey([first, ...rest])

describe("which to go on from", () => {
  it.scoped("the log that was accepted last, and it says what is certain, what is taken, and what may be missing", () =>
    Effect.gen(function* () {
      const behind = yield* survivor(one, { log: entries("abc"), chosen: 3 })
      const ahead = yield* survivor(two, { log: entries("abcde"), chosen: 2 })
      const report = yield* surveyed(behind, ahead)
      assert.deepStrictEqual(report, {
        ...{ best: two, epoch: 1, certain: Slot.make(3), taken: Slot.make(5) },
        ...{ left: [one, two], gone: nodes.slice(2) }
      })
      assert.deepStrictEqual(Survivors.tell(report), [
        "Of epoch 1 nodes 1, 2 are left, and nodes 3, 4, 5 are gone; node 2 has come furthest.",
        "What was chosen in slots 1 to 3 is there, and nothing of it is lost.",
        "In slots 4 to 5 stands what node 2 accepted: nobody left knows whether it was chosen, or something else in its place. It is taken.",
        "Every slot behind 5 may be missing: what clients were told of commands there is not true any more."
      ])
    })
  )

  it.scoped("a higher ballot counts more than a longer log", () =>
    Effect.gen(function* () {
      const longer = yield* survivor(one, { log: entries("abxyz"), chosen: 2, round: 1 })
      const later = yield* survivor(two, { log: entries("abcd"), chosen: 2, round: 2 })
      assert.strictEqual((yield* surveyed(longer, later)).best, two)
    })
  )

  it.scoped("not a log that contradicts what somebody knows to be chosen, or ends before", () =>
    Effect.gen(function* () {
      const knows = yield* survivor(one, { log: entries("abcd"), chosen: 4, round: 1 })
      for (const log of ["abxyz", "abc"]) {
        const later = yield* survivor(two, { log: entries(log), chosen: 2, round: 2 })
        const report = yield* surveyed(later, knows)
        assert.deepStrictEqual([report.best, report.certain, report.taken], [one, 4, 4])
      }
    })
  )

  it.scoped("the latest epoch, of which a node was that is left", () =>
    Effect.gen(function* () {
      const membership = { ...founders, voters: nodes.slice(0, 3) }
      const sign = Entry.stopSign(9, 1, membership, incarnations.slice(0, 3))
      const epochs = Epoch.next(Epoch.founded(founders, incarnations), Ballot.make(1, one), Slot.make(3), sign)
      const later = yield* survivor(three, { log: [...entries("ab"), sign], chosen: 3, round: 1, epochs })
      const earlier = yield* survivor(one, { log: entries("abcdefg"), chosen: 2, round: 9 })
      const report = yield* surveyed(earlier, later)
      assert.deepStrictEqual([report.best, report.epoch, report.left, report.gone], [three, 2, [three], [one, two]])
    })
  )
})

describe("a new cluster", () => {
  const recover = (survivors: ReadonlyArray<Survivors.Survivor>, consent: string | undefined = cluster) =>
    Effect.gen(function* () {
      const disk = yield* Journal.makeMemoryDisk
      const opened: Array<JournalStore.Owner> = []
      const into: JournalStore.JournalStore["Type"] = {
        open: (owner) => {
          opened.push(owner)
          return Journal.makeMemory(disk)
        }
      }
      const outcome = yield* Effect.scoped(
        Effect.either(Disaster.recoverFromSurvivors({ cluster, consent, survivors, into }))
      )
      return { outcome, opened, journal: yield* Journal.makeMemory(disk) }
    })

  it.scoped("has an id of its own, one member with a new journal, and all that is left behind a stop sign", () =>
    Effect.gen(function* () {
      const left = yield* survivor(two, { log: entries("abcd"), chosen: 3, round: 7 })
      const { journal, opened, outcome } = yield* recover([left])
      assert(outcome._tag === "Right")
      assert.match(outcome.right.cluster, /^bank~[a-z0-9]+-[a-z0-9]+$/)
      assert.deepStrictEqual(opened, [{ cluster: outcome.right.cluster, node: two }])
      const { acceptedThrough, chosenThrough, epochs, promised } = journal.recovered
      assert.deepStrictEqual([acceptedThrough, chosenThrough, Ballot.format(promised)], [5, 5, "0.0"])
      const incarnation = epochs.identity?.incarnation
      assert.notStrictEqual(incarnation, "old 2")
      assert.deepStrictEqual(epochs.present, {
        ...{ number: 2, after: Slot.make(5) },
        membership: { voters: [two], learners: [], quorums: { _tag: "Majority" } },
        incarnations: [{ node: two, incarnation: incarnation! }]
      })
      const log = yield* journal.read(Slot.zero, limit)
      assert.deepStrictEqual(log.slice(0, 4), entries("abcd"))
      assert.strictEqual(log[4]?._tag, "StopSign")
      assert.strictEqual(log[4]?.time, batch("d").time)
      // What is left stays as it is.
      assert.strictEqual(left.journal.recovered.acceptedThrough, 4)
      assert.strictEqual((yield* left.journal.recover).acceptedThrough, 4)
    })
  )

  it.scoped("a stop sign that was accepted last counts as chosen: its epoch ends before the new one", () =>
    Effect.gen(function* () {
      const sign = Entry.stopSign(99, 1, { ...founders, voters: [two, three] }, incarnations.slice(1, 3))
      const { journal } = yield* recover([yield* survivor(two, { log: [...entries("ab"), sign], chosen: 2 })])
      const { past, present } = journal.recovered.epochs
      assert.deepStrictEqual([present.number, present.after, present.membership.voters], [3, 4, [two]])
      assert.deepStrictEqual(
        past.map(({ epoch }) => [epoch.number, epoch.after]),
        [
          [1, 0],
          [2, 3]
        ]
      )
    })
  )

  it.scoped("begins with a snapshot where the log does", () =>
    Effect.gen(function* () {
      const left = yield* survivor(two, { log: entries("abcd"), chosen: 4 })
      const { journal } = left
      const epoch = journal.recovered.epochs.present
      const body = new TextEncoder().encode("as of c")
      const snapshot = { slot: Slot.make(3), time: 5, bytes: body.length, chunks: 1, crc: 0 }
      yield* journal.saveChunk(snapshot.slot, 0, body)
      yield* journal.saveSnapshot({ ...snapshot, at: { epoch, ballot: Ballot.make(1, one) } })
      const state = { ...journal.recovered, trimmedThrough: Slot.make(3) }
      yield* journal.write({ state, after: Slot.make(4), entries: [] })
      const trimmed = { node: two, journal: { ...journal, recovered: state } }
      const { journal: made, outcome } = yield* recover([trimmed])
      assert.strictEqual(outcome._tag, "Right")
      assert.strictEqual(made.recovered.trimmedThrough, 3)
      assert.deepStrictEqual(yield* made.readChunk(snapshot.slot, 0), body)
      assert.deepStrictEqual((yield* made.read(Slot.make(3), limit))[0], batch("d"))
      // Without the snapshot there is nothing to go on from.
      const bare = { ...trimmed.journal, snapshots: Effect.succeed([]) }
      const refused = yield* recover([{ node: two, journal: bare }])
      assert(refused.outcome._tag === "Left" && refused.outcome.left._tag === "RecoveryRefused")
      assert.include(refused.outcome.left.message, "begins behind slot 3")
    })
  )

  it.scoped("nothing is done without the cluster's name, and the report says why it is asked for", () =>
    Effect.gen(function* () {
      const left = yield* survivor(two, { log: entries("abcd"), chosen: 3 })
      for (const consent of ["", "yes", "Bank"]) {
        const { journal, opened, outcome } = yield* recover([left], consent)
        assert(outcome._tag === "Left" && outcome.left._tag === "ConsentMissing")
        assert.include(outcome.left.message, "Every slot behind 4 may be missing")
        assert.include(outcome.left.message, 'typing the cluster\'s name, which is "bank"')
        assert.deepStrictEqual([opened.length, journal.recovered], [0, Durable.initial])
      }
    })
  )

  it.scoped("nothing is done while a quorum is left, or for a journal that was never a member's", () =>
    Effect.gen(function* () {
      const held = { log: entries("abc"), chosen: 3 }
      const all = yield* Effect.forEach([one, two, three], (node) => survivor(node, held))
      const { opened, outcome } = yield* recover(all)
      assert(outcome._tag === "Left")
      assert.strictEqual(
        outcome.left.message,
        "Nodes 1, 2, 3 are a quorum of epoch 1: nothing is lost. Start them, and then change the membership."
      )
      assert.deepStrictEqual(opened, [])
      const never = yield* recover([yield* survivor(one, { log: [], chosen: 0, epochs: Epoch.none })])
      assert(never.outcome._tag === "Left")
      assert.include(never.outcome.left.message, "belongs to no epoch")
    })
  )

  it.scoped("recovered once more, it gets another id, not a longer one", () =>
    Effect.gen(function* () {
      const left = yield* survivor(two, { log: entries("ab"), chosen: 2 })
      const disk = yield* Journal.makeMemoryDisk
      const { cluster: again } = yield* Disaster.recoverFromSurvivors({
        ...{ cluster: "bank~first-one", consent: "bank~first-one", survivors: [left] },
        into: { open: () => Journal.makeMemory(disk) }
      })
      assert.match(again, /^bank~[a-z0-9]+-[a-z0-9]+$/)
    })
  )
})
