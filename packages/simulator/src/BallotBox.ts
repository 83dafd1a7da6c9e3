/**
 * The judge of what is chosen: it sees what every journal holds after every write, and concludes from quorums of equal
 * votes alone, before any learner does and whatever anybody claims.
 *
 * @since 0.1.0
 */
import { Ballot, Entry, Slot } from "@synod/paxos"
import type { Durable, NodeId, Quorum } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface BallotBox {
  /** A write is durable; `log` is what the journal holds after it. The answer is what is wrong with it, if anything. */
  readonly record: (node: NodeId.NodeId, state: Durable.Durable, log: ReadonlyArray<Entry.Entry>) => Wrong | undefined
  /** What an accept quorum of an epoch has accepted at one of its ballots, by slot: that of slot n is at n - 1. */
  readonly chosen: ReadonlyArray<Entry.Entry>
  /** Ballots at which anything was accepted. */
  readonly ballots: () => number
}

/**
 * A property that a write breaks, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wrong {
  readonly property: string
  readonly sentence: string
}

interface Vote {
  /** The log of this ballot, as far as anybody accepted it. */
  readonly log: Array<Entry.Entry>
  /** How far each node has accepted it. */
  readonly through: Map<NodeId.NodeId, number>
  /** How far it is chosen. */
  chosen: number
}

/** More rounds than an epoch of any run has. */
const ballotsPerEpoch = 2 ** 24

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** Those of an epoch, by its number; of one that has begun. */
  readonly quorums: (epoch: number) => Quorum.QuorumSystem
  /** A slot is chosen, for the first time, by these voters at this ballot. Slots come in order. */
  readonly chosen?: (
    slot: Slot.Slot,
    entry: Entry.Entry,
    voters: ReadonlySet<NodeId.NodeId>,
    ballot: Ballot.Ballot
  ) => void
}): BallotBox => {
  const { quorums } = options
  const votes = new Map<number, Vote>()
  const chosen: Array<Entry.Entry> = []
  /** The epoch in which each slot was chosen. */
  const epochs: Array<number> = []

  /** Behind a stop sign comes the next epoch, and never again an entry of the one that it ended. */
  const epochOf = (index: number, first: number): number => {
    const before = chosen[index - 1]
    if (before === undefined) return first
    return before._tag === "StopSign" ? before.epoch + 1 : epochs[index - 1]!
  }

  const choose = (
    epoch: number,
    index: number,
    entry: Entry.Entry,
    voters: ReadonlySet<NodeId.NodeId>,
    ballot: Ballot.Ballot
  ): Wrong | undefined => {
    const known = chosen[index]
    if (epochOf(index, epoch) !== epoch) {
      const sentence = `slot ${index + 1} is chosen in epoch ${epoch}, and epoch ${epochOf(index, epoch)} has begun before it`
      return { property: "nothing behind a stop sign", sentence }
    }
    if (known === undefined) {
      chosen.push(entry)
      epochs.push(epoch)
      options.chosen?.(Slot.make(index + 1), entry, voters, ballot)
      return undefined
    }
    if (Entry.equals(known, entry)) return undefined
    const sentence = `slot ${index + 1} is chosen again at ballot ${Ballot.format(ballot)}, with another entry`
    return { property: "agreement", sentence }
  }

  const record: BallotBox["record"] = (node, state, log) => {
    const ballot = state.acceptedBallot
    const { after, number } = state.epochs.present
    // Nothing was accepted in this epoch: what is there was chosen before.
    if (ballot.round === 0) return undefined
    const key = (number * ballotsPerEpoch + ballot.round) * 65_536 + ballot.node
    const vote = votes.get(key) ?? { log: [], through: new Map(), chosen: after }
    votes.set(key, vote)
    const before = vote.through.get(node) ?? after
    // With a promise above the accepted ballot, a write may learn entries that are chosen, and those are no votes; or it may
    // be a vote that became durable together with a promise that came right behind it.
    const promisedMore = !Ballot.equals(state.promised, state.acceptedBallot)
    if (log.length < before && !promisedMore) {
      return {
        property: "no log shrinks",
        sentence: `node ${node} takes back what it accepted at ballot ${Ballot.format(ballot)}`
      }
    }
    let through = before
    for (let i = before; i < log.length; i++, through++) {
      const learned = promisedMore && chosen[i] !== undefined && Entry.equals(chosen[i]!, log[i]!)
      if (learned && (vote.log[i] === undefined || !Entry.equals(vote.log[i]!, log[i]!))) break
      if (Entry.equals((vote.log[i] ??= log[i]!), log[i]!)) continue
      const sentence = `slot ${i + 1} was accepted with two entries at ballot ${Ballot.format(ballot)}`
      return { property: "one entry a slot and ballot", sentence }
    }
    vote.through.set(node, through)
    for (; vote.chosen < through; vote.chosen++) {
      const voters = new Set<NodeId.NodeId>()
      for (const [voter, through] of vote.through) if (through > vote.chosen) voters.add(voter)
      if (!quorums(number).isAcceptQuorum(ballot.round, voters)) return undefined
      const wrong = choose(number, vote.chosen, vote.log[vote.chosen]!, voters, ballot)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  return { record, chosen, ballots: () => votes.size }
}
