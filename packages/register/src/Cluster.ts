/**
 * Which members keep registers together, and which sets of them decide. It never changes: whoever sees it otherwise belongs to
 * another cluster.
 *
 * @since 0.1.0
 */
import { QuorumSpec } from "@synod/paxos"
import type { NodeId, Quorum } from "@synod/paxos"
import * as Either from "effect/Either"

/**
 * @since 0.1.0
 * @category models
 */
export interface Cluster {
  /**
   * The name that stores and connections go by. Members and quorums are part of it, so that nobody takes part who counts otherwise: a
   * proposer with other quorums could decide anew what is decided.
   */
  readonly identity: string
  readonly quorums: Quorum.QuorumSystem
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  name: string,
  members: ReadonlyArray<NodeId.NodeId>,
  spec: QuorumSpec.QuorumSpec = QuorumSpec.majority
): Either.Either<Cluster, Quorum.QuorumsMiss | Quorum.QuorumsUnusable> => {
  const sorted = [...members].sort((a, b) => a - b)
  return Either.map(QuorumSpec.make(spec, sorted), (quorums) => ({
    identity: `${name}: registers of ${sorted.join(", ")} by ${JSON.stringify(spec)}`,
    quorums
  }))
}
