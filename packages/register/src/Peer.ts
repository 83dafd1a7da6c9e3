/**
 * A member as proposers see it, in this process or behind a connection.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Endpoint } from "@synod/client"
import type { RegisterMessage } from "@synod/paxos"
import { RpcOptions } from "@synod/wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { AcceptorActor } from "./AcceptorActor.js"
import type { Refused } from "./RegisterError.js"
import { RegisterRpcs } from "./RegisterRpcs.js"

/**
 * Asks its acceptor. A failure means that there is no answer to be had, not that nothing came of the message.
 *
 * @since 0.1.0
 * @category models
 */
export type Peer = (
  message: RegisterMessage.ToAcceptor
) => Effect.Effect<RegisterMessage.ToProposer, Refused | Endpoint.Unreachable>

/**
 * A peer that is spoken to over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client: Effect.Effect<Peer, never, RpcClient.Protocol | Scope.Scope> = Effect.map(
  RpcClient.make(RegisterRpcs, RpcOptions.client),
  (rpc): Peer => {
    const ask = (
      message: RegisterMessage.ToAcceptor
    ): Effect.Effect<RegisterMessage.ToProposer, Refused | RpcClientError> => {
      switch (message._tag) {
        case "Prepare":
          return rpc.Prepare(message)
        case "Accept":
          return rpc.Accept(message)
        case "Decided":
          return rpc.Decided(message)
        case "Inspect":
          return rpc.Inspect(message)
      }
    }
    return (message) => Endpoint.unreachable(ask(message))
  }
)

/**
 * Serves an acceptor over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (acceptor: Pick<AcceptorActor, "ask">): Layer.Layer<never, never, RpcServer.Protocol> => {
  // An acceptor answers each kind of message with what the group says.
  const ask = <A extends RegisterMessage.ToProposer>(message: RegisterMessage.ToAcceptor) =>
    acceptor.ask(message) as Effect.Effect<A, Refused>
  const handlers = RegisterRpcs.toLayer({
    Prepare: (message) => ask<RegisterMessage.Promise | RegisterMessage.Rejected | RegisterMessage.Decided>(message),
    Accept: (message) => ask<RegisterMessage.Accepted | RegisterMessage.Rejected | RegisterMessage.Decided>(message),
    Decided: (message) => ask<RegisterMessage.Decided>(message),
    Inspect: (message) => ask<RegisterMessage.Held>(message)
  })
  return Layer.provide(RpcServer.layer(RegisterRpcs, RpcOptions.server), handlers)
}
