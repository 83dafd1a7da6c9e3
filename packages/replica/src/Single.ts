/**
 * One replica inside an app, on the journal that a cluster would have: how a user starts. The same app becomes one of three
 * replicas by taking `Socket` instead.
 *
 * @since 0.1.0
 */
import { Endpoint } from "@synod/client"
import { NodeId, QuorumSpec } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Peer, Peers } from "./Peers.js"

/**
 * A cluster of this replica alone.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: {
  /** The cluster's name; a journal of another one is refused. */
  readonly cluster: string
}): Layer.Layer<Peers> => {
  const self = NodeId.make(1)
  const nobody = () => Effect.fail(new Endpoint.Unreachable({ reason: "this replica is alone", sent: false }))
  const peer: Peer = {
    acceptor: (_message, answer) => {
      answer(undefined)
      return () => undefined
    },
    heartbeat: nobody,
    takeOver: nobody,
    readSlot: nobody,
    snapshot: nobody,
    client: { submit: nobody, query: nobody, follow: nobody, status: nobody(), digest: nobody() }
  }
  return Layer.succeed(Peers, {
    cluster: options.cluster,
    self,
    members: [self],
    quorums: QuorumSpec.majority,
    peer: () => peer,
    serve: () => Effect.void
  })
}
