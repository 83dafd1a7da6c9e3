/**
 * A node of a room: its journal, which survives a crash, and its four roles, which do not.
 */
import { Acceptor, Durable, Election, Learner, Proposer, Slot } from "@synod/paxos"
import type { Entry, NodeId } from "@synod/paxos"
import type { Replicated } from "@synod/state-machine"
import { executor, type State as Lock } from "./storyLock.js"
import type { Client } from "./roomClients.js"

export class Disk {
  durable: Durable.Durable = Durable.initial
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

  /** Applies a slot; gives the reply to what it holds. */
  apply(slot: Slot.Slot, { batch, time }: Entry.Commands): Uint8Array {
    const { replies, state } = executor.apply(this.lock, { slot, time }, batch)
    this.lock = state
    return replies[0]!
  }
}
