/**
 * The judge: sees every write of every journal and knows from that alone what is chosen, before any learner does.
 */
import { Ballot, Entry } from "@synod/paxos"
import type { Durable, NodeId, Quorum } from "@synod/paxos"

interface Vote {
  /** The log of this ballot, as far as anybody accepted it. */
  readonly log: Array<Entry.Entry>
  /** How far each node has accepted it. */
  readonly through: Map<NodeId.NodeId, number>
  /** How far it is chosen. */
  chosen: number
}

export class Votes {
  private readonly ballots = new Map<string, Vote>()
  /** What an accept quorum has accepted at one ballot, by slot. */
  readonly chosen: Array<Entry.Entry> = []
  constructor(readonly quorums: Quorum.QuorumSystem) {}

  /** A write became durable; `log` is the journal's log after it. */
  record(node: NodeId.NodeId, state: Durable.Durable, log: ReadonlyArray<Entry.Entry>) {
    // While the promise is above the accepted ballot, a write promises or learns what is chosen: it is no vote.
    if (!Ballot.equals(state.promised, state.acceptedBallot)) return
    const name = Ballot.format(state.acceptedBallot)
    const vote: Vote = this.ballots.get(name) ?? { log: [], through: new Map(), chosen: 0 }
    this.ballots.set(name, vote)
    const before = vote.through.get(node) ?? 0
    if (log.length < before) throw new Error(`node ${node} takes back what it accepted at ${name}`)
    for (let i = before; i < log.length; i++) {
      const entry = (vote.log[i] ??= log[i]!)
      if (!Entry.equals(entry, log[i]!)) throw new Error(`the logs accepted at ${name} differ in slot ${i + 1}`)
    }
    vote.through.set(node, log.length)
    for (; vote.chosen < log.length; vote.chosen++) {
      const voters = new Set<NodeId.NodeId>()
      for (const [voter, through] of vote.through) if (through > vote.chosen) voters.add(voter)
      if (!this.quorums.isAcceptQuorum(state.acceptedBallot.round, voters)) return
      this.choose(vote.chosen, vote.log[vote.chosen]!, name)
    }
  }

  private choose(index: number, entry: Entry.Entry, ballot: string) {
    const known = (this.chosen[index] ??= entry)
    if (!Entry.equals(known, entry)) throw new Error(`slot ${index + 1} is chosen again, otherwise, at ${ballot}`)
  }
}
