/**
 * Whom a proposer believes to be there: a failure detector that asks nobody anything of its own. A member that left a message without
 * an answer is taken to be missing for a while, or until it answers another one; what everybody is sent goes to it all the same.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface Reachable {
  readonly nodes: () => ReadonlySet<NodeId.NodeId>
  readonly heard: (node: NodeId.NodeId) => void
  readonly missed: (node: NodeId.NodeId) => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly now: () => number
  /** How long a member that did not answer is taken to be missing, in the unit of `now`. */
  readonly suspicion: number
}): Reachable => {
  const missing = new Map<NodeId.NodeId, number>()
  return {
    nodes: () => {
      const now = options.now()
      return new Set(options.members.filter((node) => (missing.get(node) ?? -Infinity) <= now))
    },
    heard: (node) => void missing.delete(node),
    missed: (node) => void missing.set(node, options.now() + options.suspicion)
  }
}
