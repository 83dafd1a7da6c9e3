/**
 * What the journals say that are left of a cluster of which too many are gone: which of them to go on from, and which slots may be
 * missing. Plain decisions; nothing is changed.
 *
 * ```
 *   slot            1 … 95   96  97  98   99 …
 *   node 2          chosen    d   e                 accepted, and nobody left knows whether chosen
 *   node 3          chosen
 *                   └ certain  └ taken    └ may be missing: the dead may have chosen something there
 * ```
 *
 * @since 0.1.0
 */
import * as Ballot from "@synod/paxos/Ballot"
import type { Durable } from "@synod/paxos/Durable"
import * as Entry from "@synod/paxos/Entry"
import * as Membership from "@synod/paxos/Membership"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Quorum from "@synod/paxos/Quorum"
import * as Slot from "@synod/paxos/Slot"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Contract from "./Contract.js"
import type { Journal } from "./Journal.js"
import type { JournalError } from "./JournalError.js"

/**
 * A journal that is left.
 *
 * @since 0.1.0
 * @category models
 */
export interface Survivor {
  readonly node: NodeId
  readonly journal: Journal["Type"]
}

/**
 * What is known of the cluster's slots.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  /** Whose journal to go on from. */
  readonly best: NodeId
  /** The number of the epoch that it is in. */
  readonly epoch: number
  /** Slots through this one hold what was chosen. */
  readonly certain: Slot.Slot
  /** Slots behind `certain`, through this one, are in that journal: chosen, or never acknowledged, or others were chosen in their place. */
  readonly taken: Slot.Slot
  /** Those of that epoch whose journals are left. */
  readonly left: ReadonlyArray<NodeId>
  /** And those of its voters whose journals are not. */
  readonly gone: ReadonlyArray<NodeId>
}

/** How much is read at once to compare two logs, or to copy one. @internal */
export const piece: Contract.Limit = { slots: 1024, bytes: 1024 * 1024 }

/**
 * Which of them to go on from. Of those in the latest epoch the one that knows the most slots to be chosen; or, if it contradicts none of
 * these, the one whose log was accepted last, as a leader would adopt it.
 *
 * @since 0.1.0
 * @category getters
 */
export const survey = (
  survivors: readonly [Survivor, ...ReadonlyArray<Survivor>]
): Effect.Effect<Report, JournalError> =>
  Effect.gen(function* () {
    const epochOf = ({ journal }: Survivor) => journal.recovered.epochs.present
    const newest = Math.max(...survivors.map((survivor) => epochOf(survivor).number))
    const latest = survivors.filter((survivor) => epochOf(survivor).number === newest)
    const highest = (above: (a: Durable, b: Durable) => boolean): Survivor =>
      latest.reduce((best, other) => (above(other.journal.recovered, best.journal.recovered) ? other : best))
    const known = highest((a, b) => a.chosenThrough > b.chosenThrough)
    const last = highest(isLater)
    const best = (yield* contradicts(last, known)) ? known : last
    const { membership, number } = epochOf(best)
    const left = latest.map(({ node }) => node)
    return {
      ...{ best: best.node, epoch: number },
      certain: known.journal.recovered.chosenThrough,
      taken: best.journal.recovered.acceptedThrough,
      left,
      gone: membership.voters.filter((voter) => !left.includes(voter))
    }
  })

/** Its log was accepted at a higher ballot, or reaches further at the same one. */
const isLater = (a: Durable, b: Durable): boolean =>
  Ballot.greaterThan(a.acceptedBallot, b.acceptedBallot) ||
  (Ballot.equals(a.acceptedBallot, b.acceptedBallot) && a.acceptedThrough > b.acceptedThrough)

/** It lacks something that the other one knows to be chosen, or holds something else there, or that can't be told any more. */
const contradicts = (last: Survivor, known: Survivor): Effect.Effect<boolean, JournalError> =>
  Effect.gen(function* () {
    const { chosenThrough } = known.journal.recovered
    const { acceptedThrough, chosenThrough: agreed } = last.journal.recovered
    if (last === known) return false
    if (acceptedThrough < chosenThrough || agreed < known.journal.recovered.trimmedThrough) return true
    let slot = agreed
    while (slot < chosenThrough) {
      const limit = { ...piece, slots: Math.min(piece.slots, chosenThrough - slot) }
      const theirs = yield* known.journal.read(slot, limit)
      const own = yield* last.journal.read(slot, { ...limit, slots: theirs.length })
      const both = Math.min(theirs.length, own.length)
      for (let i = 0; i < both; i++) if (!Entry.equals(own[i]!, theirs[i]!)) return true
      slot = Slot.plus(slot, both)
    }
    return false
  })

/**
 * Could those that are left decide by themselves, if they ran? Then nothing is lost.
 *
 * @since 0.1.0
 * @category getters
 */
export const canDecide = (survivors: ReadonlyArray<Survivor>, { best, left }: Report): boolean => {
  const durable = survivors.find(({ node }) => node === best)?.journal.recovered
  if (durable === undefined) return false
  const system = Membership.make(durable.epochs.present.membership)
  if (Either.isLeft(system)) return false
  const round = Math.max(...survivors.map(({ journal }) => journal.recovered.promised.round))
  return Quorum.roundFor(system.right, round, new Set(left)) !== undefined
}

/**
 * The report as people read it, a sentence a line.
 *
 * @since 0.1.0
 * @category getters
 */
export const tell = ({ best, certain, epoch, gone, left, taken }: Report): ReadonlyArray<string> => {
  const named = (nodes: ReadonlyArray<number>) => `${nodes.length === 1 ? "node" : "nodes"} ${nodes.join(", ")}`
  const be = (nodes: ReadonlyArray<number>) => (nodes.length === 1 ? "is" : "are")
  const run = (from: number, to: number) => (from === to ? `slot ${from}` : `slots ${from} to ${to}`)
  const sure = certain === 0 ? [] : [`What was chosen in ${run(1, certain)} is there, and nothing of it is lost.`]
  const unsure =
    taken > certain
      ? [
          `In ${run(certain + 1, taken)} stands what node ${best} accepted: nobody left knows whether it was chosen, or something else in its place. It is taken.`
        ]
      : []
  return [
    `Of epoch ${epoch} ${named(left)} ${be(left)} left, and ${named(gone)} ${be(gone)} gone; node ${best} has come furthest.`,
    ...sure,
    ...unsure,
    `Every slot behind ${taken} may be missing: what clients were told of commands there is not true any more.`
  ]
}
