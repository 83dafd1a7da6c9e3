/**
 * The functions that a simulated node of the core tier runs: those of production, unless one is replaced by a broken one
 * to see whether the checkers notice.
 *
 * @since 0.1.0
 */
import { Acceptor, Election, Epoch, Learner, Membership, MembershipChange, Proposer, QuorumSystem } from "@synod/paxos"
import type { Quorum } from "@synod/paxos"
import * as Either from "effect/Either"
import * as Machine from "./internal/coreMachine.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface CoreSteps {
  readonly acceptor: typeof Acceptor.step
  readonly proposer: typeof Proposer.step
  readonly election: typeof Election.step
  readonly heeds: typeof Election.heeds
  readonly learner: typeof Learner.step
  /** Who decides in an epoch. */
  readonly quorums: (membership: Membership.Membership) => Quorum.QuorumSystem
  /** What becomes of a message of this epoch or another. */
  readonly judge: typeof Epoch.judge
  /** Whether a leader may end its epoch. */
  readonly change: typeof MembershipChange.next
  /** The machine of the core tier: performs a command, or answers one that it knows. */
  readonly perform: (
    machine: Machine.Machine,
    command: { readonly client: number; readonly sequence: number },
    slot: number
  ) => Machine.Performed
}

/**
 * @since 0.1.0
 * @category models
 */
export type { Performed } from "./internal/coreMachine.js"

/**
 * @since 0.1.0
 * @category constants
 */
export const production: CoreSteps = {
  acceptor: Acceptor.step,
  proposer: Proposer.step,
  election: Election.step,
  heeds: Election.heeds,
  learner: Learner.step,
  quorums: (membership) => Either.getOrElse(Membership.make(membership), () => QuorumSystem.nobody),
  judge: Epoch.judge,
  change: MembershipChange.next,
  perform: Machine.perform
}
