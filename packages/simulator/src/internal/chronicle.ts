/**
 * The epochs of a run, as chosen stop signs begin them, whatever anybody claims.
 *
 * @internal
 */
import { Membership } from "@synod/paxos"
import type { Entry, NodeId, Quorum } from "@synod/paxos"
import * as Either from "effect/Either"

/** @internal */
export interface Chronicle {
  /** Of each epoch, the first one first. */
  readonly memberships: ReadonlyArray<Membership.Membership>
  /** The newest of them. */
  readonly present: () => Membership.Membership
  /** Those of an epoch that has begun. */
  readonly quorums: (epoch: number) => Quorum.QuorumSystem
  /** An entry is chosen; the answer is what is wrong with the epoch that it begins, if it begins one. */
  readonly chosen: (entry: Entry.Entry) => string | undefined
  /** The quorums of the newest epoch, and of those before it in which some of its voters still are. */
  readonly inForce: (epochOf: (node: NodeId.NodeId) => number) => ReadonlyArray<Quorum.QuorumSystem>
}

/** @internal */
export const make = (founders: Membership.Membership): Chronicle => {
  const memberships = [founders]
  const systems = [Either.getOrThrow(Membership.make(founders))]
  return {
    memberships,
    present: () => memberships.at(-1)!,
    quorums: (epoch) => {
      const system = systems[epoch - 1]
      if (system === undefined) throw new Error(`epoch ${epoch} has not begun`)
      return system
    },
    chosen: (entry) => {
      if (entry._tag !== "StopSign") return undefined
      const system = Membership.make(entry.membership)
      if (Either.isLeft(system)) return system.left.message
      memberships.push(entry.membership)
      systems.push(system.right)
      return undefined
    },
    inForce: (epochOf) => {
      const newest = memberships.length
      const { voters } = memberships[newest - 1]!
      return systems.slice(Math.max(1, Math.min(newest, ...voters.map(epochOf))) - 1)
    }
  }
}
