/**
 * What goes over the links of the core tier, and from whom to whom.
 *
 * @internal
 */
import type { Ballot, Message } from "@synod/paxos"
import type * as Machine from "./coreMachine.js"

/** @internal */
export type Envelope =
  | { readonly kind: "ask"; readonly epoch: number; readonly message: Message.Heartbeat }
  | { readonly kind: "heard"; readonly epoch: number; readonly message: Message.HeartbeatReply }
  /** Nobody runs at the address that was asked in this round of heartbeats: the host says so, as TCP does. */
  | { readonly kind: "refused"; readonly round: number }
  /** What was sent belongs to an epoch that is over: this one has begun. */
  | { readonly kind: "late"; readonly epoch: number }
  | { readonly kind: "takeOver"; readonly epoch: number; readonly message: Message.TakeOver }
  | { readonly kind: "acceptor"; readonly epoch: number; readonly message: Message.ToAcceptor }
  | { readonly kind: "proposer"; readonly epoch: number; readonly message: Message.ToProposer }
  | { readonly kind: "learn"; readonly message: Message.Learn }
  | { readonly kind: "lesson"; readonly message: Message.Learned | Message.Unlearnable }
  | { readonly kind: "fetchSnapshot"; readonly epoch: number; readonly ballot: Ballot.Ballot }
  | { readonly kind: "snapshot"; readonly snapshot: Machine.Snapshot }
  | { readonly kind: "noSnapshot" }
  | { readonly kind: "submit"; readonly client: number; readonly sequence: number }
  /** `leased`: the leader's lease will do. */
  | { readonly kind: "read"; readonly client: number; readonly sequence: number; readonly leased: boolean }
  | { readonly kind: "answer"; readonly sequence: number; readonly slot: number | undefined }
  | { readonly kind: "notLeader"; readonly sequence: number; readonly leader: number | undefined }

/** Who sends and receives: nodes have their own numbers, clients those from {@link firstClient}. @internal */
export type Address = number

/** @internal */
export const firstClient = 1000

/** @internal */
export const nameOf = (address: Address): string => (address < firstClient ? `n${address}` : `c${address}`)
