/**
 * The judge of what is chosen: it sees what every journal holds after every write, and concludes from quorums of equal
 * votes alone, before any learner does and whatever anybody claims.
 *
 * @since 0.1.0
 */
import { Ballot, Entry } from "@synod/paxos"
import type { Durable, NodeId, Quorum } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface BallotBox {
  /** A write is durable; `log` is what the journal holds after it. The answer is what is wrong with it, if anything. */
  readonly record: (
    node: NodeId.NodeId,
    state: Durable.Durable,
    log: ReadonlyArray<Entry.Entry>
  ) => { readonly property: string; readonly sentence: string } | undefined
  /** What an accept quorum has accepted at one ballot, by slot: that of slot n is at n - 1. */
  readonly chosen: ReadonlyArray<Entry.Entry>
  /** Ballots at which anything was accepted. */
  readonly ballots: () => number
}

interface Vote {
  /** The log of this ballot, as far as anybody accepted it. */
  readonly log: Array<Entry.Entry>
  /** How far each node has accepted it. */
  readonly through: Map<NodeId.NodeId, number>
  /** How far it is chosen. */
  chosen: number
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (quorums: Quorum.QuorumSystem): BallotBox => {
  const votes = new Map<string, Vote>()
  const chosen: Array<Entry.Entry> = []

  const choose = (index: number, entry: Entry.Entry, ballot: string) => {
    const known = (chosen[index] ??= entry)
    return Entry.equals(known, entry)
      ? undefined
      : { property: "agreement", sentence: `slot ${index + 1} is chosen again at ballot ${ballot}, with another entry` }
  }

  const record: BallotBox["record"] = (node, state, log) => {
    const ballot = Ballot.format(state.acceptedBallot)
    const vote = votes.get(ballot) ?? { log: [], through: new Map(), chosen: 0 }
    votes.set(ballot, vote)
    const before = vote.through.get(node) ?? 0
    // With a promise above the accepted ballot, a write may learn entries that are chosen, and those are no votes; or it may
    // be a vote that became durable together with a promise that came right behind it.
    const promisedMore = !Ballot.equals(state.promised, state.acceptedBallot)
    if (log.length < before && !promisedMore) {
      return { property: "no log shrinks", sentence: `node ${node} takes back what it accepted at ballot ${ballot}` }
    }
    let through = before
    for (let i = before; i < log.length; i++, through++) {
      const learned = promisedMore && chosen[i] !== undefined && Entry.equals(chosen[i]!, log[i]!)
      if (learned && (vote.log[i] === undefined || !Entry.equals(vote.log[i]!, log[i]!))) break
      if (Entry.equals((vote.log[i] ??= log[i]!), log[i]!)) continue
      const sentence = `slot ${i + 1} was accepted with two entries at ballot ${ballot}`
      return { property: "one entry a slot and ballot", sentence }
    }
    vote.through.set(node, through)
    for (; vote.chosen < through; vote.chosen++) {
      const voters = new Set<NodeId.NodeId>()
      for (const [voter, through] of vote.through) if (through > vote.chosen) voters.add(voter)
      if (!quorums.isAcceptQuorum(state.acceptedBallot.round, voters)) return undefined
      const wrong = choose(vote.chosen, vote.log[vote.chosen]!, ballot)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  return { record, chosen, ballots: () => votes.size }
}
