/**
 * A quorum system as roles see it, and why there can be none.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
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
  /** The rounds, in ascending order, from which on other sets are quorums than in the round before; none if always the same. */
  readonly changesAt: ReadonlyArray<number>
  /** Is this set of nodes enough for phase 1 of a ballot of this round? */
  readonly isPrepareQuorum: (round: number, nodes: ReadonlySet<NodeId>) => boolean
  /** Is this set of nodes enough for phase 2 of a ballot of this round? */
  readonly isAcceptQuorum: (round: number, nodes: ReadonlySet<NodeId>) => boolean
}

/**
 * Of an epoch in which nobody votes: nothing is decided.
 *
 * @since 0.1.0
 * @category constants
 */
export const nobody: QuorumSystem = {
  name: "nobody",
  members: [],
  changesAt: [],
  isPrepareQuorum: () => false,
  isAcceptQuorum: () => false
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
  /** A prepare quorum, and a round in which it is one; the first of many. */
  readonly prepare: ReadonlyArray<NodeId>
  readonly prepareRound: number
  /** An accept quorum of that round or a lower one. */
  readonly accept: ReadonlyArray<NodeId>
  readonly acceptRound: number
}> {
  override get message() {
    const { accept, acceptRound, prepare, prepareRound, system } = this
    const [ofPrepare, ofAccept] =
      acceptRound === prepareRound ? ["", ""] : [` of round ${prepareRound}`, ` of round ${acceptRound}`]
    return `${system} is not safe: the prepare quorum {${prepare.join(", ")}}${ofPrepare} misses the accept quorum {${accept.join(
      ", "
    )}}${ofAccept}; every two must share a node`
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
