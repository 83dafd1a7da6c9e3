/**
 * The other replicas, and the way to be one of them. Which implementation it is, a deployment decides.
 *
 * @since 0.1.0
 */
import type { ClientRpcs, Endpoint } from "@synod/client"
import type { Message, NodeId, QuorumSpec, Slot } from "@synod/paxos"
import type { Outcome } from "@synod/state-machine"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Snapshots from "./Snapshots.js"

/**
 * A replica as another one sees it. Requests fail when they don't get through; the protocol sends again what matters.
 *
 * @since 0.1.0
 * @category models
 */
export interface Peer {
  /**
   * Sends its acceptor a message. `answer` is called at most once, perhaps at once, and with nothing when the message is known to
   * be lost; not at all once the request is forgotten by what comes back.
   */
  readonly acceptor: (
    message: Message.ToAcceptor,
    answer: (reply: Message.ToProposer | undefined) => void
  ) => () => void
  readonly heartbeat: (message: Message.Heartbeat) => Effect.Effect<Message.HeartbeatReply, Endpoint.Unreachable>
  /** Tells it to take the lead at once; nothing comes of it if it can't, or follows somebody else by now. */
  readonly takeOver: (message: Message.TakeOver) => Effect.Effect<void, Endpoint.Unreachable>
  /** Tells the slot from which on a read may be answered: by its lease if that will do, or once its ballot is confirmed. */
  readonly readSlot: (
    leased: boolean
  ) => Effect.Effect<Slot.Slot, ClientRpcs.NotLeader | Outcome.Overloaded | Endpoint.Unreachable>
  /** A piece of a snapshot. */
  readonly snapshot: (request: Message.FetchSnapshot) => Effect.Effect<Snapshots.Served, Endpoint.Unreachable>
  /** As a client sees it. */
  readonly client: Endpoint.Endpoint
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Peers extends Context.Tag("@synod/replica/Peers")<
  Peers,
  {
    /** The cluster's name; a journal and a connection of another one are refused. */
    readonly cluster: string
    /** The node of this replica. */
    readonly self: NodeId.NodeId
    /** All voters, this one among them. */
    readonly members: ReadonlyArray<NodeId.NodeId>
    /** Which sets of them decide; the same at all of them. */
    readonly quorums: QuorumSpec.QuorumSpec
    /** Another member. */
    readonly peer: (node: NodeId.NodeId) => Peer
    /** Lets this replica be found by the others, until the scope closes. */
    readonly serve: (replica: Peer) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
