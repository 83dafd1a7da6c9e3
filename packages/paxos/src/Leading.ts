/**
 * The state of a proposer that leads.
 *
 * @since 0.1.0
 */
import type * as Ballot from "./Ballot.js"
import type * as Follower from "./Follower.js"
import type * as Lease from "./Lease.js"
import type * as Log from "./Log.js"
import type { NodeId } from "./NodeId.js"
import type { Options } from "./Proposing.js"
import * as Slot from "./Slot.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Leading {
  readonly _tag: "Leading"
  /** Our own ballot, or a higher one that was heard of. */
  readonly highest: Ballot.Ballot
  readonly ballot: Ballot.Ballot
  /** That of a leader which handed over: acceptors that don't know of it yet are free of its lease. */
  readonly released: Ballot.Ballot
  /** The log that was adopted, as its acceptor described it, and where it was found. */
  readonly adopted: Follower.Adopted
  readonly source: NodeId
  /** The adopted log and all that was proposed since; memory holds its end. */
  readonly log: Log.Log
  /** The log ends with a stop sign: nothing is proposed behind it, and no read is answered, since the next epoch may have begun. */
  readonly stops: boolean
  readonly chosenThrough: Slot.Slot
  readonly followers: ReadonlyMap<NodeId, Follower.Follower>
  /** The latest confirmation round that was asked for, and the latest that an accept quorum has answered. */
  readonly confirm: { readonly asked: number; readonly answered: number }
  /** What acceptors have granted, by those rounds. */
  readonly lease: Lease.Lease
  /** Ticks since everybody was last reminded of what is chosen. */
  readonly quiet: number
}

/**
 * The same with this known of an acceptor.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withFollower = (self: Leading, node: NodeId, follower: Follower.Follower): Leading =>
  self.followers.get(node) === follower ? self : { ...self, followers: new Map(self.followers).set(node, follower) }

/**
 * The acceptors that have, or had, the slot to fetch for this one.
 *
 * @since 0.1.0
 * @category getters
 */
export const sourcesOf = (self: Leading, { next }: Follower.Follower, options: Options): ReadonlyArray<NodeId> => {
  const nodes = new Set([options.self, self.source, ...self.followers.keys()])
  return Array.from(nodes).filter((node) => agreesThrough(self, node) > next)
}

/**
 * The acceptor that is asked for the slot to fetch: our own, if it can be, and another one each time that one is silent.
 *
 * @since 0.1.0
 * @category getters
 */
export const sourceOf = (self: Leading, follower: Follower.Follower, options: Options): NodeId => {
  const sources = sourcesOf(self, follower, options)
  return sources[follower.turn % sources.length] ?? self.source
}

/**
 * How far an acceptor's log, all of which is a prefix of ours, is known to reach; 0 where it may hold other things.
 *
 * @since 0.1.0
 * @category getters
 */
export const agreesThrough = (self: Leading, node: NodeId): Slot.Slot => {
  const matched = self.followers.get(node)?.matched ?? Slot.zero
  return node === self.source ? Slot.max(matched, self.adopted.acceptedThrough) : matched
}
