/**
 * What replicas ask of each other: the messages of the protocol, one group a role.
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Admin, ClientRpcs } from "@synod/client"
import { Founders, Membership, Message, NodeId } from "@synod/paxos"
import { Outcome } from "@synod/state-machine"
import * as Schema from "effect/Schema"
import { EpochDiffers } from "./Peers.js"

/** See `Peers.Sent`. */
const sent = { from: NodeId.NodeId, epoch: Schema.Int.pipe(Schema.nonNegative()) }

const address = Schema.NonEmptyString.pipe(Schema.maxLength(Membership.longestAddress))

/**
 * What a proposer asks of an acceptor, once or more for each slot: these go by `Direct` of the wire.
 *
 * @since 0.1.0
 * @category groups
 */
export class AcceptorRpcs extends RpcGroup.make(
  Rpc.make("Prepare", {
    payload: { ...Message.Prepare.fields, ...sent },
    success: Schema.Union(Message.Promise, Message.Rejected),
    error: EpochDiffers
  }),
  Rpc.make("Accept", {
    payload: { ...Message.Accept.fields, ...sent },
    success: Schema.Union(Message.Accepted, Message.Rejected),
    error: EpochDiffers
  }),
  Rpc.make("Fetch", {
    payload: { ...Message.Fetch.fields, ...sent },
    success: Schema.Union(Message.Fetched, Message.Trimmed, Message.Rejected),
    error: EpochDiffers
  }),
  Rpc.make("Behind", {
    payload: { ...Message.Behind.fields, ...sent },
    success: Message.Rejected,
    error: EpochDiffers
  })
) {}

/**
 * What a replica asks of others before it belongs to an epoch, and of one that is to vote.
 *
 * @since 0.1.0
 * @category groups
 */
export class FounderRpcs extends RpcGroup.make(
  Rpc.make("Introduce", {
    payload: Schema.Struct({
      ...Founders.Introduction.fields,
      /** Where the asking replica listens: the other one may not know it. */
      address: Schema.optionalWith(address, { exact: true })
    }),
    success: Founders.Introduction
  })
) {}

/**
 * What replicas ask of each other to learn what is chosen, in whichever epoch they are.
 *
 * @since 0.1.0
 * @category groups
 */
export class LearnerRpcs extends RpcGroup.make(
  Rpc.make("Learn", { payload: Message.Learn, success: Schema.Union(Message.Learned, Message.Unlearnable) }),
  Rpc.make("FetchSnapshot", {
    payload: Message.FetchSnapshot,
    success: Schema.Union(Message.SnapshotChunk, Message.Rejected, Message.NoSnapshot)
  })
) {}

/**
 * What an election asks of another.
 *
 * @since 0.1.0
 * @category groups
 */
export class ElectionRpcs extends RpcGroup.make(
  Rpc.make("Heartbeat", {
    payload: Schema.Struct({
      ...Message.Heartbeat.fields,
      ...sent,
      /** Where the asking replica listens: the other one may be in an earlier epoch, to which it does not belong. */
      address: Schema.optionalWith(address, { exact: true })
    }),
    success: Message.HeartbeatReply,
    error: EpochDiffers
  }),
  Rpc.make("TakeOver", { payload: { ...Message.TakeOver.fields, ...sent }, error: EpochDiffers })
) {}

/**
 * What a follower asks of the leader, to answer reads itself.
 *
 * @since 0.1.0
 * @category groups
 */
export class ReaderRpcs extends RpcGroup.make(
  Rpc.make("ReadSlot", {
    payload: {
      /** The leader's lease will do, if it has one. */
      leased: Schema.Boolean
    },
    success: Schema.Int.pipe(Schema.nonNegative()),
    error: Schema.Union(ClientRpcs.NotLeader, Outcome.Overloaded)
  })
) {}

/**
 * What goes by `Direct` of the wire, since each command or read costs one of it or several.
 *
 * @since 0.1.0
 * @category groups
 */
export class DirectRpcs extends RpcGroup.make().merge(AcceptorRpcs, ClientRpcs.CallRpcs) {}

/**
 * All else that a replica answers: founders, learners, election, readers, clients that watch, and operators.
 *
 * @since 0.1.0
 * @category groups
 */
export class ReplicaRpcs extends RpcGroup.make().merge(
  FounderRpcs,
  LearnerRpcs,
  ElectionRpcs,
  ReaderRpcs,
  ClientRpcs.WatchRpcs,
  Admin.ChangeRpcs
) {}
