/**
 * What replicas say to find out who should lead.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import { Count } from "./Count.js"
import { NodeId } from "./NodeId.js"

/**
 * Asks a replica whether it is there and whom it follows.
 *
 * @since 0.1.0
 * @category election
 */
export const Heartbeat = Schema.TaggedStruct("Heartbeat", {
  /** The asking replica's count of its own rounds; the reply carries it back, so that a late one is told apart. */
  round: Count
})

/**
 * @since 0.1.0
 * @category election
 */
export type Heartbeat = typeof Heartbeat.Type

/**
 * @since 0.1.0
 * @category election
 */
export const HeartbeatReply = Schema.TaggedStruct("HeartbeatReply", {
  /** The round of the {@link Heartbeat}. */
  round: Count,
  /** The replica that answers. */
  from: NodeId,
  /** The ballot under which it leads, or tries to; zero while it follows. */
  claim: Ballot,
  /** It has finished phase 1 of that ballot. */
  leading: Schema.Boolean,
  /** The highest ballot it has seen claimed or promised. */
  leader: Ballot,
  /** Whether it leads or hears its leader. */
  happy: Schema.Boolean,
  /** Whether it heard quorums of both phases in its last round, and so could take over. */
  connected: Schema.Boolean
})

/**
 * @since 0.1.0
 * @category election
 */
export type HeartbeatReply = typeof HeartbeatReply.Type

/**
 * Asks a replica to take the lead at once: the leader gives it up, its leases before, and has seen to it that this replica
 * holds all that is in its log (Ongaro, *Consensus: Bridging Theory and Practice*, 2014, section 3.10).
 *
 * @since 0.1.0
 * @category election
 */
export const TakeOver = Schema.TaggedStruct("TakeOver", {
  /** The ballot of the leader that hands over. */
  ballot: Ballot
})

/**
 * @since 0.1.0
 * @category election
 */
export type TakeOver = typeof TakeOver.Type
