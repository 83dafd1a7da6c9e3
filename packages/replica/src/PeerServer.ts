/**
 * A replica over `@effect/rpc`: both ends of it.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Endpoint } from "@synod/client"
import type { ClientRpcs } from "@synod/client"
import { Slot } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { Direct, RpcOptions } from "@synod/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AcceptorRpcs, ReplicaRpcs } from "./PeerRpcs.js"
import type { Peer } from "./Peers.js"

/**
 * A peer that is spoken to over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client: Effect.Effect<Peer, never, RpcClient.Protocol | Scope.Scope> = Effect.gen(function* () {
  const rpc = yield* RpcClient.make(ReplicaRpcs, RpcOptions.client)
  const ask = yield* Direct.client(AcceptorRpcs)
  return {
    acceptor: (message, answer) =>
      ask(message._tag, message, (outcome) => answer(outcome._tag === "Success" ? outcome.value : undefined)),
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
  /** Which replies there are to which message, the acceptor knows; the schema of the reply is held against it here. */
  const acceptor = (message: Message.ToAcceptor, answer: (outcome: Exit.Exit<any>) => void): void =>
    void replica.acceptor(message, (reply) =>
      answer(reply === undefined ? Exit.die("it is lost") : Exit.succeed(reply))
    )
  const direct = { Prepare: acceptor, Accept: acceptor, Fetch: acceptor, Behind: acceptor }
  const handlers = ReplicaRpcs.toLayer({
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
  const protocol = Layer.scoped(
    RpcServer.Protocol,
    Effect.flatMap(RpcServer.Protocol, (protocol) => Direct.serve(protocol, AcceptorRpcs, direct))
  )
  return RpcServer.layer(ReplicaRpcs, RpcOptions.server).pipe(Layer.provide([handlers, protocol]))
}

const isUnreachable = (error: unknown): error is Endpoint.Unreachable => error instanceof Endpoint.Unreachable
