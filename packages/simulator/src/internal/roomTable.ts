/**
 * The state table of Howard and Mortier (*A Generalised Solution to Distributed Consensus*, 2019): for one slot, a row of
 * write-once registers for each ballot and a column for each acceptor. A promise writes nil into the registers below it.
 *
 * Each epoch has ballots of its own, and a slot belongs to one epoch.
 */
import { Ballot, Entry, Slot } from "@synod/paxos"
import type { Durable, NodeId, QuorumSystem } from "@synod/paxos"
import * as Say from "./storySentences.js"

type Row = Map<NodeId.NodeId, Entry.Entry>

/** The same entry on an accept quorum, at one ballot. */
export interface Decision {
  readonly ballot: Ballot.Ballot
  readonly entry: Entry.Entry
  readonly nodes: ReadonlyArray<NodeId.NodeId>
}

/** What was made durable in one epoch. */
interface Part {
  readonly after: Slot.Slot
  readonly quorums: QuorumSystem.QuorumSystem
  /** In ascending order. */
  readonly ballots: Array<Ballot.Ballot>
  readonly promised: Map<NodeId.NodeId, Ballot.Ballot>
  readonly rows: Map<string, Row>
}

/** Everything that acceptors made durable, at whichever ballot. */
export class RoomTable {
  /** In ascending order. */
  private readonly parts: Array<Part> = []

  get isEmpty(): boolean {
    return this.parts.every(({ ballots }) => ballots.length === 0)
  }

  /** An epoch has begun behind a slot. */
  open(after: Slot.Slot, quorums: QuorumSystem.QuorumSystem): void {
    if (this.parts.some((part) => part.after === after)) return
    this.parts.push({ after, quorums, ballots: [], promised: new Map(), rows: new Map() })
    this.parts.sort((a, b) => a.after - b.after)
  }

  /** A ballot that somebody prepares, in the epoch behind a slot. */
  prepared(after: Slot.Slot, ballot: Ballot.Ballot): void {
    const part = this.parts.find((part) => part.after === after)
    part?.ballots.push(ballot)
    part?.ballots.sort(Ballot.order)
  }

  /** A write became durable, in the epoch behind a slot; `log` is the journal's log after it. */
  wrote(
    node: NodeId.NodeId,
    after: Slot.Slot,
    { acceptedBallot, promised }: Pick<Durable.Durable, "acceptedBallot" | "promised">,
    log: ReadonlyArray<Entry.Entry>
  ): void {
    const part = this.parts.find((part) => part.after === after)
    if (part === undefined) return
    part.promised.set(node, promised)
    // While the promise is above the accepted ballot, a write promises or learns what is chosen: it is no vote.
    if (!Ballot.equals(promised, acceptedBallot)) return
    log.forEach((entry, i) => {
      if (i < part.after) return
      const key = keyOf(acceptedBallot, Slot.make(i + 1))
      part.rows.set(key, (part.rows.get(key) ?? new Map()).set(node, entry))
    })
  }

  /** The epoch that a slot belongs to. */
  private partOf(slot: Slot.Slot): Part {
    return this.parts.findLast(({ after }) => after < slot)!
  }

  /** The rows of a slot that are decided, lowest ballot first. */
  decisions(slot: Slot.Slot): ReadonlyArray<Decision> {
    const { ballots, quorums, rows } = this.partOf(slot)
    return ballots.flatMap((ballot): ReadonlyArray<Decision> => {
      const row = rows.get(keyOf(ballot, slot)) ?? new Map<NodeId.NodeId, Entry.Entry>()
      for (const entry of row.values()) {
        const nodes = Array.from(row.keys()).filter((node) => Entry.equals(row.get(node)!, entry))
        if (quorums.isAcceptQuorum(ballot.round, new Set(nodes))) return [{ ballot, entry, nodes }]
      }
      return []
    })
  }

  /**
   * Can no entry be decided at this ballot any more, whatever arrives later? Each would need cells that hold another one, or
   * that a promise has blocked.
   */
  isBlocked(slot: Slot.Slot, ballot: Ballot.Ballot): boolean {
    const { promised, quorums, rows } = this.partOf(slot)
    const row = rows.get(keyOf(ballot, slot)) ?? new Map<NodeId.NodeId, Entry.Entry>()
    const isOpen = (node: NodeId.NodeId) =>
      !row.has(node) && !Ballot.greaterThan(promised.get(node) ?? Ballot.zero, ballot)
    const open = quorums.members.filter(isOpen)
    const written = Array.from(row.values()).map((entry) =>
      Array.from(row.keys()).filter((node) => Entry.equals(row.get(node)!, entry))
    )
    return [[], ...written].every((same) => !quorums.isAcceptQuorum(ballot.round, new Set([...same, ...open])))
  }

  /** As text: `[alice]` is a decided cell, `nil` one that a promise has blocked, `-` one that is still open. */
  render(slot: Slot.Slot, label: (entry: Entry.Entry) => string, title = `slot ${slot}`): ReadonlyArray<string> {
    const { ballots, promised, quorums, rows } = this.partOf(slot)
    const decisions = this.decisions(slot)
    const cell = (ballot: Ballot.Ballot, node: NodeId.NodeId): string => {
      const entry = rows.get(keyOf(ballot, slot))?.get(node)
      if (entry === undefined) {
        return Ballot.greaterThan(promised.get(node) ?? Ballot.zero, ballot) ? "nil" : "-"
      }
      const isDecided = decisions.some((made) => Ballot.equals(made.ballot, ballot) && made.nodes.includes(node))
      return isDecided ? `[${label(entry)}]` : label(entry)
    }
    const { members } = quorums
    return Say.columns([
      [title, ...members.map((node) => `node ${node}`)],
      ...ballots.map((ballot) => [Say.ballot(ballot), ...members.map((node) => cell(ballot, node))])
    ])
  }
}

const keyOf = (ballot: Ballot.Ballot, slot: Slot.Slot): string => `${Ballot.format(ballot)}/${slot}`
