/**
 * What a client of a hall wants of the register, and how far that has come.
 */
import type { NodeId, RegisterMessage, RegisterProposer } from "@synod/paxos"

/** A question that has no answer yet. */
export interface Question {
  readonly to: NodeId.NodeId
  readonly message: RegisterMessage.ToAcceptor
}

/** What a client wants of the register. */
export interface Request {
  readonly name: string
  readonly at: NodeId.NodeId
  readonly life: number
  state: RegisterProposer.State
  /** Messages one behind the other, so far. */
  delays: number
  /** How often it waited for what did not come. */
  waits: number
  readonly open: Set<Question>
}
