/**
 * A new cluster from what is left of an old one, when a quorum is gone for good. Nobody can say then what the dead have chosen, so this
 * is the one place where what was acknowledged may be lost: an operator decides it, and says so by typing the cluster's name.
 *
 * ```
 *   survivors' journals ── read ──► the best of them ── copied ──► a new journal, of a new cluster id
 *                                                                  [a] [b] … [z] [■]   ■ a stop sign that no quorum chose: from
 *                                                                                        there on the new member decides alone
 * ```
 *
 * The journals of the old cluster stay as they are. Its members, and its clients, are of another cluster from now on: their connections are
 * refused, and so are their journals. The new cluster grows by replicas that join under new numbers.
 *
 * @since 0.1.0
 */
import * as Ballot from "@synod/paxos/Ballot"
import * as Durable from "@synod/paxos/Durable"
import * as Entry from "@synod/paxos/Entry"
import * as Epoch from "@synod/paxos/Epoch"
import type { Incarnation } from "@synod/paxos/Incarnation"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Slot from "@synod/paxos/Slot"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Identity from "./Identity.js"
import type { Journal } from "./Journal.js"
import type { JournalError, OpenError } from "./JournalError.js"
import type { JournalStore } from "./JournalStore.js"
import type { Snapshot } from "./Snapshot.js"
import * as Survivors from "./Survivors.js"

/**
 * The operator has not typed the cluster's name. Nothing was done.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConsentMissing extends Data.TaggedError("ConsentMissing")<{
  readonly cluster: string
  readonly report: Survivors.Report
}> {
  override get message(): string {
    const { cluster, report } = this
    return [
      ...Survivors.tell(report),
      `Nothing was done. Whoever accepts that consents by typing the cluster's name, which is "${cluster}".`
    ].join("\n")
  }
}

/**
 * Nothing can be recovered from these journals, or nothing needs to be. Nothing was done.
 *
 * @since 0.1.0
 * @category errors
 */
export class RecoveryRefused extends Data.TaggedError("RecoveryRefused")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/**
 * What became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recovered {
  /** The new cluster's id, which is its name from now on: for `Socket.layer`, clients and operators. */
  readonly cluster: string
  /** The one member of the new cluster. */
  readonly node: NodeId
  readonly report: Survivors.Report
}

/**
 * Makes a new cluster of one member from the best of these journals. The member's replica starts with the new journal and the new
 * cluster's id; whoever joins from then on takes a number that the old cluster did not use.
 *
 * @since 0.1.0
 * @category constructors
 */
export const recoverFromSurvivors = (options: {
  /** The old cluster's name. */
  readonly cluster: string
  /** What the operator has typed: must be the old cluster's name. */
  readonly consent: string | undefined
  /** All journals that are left. None is written to. */
  readonly survivors: ReadonlyArray<Survivors.Survivor>
  /** Where the new journal is begun. */
  readonly into: JournalStore["Type"]
  /** The node of the new member. Default: whose journal it goes on from. */
  readonly node?: NodeId
}): Effect.Effect<Recovered, ConsentMissing | RecoveryRefused | JournalError | OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { cluster, consent, into, survivors } = options
    const [first, ...rest] = survivors
    if (first === undefined) return yield* new RecoveryRefused({ reason: "No journal is named to recover from." })
    const empty = survivors.find(({ journal }) => journal.recovered.epochs.present.number === 0)
    if (empty !== undefined) {
      return yield* new RecoveryRefused({
        reason: `The journal of node ${empty.node} belongs to no epoch: it was never a member's.`
      })
    }
    const report = yield* Survivors.survey([first, ...rest])
    if (Survivors.canDecide(survivors, report)) {
      return yield* new RecoveryRefused({
        reason: `Nodes ${report.left.join(", ")} are a quorum of epoch ${report.epoch}: nothing is lost. Start them, and then change the membership.`
      })
    }
    if (consent !== cluster) return yield* new ConsentMissing({ cluster, report })
    const best = survivors.find(({ node }) => node === report.best)!.journal
    const snapshot = yield* usable(best, report.best)
    const incarnation = yield* Identity.draw
    const owner = { cluster: `${cluster.split("~", 1)[0]}~${incarnation}`, node: options.node ?? report.best }
    const journal = yield* into.open(owner)
    if (journal.recovered.epochs.identity !== undefined || journal.recovered.acceptedThrough > 0) {
      return yield* new RecoveryRefused({
        reason: "The new journal holds something already: name a file that doesn't exist."
      })
    }
    const time = yield* copy(best, journal, snapshot, incarnation)
    yield* end(best.recovered, journal, { ...owner, incarnation }, time)
    return { ...owner, report }
  })

