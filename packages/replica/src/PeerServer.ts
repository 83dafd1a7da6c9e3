/**
 * A replica over `@effect/rpc`: both ends of it.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Endpoint } from "@synod/client"
import type { ClientRpcs } from "@synod/client"
import { Slot } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { RpcOptions } from "@synod/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { ReplicaRpcs } from "./PeerRpcs.js"
import type { Peer } from "./Peers.js"

/**
 * A peer that is spoken to over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client: Effect.Effect<Peer, never, RpcClient.Protocol | Scope.Scope> = Effect.gen(function* () {
  const rpc = yield* RpcClient.make(ReplicaRpcs, RpcOptions.client)
  const acceptor = (message: Message.ToAcceptor): Effect.Effect<Message.ToProposer, RpcClientError> => {
    switch (message._tag) {
      case "Prepare":
        return rpc.Prepare(message)
      case "Accept":
        return rpc.Accept(message)
      case "Fetch":
        return rpc.Fetch(message)
      case "Behind":
        return rpc.Behind(message)
    }
  }
  return {
    acceptor: (message) => Endpoint.unreachable(acceptor(message)),
    heartbeat: (message) => Endpoint.unreachable(rpc.Heartbeat(message)),
    takeOver: (message) => Endpoint.unreachable(rpc.TakeOver(message)),
    readSlot: (leased) => Effect.map(Endpoint.unreachable(rpc.ReadSlot({ leased })), Slot.make),
    snapshot: (message) => Endpoint.unreachable(rpc.FetchSnapshot(message)),
    client: yield* Endpoint.fromRpc
  }
})

/**
 * Serves a replica over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (replica: Peer): Layer.Layer<never, never, RpcServer.Protocol> => {
  // A replica in this process can't be unreachable; its own reply says what went wrong.
  const local = <A, E>(self: Effect.Effect<A, E | Endpoint.Unreachable>) =>
    Effect.catchIf(self, isUnreachable, Effect.die) as Effect.Effect<A, Exclude<E, Endpoint.Unreachable>>
  const acceptor = <A extends Message.ToProposer>(message: Message.ToAcceptor) =>
    local(replica.acceptor(message)) as Effect.Effect<A>
  const handlers = ReplicaRpcs.toLayer({
    Prepare: (message) => acceptor<Message.Promise | Message.Rejected>(message),
    Accept: (message) => acceptor<Message.Accepted | Message.Rejected>(message),
    Fetch: (message) => acceptor<Message.Fetched | Message.Trimmed | Message.Rejected>(message),
    Behind: (message) => acceptor<Message.Rejected>(message),
    FetchSnapshot: (message) => local(replica.snapshot(message)),
    Heartbeat: (message) => local(replica.heartbeat(message)),
    TakeOver: (message) => local(replica.takeOver(message)),
    ReadSlot: ({ leased }) => local(replica.readSlot(leased)),
    Submit: ({ envelope }) => local(replica.client.submit(envelope)),
    Query: ({ consistency, queries }) => local(replica.client.query(queries, consistency)),
    Follow: (request) => local(replica.client.follow(request)),
    Status: (): Effect.Effect<ClientRpcs.Status> => local(replica.client.status),
    Digest: (): Effect.Effect<ClientRpcs.Digest> => local(replica.client.digest)
  })
  return Layer.provide(RpcServer.layer(ReplicaRpcs, RpcOptions.server), handlers)
}

const isUnreachable = (error: unknown): error is Endpoint.Unreachable => error instanceof Endpoint.Unreachable
