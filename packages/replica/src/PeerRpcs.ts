/**
 * What replicas ask of each other: the messages of the protocol, one group a role.
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { ClientRpcs } from "@synod/client"
import { Message } from "@synod/paxos"
import { Outcome } from "@synod/state-machine"
import * as Schema from "effect/Schema"

/**
 * What a proposer asks of an acceptor, once or more for each slot: these go by `Direct` of the wire.
 *
 * @since 0.1.0
 * @category groups
 */
export class AcceptorRpcs extends RpcGroup.make(
  Rpc.make("Prepare", { payload: Message.Prepare, success: Schema.Union(Message.Promise, Message.Rejected) }),
  Rpc.make("Accept", { payload: Message.Accept, success: Schema.Union(Message.Accepted, Message.Rejected) }),
  Rpc.make("Fetch", {
    payload: Message.Fetch,
    success: Schema.Union(Message.Fetched, Message.Trimmed, Message.Rejected)
  }),
  Rpc.make("Behind", { payload: Message.Behind, success: Message.Rejected })
) {}

/**
 * What an acceptor asks of another that has a snapshot.
 *
 * @since 0.1.0
 * @category groups
 */
export class SnapshotRpcs extends RpcGroup.make(
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
  Rpc.make("Heartbeat", { payload: Message.Heartbeat, success: Message.HeartbeatReply }),
  Rpc.make("TakeOver", { payload: Message.TakeOver })
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
 * All else that a replica answers: snapshots, election, readers, and clients.
 *
 * @since 0.1.0
 * @category groups
 */
export class ReplicaRpcs extends RpcGroup.make().merge(SnapshotRpcs, ElectionRpcs, ReaderRpcs, ClientRpcs.ClientRpcs) {}