/** The newest snapshot that can be read, which the log needs where its beginning is gone. */
const usable = (journal: Journal["Type"], node: NodeId) =>
  Effect.gen(function* () {
    const { trimmedThrough } = journal.recovered
    for (const snapshot of yield* journal.snapshots) {
      if (snapshot.slot < trimmedThrough) break
      const isWhole = yield* Effect.forEach(indices(snapshot), (index) => journal.readChunk(snapshot.slot, index), {
        discard: true
      }).pipe(
        Effect.as(true),
        Effect.catchTag("SnapshotDamaged", () => Effect.succeed(false))
      )
      if (isWhole) return snapshot
    }
    if (trimmedThrough === 0) return undefined
    const reason = `The log of node ${node} begins behind slot ${trimmedThrough}, and no snapshot in its journal can be read: name other journals.`
    return yield* new RecoveryRefused({ reason })
  })

const indices = ({ chunks }: Snapshot): ReadonlyArray<number> => Array.from({ length: chunks }, (_, i) => i)

/** All of it but the epochs: until these are there, the new journal is nobody's. Gives the agreed time of the last slot. */
const copy = (from: Journal["Type"], to: Journal["Type"], snapshot: Snapshot | undefined, incarnation: Incarnation) =>
  Effect.gen(function* () {
    const { acceptedThrough, trimmedThrough } = from.recovered
    let time = snapshot?.time ?? 0
    if (snapshot !== undefined) {
      for (const index of indices(snapshot)) {
        const body = yield* from.readChunk(snapshot.slot, index).pipe(Effect.catchTag("SnapshotDamaged", Effect.die))
        yield* to.saveChunk(snapshot.slot, index, body)
      }
      yield* to.saveSnapshot(snapshot)
    }
    const through = (slot: Slot.Slot): Durable.Durable => ({
      ...Durable.initial,
      epochs: { ...Epoch.none, identity: { incarnation } },
      ...{ acceptedThrough: slot, chosenThrough: slot, trimmedThrough }
    })
    yield* to.write({ state: through(trimmedThrough), after: trimmedThrough, entries: [] })
    for (let slot = trimmedThrough; slot < acceptedThrough;) {
      const entries = yield* from.read(slot, Survivors.piece)
      const next = Slot.plus(slot, entries.length)
      yield* to.write({ state: through(next), after: slot, entries })
      time = Math.max(time, ...entries.map((entry) => entry.time))
      slot = next
    }
    return time
  })

/** A stop sign ends the old cluster's last epoch, and the new member is alone in the next one. */
const end = (
  old: Durable.Durable,
  journal: Journal["Type"],
  { incarnation, node }: { readonly node: NodeId; readonly incarnation: Incarnation },
  time: number
) =>
  Effect.gen(function* () {
    const { acceptedThrough: after, epochs, promised, trimmedThrough } = old
    const [last] = after > trimmedThrough ? yield* journal.read(Slot.make(after - 1), Survivors.piece) : []
    // One that was accepted, and is taken for chosen now.
    const isOver = last?._tag === "StopSign" && epochs.present.after < after
    const before = isOver ? Epoch.next(epochs, promised, after, last) : epochs
    const membership = { voters: [node], learners: [], quorums: { _tag: "Majority" } } as const
    const sign = Entry.stopSign(time, before.present.number, membership, [{ node, incarnation }])
    const slot = Slot.plus(after, 1)
    const next = Epoch.next({ ...before, identity: { incarnation } }, promised, slot, sign)
    const state: Durable.Durable = {
      epochs: Epoch.forget(next, trimmedThrough),
      ...{ promised: Ballot.zero, acceptedBallot: Ballot.zero },
      ...{ acceptedThrough: slot, chosenThrough: slot, trimmedThrough }
    }
    yield* journal.write({ state, after, entries: [sign] })
  })
