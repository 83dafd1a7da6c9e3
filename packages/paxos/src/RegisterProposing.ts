/**
 * What the proposer of a register is given, and what it asks for.
 *
 * @since 0.1.0
 */
import type * as Ballot from "./Ballot.js"
import type { NodeId } from "./NodeId.js"
import type { QuorumSystem } from "./QuorumSystem.js"
import type * as Register from "./Register.js"
import type * as Message from "./RegisterMessage.js"

/** The acceptors of a phase that won't help: they refused, or can't be reached. */
interface Asking {
  readonly lost: ReadonlySet<NodeId>
  /** Some refused, so that somebody else is at work. */
  readonly refused: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export type Phase =
  | { readonly _tag: "Idle" }
  | ({ readonly _tag: "Inspecting"; readonly held: ReadonlyMap<NodeId, Message.Held> } & Asking)
  | ({
      readonly _tag: "Preparing"
      readonly ballot: Ballot.Ballot
      /** What each of those who promised had accepted. */
      readonly promises: ReadonlyMap<NodeId, Register.Cell | null>
    } & Asking)
  | ({
      readonly _tag: "Accepting"
      readonly ballot: Ballot.Ballot
      readonly value: Register.Value
      readonly accepted: ReadonlySet<NodeId>
    } & Asking)
  | { readonly _tag: "Waiting" }
  /** What is decided; null when nothing was. */
  | { readonly _tag: "Finished"; readonly decided: Register.Cell | null }

/**
 * @since 0.1.0
 * @category models
 */
export interface State {
  readonly key: string
  /** What it would have decided; null for a read. */
  readonly value: Register.Value | null
  /** The highest ballot that it has made or heard of. */
  readonly highest: Ballot.Ballot
  /** Its own value was sent to acceptors: it may be decided yet, by whoever finds it, whatever becomes of this request. */
  readonly offered: boolean
  /** Attempts in a row that ended in a pause. */
  readonly failures: number
  readonly phase: Phase
}

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  /** Begins, or goes on after a pause. */
  | { readonly _tag: "Begin"; readonly reachable: ReadonlySet<NodeId> }
  | { readonly _tag: "Receive"; readonly from: NodeId; readonly message: Message.ToProposer }
  /** No answer to this message will come, as far as one can tell. `reachable` are those who seem to be there by now. */
  | {
      readonly _tag: "Unanswered"
      readonly from: NodeId
      readonly message: Message.ToAcceptor
      readonly reachable: ReadonlySet<NodeId>
    }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The node that makes the ballots. A client may share it with others. */
  readonly self: NodeId
  /** Drawn for this request alone (see `RegisterMessage.Life`). */
  readonly life: number
  readonly quorums: QuorumSystem
}

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  | { readonly _tag: "Send"; readonly to: NodeId; readonly message: Message.ToAcceptor }
  /** Begin again after a pause: the longer, the more attempts have failed, and never the same for two (see `RegisterProposer.pause`). */
  | { readonly _tag: "BackOff"; readonly failures: number }
  /** The request is answered. */
  | { readonly _tag: "Finish"; readonly decided: Register.Cell | null }

/**
 * A phase in which acceptors are asked.
 *
 * @since 0.1.0
 * @category models
 */
export type Busy = Extract<Phase, Asking>

/**
 * One in which they are asked under a ballot.
 *
 * @since 0.1.0
 * @category models
 */
export type Attempt = Extract<Busy, { readonly ballot: Ballot.Ballot }>
