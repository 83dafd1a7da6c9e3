/**
 * A node of a room: its journal, which survives a crash, and its four roles, which do not.
 */
import { Acceptor, Ballot, Election, Epoch, Learner, Membership, Proposer, QuorumSystem, Slot } from "@synod/paxos"
import type { Durable, Entry, NodeId } from "@synod/paxos"
import type { Replicated } from "@synod/state-machine"
import * as Either from "effect/Either"
import { executor, type State as Lock } from "./storyLock.js"
import type { Client } from "./roomClients.js"

/** Larger than any story needs, so that nothing comes in pieces: slots, bytes, slots and ticks. */
export const sizes = { pipeline: 16, chunk: 65_536, keep: 100, patience: 3 }

export class Disk {
  constructor(public durable: Durable.Durable) {}
  readonly entries: Array<Entry.Entry> = []
  write({ after, entries, state }: Durable.Write): void {
    this.entries.splice(after, Infinity, ...entries)
    this.durable = state
  }
}

/** A client that waits for the answer to what was proposed in a slot. */
export interface Waiting {
  readonly client: Client
  readonly entry: Entry.Entry
}

export class RoomNode {
  acceptor: Acceptor.State
  proposer: Proposer.State
  election: Election.State
  learner: Learner.State = Learner.initial(Slot.zero)
  readonly waiting = new Map<Slot.Slot, Waiting>()

  constructor(
    readonly id: NodeId.NodeId,
    readonly disk: Disk,
    /** The lock, as it is after all that the learner has applied. */
    public lock: Replicated.Replicated<Lock>
  ) {
    const { durable, entries } = disk
    this.acceptor = Acceptor.recover(durable, entries.slice(durable.chosenThrough))
    this.proposer = Proposer.initial(durable.promised)
    this.election = Election.initial(durable.promised)
  }

  /** The epoch that it is in. */
  get epoch(): Epoch.Epoch {
    return this.acceptor.epochs.present
  }

  get isVoter(): boolean {
    return this.epoch.membership.voters.includes(this.id)
  }

  /** What its proposer and its election are given in this epoch. */
  get options(): Proposer.Options {
    const { learners } = this.epoch.membership
    return { self: this.id, quorums: quorumsOf(this.epoch), learners, ...sizes }
  }

  /** An epoch has begun, in which nothing is promised yet: says whether this node goes first. */
  enter(): boolean {
    const led = this.election.leader.node
    this.proposer = Proposer.initial(Ballot.zero)
    this.election = Election.initial(Ballot.zero)
    return Epoch.begins(this.epoch, this.id, led)
  }

  /** Applies a slot; gives the reply to what it holds. */
  apply(slot: Slot.Slot, { batch, time }: Entry.Commands): Uint8Array {
    const { replies, state } = executor.apply(this.lock, { slot, time }, batch)
    this.lock = state
    return replies[0]!
  }
}

/** Who decides in an epoch: nobody in that of a node which belongs to no cluster yet. */
export const quorumsOf = ({ membership }: Epoch.Epoch): QuorumSystem.QuorumSystem =>
  Either.getOrElse(Membership.make(membership), () => QuorumSystem.nobody)
