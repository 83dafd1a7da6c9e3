/**
 * One replica inside an app, on the journal that a cluster would have: how a user starts. The same app becomes one of three
 * replicas by taking `Socket` instead.
 *
 * @since 0.1.0
 */
import { NodeId, QuorumSpec } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Peers, unreachable } from "./Peers.js"

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
  const membership = { voters: [self], learners: [], quorums: QuorumSpec.majority }
  return Layer.succeed(Peers, {
    cluster: options.cluster,
    self,
    beginning: { _tag: "Found", membership },
    peer: () => unreachable("this replica is alone"),
    enter: () => Effect.void,
    serve: () => Effect.void
  })
}
