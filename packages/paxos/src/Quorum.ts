/**
 * Which sets of nodes may decide.
 *
 * Paxos needs less than majorities: a prepare quorum of a round must meet every accept quorum of every lower round, and
 * nothing else has to meet (Howard, Malkhi, Spiegelman, *Flexible Paxos*, 2016; Howard and Mortier, *A Generalised Solution
 * to Distributed Consensus*, 2019, section 5). A system that breaks the rule for its members can't be made.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import type { NodeId } from "./NodeId.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface QuorumSystem {
  /** As it is shown to people, such as `majority of 3`. */
  readonly name: string
  /** The voters. Other nodes in a set that is asked about count for nothing. */
  readonly members: ReadonlyArray<NodeId>
  /** Is this set of nodes enough for phase 1 of a ballot of this round? */
  readonly isPrepareQuorum: (round: number, nodes: ReadonlySet<NodeId>) => boolean
  /** Is this set of nodes enough for phase 2 of a ballot of this round? */
  readonly isAcceptQuorum: (round: number, nodes: ReadonlySet<NodeId>) => boolean
}

/**
 * The system would let two ballots decide differently, as the two sets show: the first can prepare without meeting
 * the second, which can accept.
 *
 * @since 0.1.0
 * @category errors
 */
export class QuorumsMiss extends Data.TaggedError("QuorumsMiss")<{
  readonly system: string
  readonly prepare: ReadonlyArray<NodeId>
  readonly accept: ReadonlyArray<NodeId>
}> {
  override get message() {
    return `${this.system} is not safe: the prepare quorum {${this.prepare.join(", ")}} misses the accept quorum {${this.accept.join(
      ", "
    )}}; every two must share a node`
  }
}

/**
 * The members given to a system, or the sizes asked of it, make no sense.
 *
 * @since 0.1.0
 * @category errors
 */
export class QuorumsUnusable extends Data.TaggedError("QuorumsUnusable")<{
  readonly system: string
  readonly reason: string
}> {
  override get message() {
    return `${this.system} can't be used: ${this.reason}`
  }
}

/**
 * Any `prepare` members prepare, any `accept` members accept. Small accept quorums make the steady state faster and
 * elections need more nodes, and the other way around.
 *
 * @since 0.1.0
 * @category constructors
 */
export const flexible = (
  members: ReadonlyArray<NodeId>,
  sizes: { readonly prepare: number; readonly accept: number }
): Either.Either<QuorumSystem, QuorumsMiss | QuorumsUnusable> => {
  const { accept, prepare } = sizes
  const system = `flexible quorums (prepare ${prepare}, accept ${accept}) of ${members.length}`
  return Either.flatMap(wellFormed(system, members), (): Either.Either<QuorumSystem, QuorumsMiss | QuorumsUnusable> => {
    for (const size of [prepare, accept]) {
      if (!Number.isInteger(size) || size < 1 || size > members.length) {
        return Either.left(
          new QuorumsUnusable({ system, reason: `a quorum of ${size} is not between 1 and ${members.length}` })
        )
      }
    }
    if (prepare + accept <= members.length) {
      return Either.left(
        new QuorumsMiss({ system, prepare: members.slice(0, prepare), accept: members.slice(-accept) })
      )
    }
    return Either.right(bySize(system, members, prepare, accept))
  })
}

/**
 * More than half of the members, for both phases.
 *
 * @since 0.1.0
 * @category constructors
 */
export const majority = (members: ReadonlyArray<NodeId>): Either.Either<QuorumSystem, QuorumsUnusable> => {
  const system = `majority of ${members.length}`
  const size = Math.floor(members.length / 2) + 1
  return Either.map(wellFormed(system, members), () => bySize(system, members, size, size))
}

const wellFormed = (system: string, members: ReadonlyArray<NodeId>): Either.Either<void, QuorumsUnusable> => {
  if (members.length === 0) return Either.left(new QuorumsUnusable({ system, reason: "there are no members" }))
  const twice = members.find((node, i) => members.indexOf(node) !== i)
  return twice === undefined
    ? Either.void
    : Either.left(new QuorumsUnusable({ system, reason: `node ${twice} is named twice` }))
}

const bySize = (name: string, members: ReadonlyArray<NodeId>, prepare: number, accept: number): QuorumSystem => {
  const count = (nodes: ReadonlySet<NodeId>) => {
    let n = 0
    for (const member of members) if (nodes.has(member)) n++
    return n
  }
  return {
    name,
    members,
    isPrepareQuorum: (_round, nodes) => count(nodes) >= prepare,
    isAcceptQuorum: (_round, nodes) => count(nodes) >= accept
  }
}
