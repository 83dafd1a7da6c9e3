/**
 * The state table of Howard and Mortier (*A Generalised Solution to Distributed Consensus*, 2019): for one slot, a row of
 * write-once registers for each ballot and a column for each acceptor. A promise writes nil into the registers below it.
 */
import { Ballot, Entry, Slot } from "@synod/paxos"
import type { Durable, NodeId, Quorum } from "@synod/paxos"
import * as Say from "./storySentences.js"

type Row = Map<NodeId.NodeId, Entry.Entry>

/** The same entry on an accept quorum, at one ballot. */
export interface Decision {
  readonly ballot: Ballot.Ballot
  readonly entry: Entry.Entry
  readonly nodes: ReadonlyArray<NodeId.NodeId>
}

/** Everything that acceptors made durable, at whichever ballot. */
export class RoomTable {
  /** In ascending order. */
  private readonly ballots: Array<Ballot.Ballot> = []
  private readonly promised = new Map<NodeId.NodeId, Ballot.Ballot>()
  private readonly rows = new Map<string, Row>()

  constructor(private readonly quorums: Quorum.QuorumSystem) {}

  get isEmpty(): boolean {
    return this.ballots.length === 0
  }

  /** A ballot that somebody prepares. */
  prepared(ballot: Ballot.Ballot): void {
    this.ballots.push(ballot)
    this.ballots.sort(Ballot.order)
  }

  /** A write became durable; `log` is the journal's log after it. */
  wrote(node: NodeId.NodeId, { acceptedBallot, promised }: Durable.Durable, log: ReadonlyArray<Entry.Entry>): void {
    this.promised.set(node, promised)
    // While the promise is above the accepted ballot, a write promises or learns what is chosen: it is no vote.
    if (!Ballot.equals(promised, acceptedBallot)) return
    log.forEach((entry, i) => {
      const key = keyOf(acceptedBallot, Slot.make(i + 1))
      this.rows.set(key, (this.rows.get(key) ?? new Map()).set(node, entry))
    })
  }

  private row(ballot: Ballot.Ballot, slot: Slot.Slot): ReadonlyMap<NodeId.NodeId, Entry.Entry> {
    return this.rows.get(keyOf(ballot, slot)) ?? new Map()
  }

  /** The rows of a slot that are decided, lowest ballot first. */
  decisions(slot: Slot.Slot): ReadonlyArray<Decision> {
    return this.ballots.flatMap((ballot): ReadonlyArray<Decision> => {
      const row = this.row(ballot, slot)
      for (const entry of row.values()) {
        const nodes = Array.from(row.keys()).filter((node) => Entry.equals(row.get(node)!, entry))
        if (this.quorums.isAcceptQuorum(ballot.round, new Set(nodes))) return [{ ballot, entry, nodes }]
      }
      return []
    })
  }

  /** As text: `[alice]` is a decided cell, `nil` one that a promise has blocked, `-` one that is still open. */
  render(slot: Slot.Slot, label: (entry: Entry.Entry) => string): ReadonlyArray<string> {
    const decisions = this.decisions(slot)
    const cell = (ballot: Ballot.Ballot, node: NodeId.NodeId): string => {
      const entry = this.row(ballot, slot).get(node)
      if (entry === undefined) {
        return Ballot.greaterThan(this.promised.get(node) ?? Ballot.zero, ballot) ? "nil" : "-"
      }
      const isDecided = decisions.some((made) => Ballot.equals(made.ballot, ballot) && made.nodes.includes(node))
      return isDecided ? `[${label(entry)}]` : label(entry)
    }
    const { members } = this.quorums
    return Say.columns([
      [`slot ${slot}`, ...members.map((node) => `node ${node}`)],
      ...this.ballots.map((ballot) => [Say.ballot(ballot), ...members.map((node) => cell(ballot, node))])
    ])
  }
}

const keyOf = (ballot: Ballot.Ballot, slot: Slot.Slot): string => `${Ballot.format(ballot)}/${slot}`
