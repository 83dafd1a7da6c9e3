/**
 * The other replicas, and the way to be one of them. Which implementation it is, a deployment decides.
 *
 * @since 0.1.0
 */
import { type Admin, type ClientRpcs, Endpoint } from "@synod/client"
import type { Epoch, Founders, Membership, Message, NodeId, Slot } from "@synod/paxos"
import type { Outcome } from "@synod/state-machine"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Snapshots from "./Snapshots.js"

/**
 * Who sends a message of the protocol, and the number of the epoch that it is in: in another one the message does nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sent {
  readonly from: NodeId.NodeId
  readonly epoch: number
}

/**
 * The replica is in another epoch than the one in which the message was sent, and did nothing. If its own is the later one, there is
 * something to be learned from it; if not, it knows now from whom it can learn.
 *
 * @since 0.1.0
 * @category errors
 */
export class EpochDiffers extends Schema.TaggedError<EpochDiffers>("@synod/replica/EpochDiffers")("EpochDiffers", {
  /** The number of the epoch that the replica is in. */
  epoch: Schema.Int.pipe(Schema.nonNegative())
}) {
  override get message(): string {
    return `It is in epoch ${this.epoch}`
  }
}

/**
 * Whether a request failed since its receiver is in a later epoch than this one.
 *
 * @since 0.1.0
 * @category getters
 */
export const isAhead = (cause: Cause.Cause<unknown>, epoch: number): boolean =>
  cause._tag === "Fail" && cause.error instanceof EpochDiffers && cause.error.epoch > epoch

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
    sent: Sent,
    message: Message.ToAcceptor,
    answer: (reply: Message.ToProposer | EpochDiffers | undefined) => void
  ) => () => void
  readonly heartbeat: (
    sent: Sent,
    message: Message.Heartbeat
  ) => Effect.Effect<Message.HeartbeatReply, Endpoint.Unreachable | EpochDiffers>
  /** Tells it to take the lead at once; nothing comes of it if it can't, or follows somebody else by now. */
  readonly takeOver: (sent: Sent, message: Message.TakeOver) => Effect.Effect<void, Endpoint.Unreachable | EpochDiffers>
  /** Tells it who this replica is; the answer is who it is. */
  readonly introduce: (
    introduction: Founders.Introduction
  ) => Effect.Effect<Founders.Introduction, Endpoint.Unreachable>
  /** What it knows to be chosen, in whichever epoch. */
  readonly learn: (message: Message.Learn) => Effect.Effect<Message.Learned | Message.Unlearnable, Endpoint.Unreachable>
  /** Tells the slot from which on a read may be answered: by its lease if that will do, or once its ballot is confirmed. */
  readonly readSlot: (
    leased: boolean
  ) => Effect.Effect<Slot.Slot, ClientRpcs.NotLeader | Outcome.Overloaded | Endpoint.Unreachable>
  /** A piece of a snapshot. */
  readonly snapshot: (request: Message.FetchSnapshot) => Effect.Effect<Snapshots.Served, Endpoint.Unreachable>
  /** As a client sees it. */
  readonly client: Endpoint.Endpoint
  /** As an operator sees it. */
  readonly admin: Admin.Endpoint
}

/**
 * How a replica begins whose journal holds nothing. From then on its journal knows who takes part.
 *
 * @since 0.1.0
 * @category models
 */
export type Beginning =
  /** It founds the cluster with others, all of which are told of the same membership, and must be there once. */
  | { readonly _tag: "Found"; readonly membership: Membership.Membership }
  /** It belongs to nothing, and asks these nodes what is chosen until a change of membership names it. */
  | { readonly _tag: "Join"; readonly seeds: ReadonlyArray<NodeId.NodeId> }
  /** It doesn't: a journal that holds nothing was lost. */
  | { readonly _tag: "Return"; readonly seeds: ReadonlyArray<NodeId.NodeId> }

/**
 * A replica that can't be reached, and why.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unreachable = (reason: string): Peer => {
  const failure = Effect.fail(new Endpoint.Unreachable({ reason, sent: false }))
  const fail = () => failure
  return {
    acceptor: (_sent, _message, answer) => {
      answer(undefined)
      return () => undefined
    },
    ...{ introduce: fail, heartbeat: fail, takeOver: fail, learn: fail, readSlot: fail, snapshot: fail },
    client: { submit: fail, query: fail, follow: fail, status: failure, digest: failure },
    admin: { change: fail, status: failure }
  }
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
    readonly beginning: Beginning
    /** Another replica; one that can't be reached if nobody has told where it is. */
    readonly peer: (node: NodeId.NodeId) => Peer
    /**
     * The replica is in this epoch now: ways to its members open, those to others close. Called at the start, and whenever an epoch
     * begins.
     */
    readonly enter: (epoch: Epoch.Epoch) => Effect.Effect<void>
    /** Lets this replica be found by the others, until the scope closes. */
    readonly serve: (replica: Peer) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
