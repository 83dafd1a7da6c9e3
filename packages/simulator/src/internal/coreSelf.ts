/**
 * What the parts of a node of the core tier know of it: itself, and its place in the epoch.
 *
 * @internal
 */
import type { Election, Epoch, NodeId, Proposer, Quorum } from "@synod/paxos"
import type { CoreDisk } from "./coreDisk.js"
import type { CoreLife } from "./coreLife.js"
import type { World } from "./coreWorld.js"

/** @internal */
export interface Self {
  readonly id: NodeId.NodeId
  readonly name: string
  readonly disk: CoreDisk
  readonly life: CoreLife
  readonly place: () => Place
  /** Does something in this turn, unless the epoch is over by then: what belongs to it is of no use in the next one. */
  readonly tellIn: (epoch: number, run: () => void) => void
}

/** What a node is in an epoch, for its proposer, its election, and what it says. @internal */
export interface Place {
  readonly epoch: Epoch.Epoch
  readonly isVoter: boolean
  /** The other voters. */
  readonly others: ReadonlyArray<NodeId.NodeId>
  /** Whom it asks for what it lacks. */
  readonly sources: ReadonlyArray<NodeId.NodeId>
  readonly proposer: Proposer.Options
  readonly election: Election.Options
}

/** @internal */
export const placeOf = (
  id: NodeId.NodeId,
  epoch: Epoch.Epoch,
  quorums: Quorum.QuorumSystem,
  { founders, setting }: Pick<World, "founders" | "setting">
): Place => {
  const { learners, voters } = epoch.membership
  const { lease, preferred, sizes } = setting
  const others = voters.filter((node) => node !== id)
  return {
    epoch,
    isVoter: voters.includes(id),
    others,
    sources: others.length > 0 ? others : founders.filter((node) => node !== id),
    proposer: { self: id, quorums, learners, ...sizes, ...(lease && { lease: lease.terms }) },
    election: { self: id, quorums, priority: (node) => (node === preferred ? 1 : 0) }
  }
}
