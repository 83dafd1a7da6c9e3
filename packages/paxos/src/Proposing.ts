/**
 * What a proposer is given, and what it asks for, whether it prepares or leads.
 *
 * @since 0.1.0
 */
import type * as Ballot from "./Ballot.js"
import type * as Lease from "./Lease.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import type { QuorumSystem } from "./QuorumSystem.js"
import type * as Slot from "./Slot.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The node whose proposer this is; one of the members. */
  readonly self: NodeId
  /** Who votes, and which sets of them decide. */
  readonly quorums: QuorumSystem
  /** Nodes that get what is proposed and have no say. Default: none. */
  readonly learners?: ReadonlyArray<NodeId>
  /** How many slots may be proposed and not yet chosen. */
  readonly pipeline: number
  /** The size in bytes of one Accept or Fetched in catching up. */
  readonly chunk: number
  /** How many chosen slots stay in memory for followers that are a little behind. */
  readonly keep: number
  /** After so many ticks without a piece of log that was asked for, it is sought elsewhere. */
  readonly patience: number
  /** Reads may rely on grants of acceptors. Default: never. */
  readonly lease?: Lease.Terms
}

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  | { readonly _tag: "Send"; readonly to: NodeId; readonly message: Message.ToAcceptor }
  /** This node leads now; what it proposes from here on goes behind `adoptedThrough`. */
  | { readonly _tag: "Lead"; readonly ballot: Ballot.Ballot; readonly adoptedThrough: Slot.Slot }
  /** This node no longer leads or prepares; `ballot` is the higher one, or its own if it gives up by itself. */
  | { readonly _tag: "Resign"; readonly ballot: Ballot.Ballot }
  /** The ballot stood at some time after round `confirm` was asked for: reads of that round may be served from `slot` on. */
  | { readonly _tag: "Confirmed"; readonly confirm: number; readonly slot: Slot.Slot }
