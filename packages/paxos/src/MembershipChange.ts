/**
 * When a leader may end its epoch with a change of membership, and what stands in the stop sign. One change at a time: nothing is
 * proposed behind a stop sign.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Epoch from "./Epoch.js"
import * as Incarnation from "./Incarnation.js"
import * as Membership from "./Membership.js"
import type { NodeId } from "./NodeId.js"
import * as Proposer from "./Proposer.js"
import type { QuorumsMiss, QuorumsUnusable } from "./QuorumSystem.js"

/**
 * A change that somebody asks for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  /** The number of the epoch that whoever asks believes to be in force: a request that is repeated, or late, changes nothing. */
  readonly expect: number
  readonly wanted: Membership.Membership
  /** Which journals those have that are to vote, as far as they told. */
  readonly incarnations?: Incarnation.Incarnations
}

/**
 * Why nothing is proposed.
 *
 * @since 0.1.0
 * @category models
 */
export type Refusal =
  | { readonly _tag: "NotLeading" }
  /** Another epoch is in force than was expected. */
  | { readonly _tag: "OtherEpoch"; readonly present: Epoch.Epoch }
  /** The membership is what is wanted. */
  | { readonly _tag: "Unchanged" }
  /** Another change is under way, or the leader has only just come up: soon it may be possible. */
  | { readonly _tag: "Busy" }
  /** Its quorums are not safe, or it makes no sense. */
  | { readonly _tag: "Unsafe"; readonly error: QuorumsMiss | QuorumsUnusable }

/**
 * The membership to put into a stop sign now: the wanted one, or one in which those who are to vote learn first. A leader
 * changes nothing before all that it adopted is chosen at its own ballot: there may be a stop sign in it. Nobody votes of whom it is
 * not known which journal it has.
 *
 * @since 0.1.0
 * @category getters
 */
export const next = (
  leader: Proposer.State,
  present: Epoch.Epoch,
  request: Request,
  options: Proposer.Options
): Either.Either<Membership.Membership, Refusal> => {
  const { expect, wanted } = request
  if (leader._tag !== "Leading") return Either.left({ _tag: "NotLeading" })
  if (expect !== present.number) return Either.left({ _tag: "OtherEpoch", present })
  const made = Membership.make(wanted)
  if (Either.isLeft(made)) return Either.left({ _tag: "Unsafe", error: made.left })
  if (Membership.equals(present.membership, wanted)) return Either.left({ _tag: "Unchanged" })
  const settled = leader.chosenThrough >= leader.adopted.acceptedThrough
  if (!settled || Proposer.capacity(leader, options) === 0) return Either.left({ _tag: "Busy" })
  const isKnown = (node: NodeId) =>
    present.incarnations === undefined || Incarnation.of(request.incarnations, node) !== undefined
  const keepsUp = (node: NodeId) => isKnown(node) && Proposer.keepsUp(leader, node, options)
  const step = Membership.towards(present.membership, wanted, keepsUp)
  // They are learners already, and don't keep up yet.
  return Membership.equals(present.membership, step) ? Either.left({ _tag: "Busy" }) : Either.right(step)
}

/**
 * Which journals the voters of the next membership have: voters of the present one keep theirs, whatever they say by now. Nothing
 * where nobody has told.
 *
 * @since 0.1.0
 * @category getters
 */
export const incarnations = (
  present: Epoch.Epoch,
  { voters }: Membership.Membership,
  request: Request
): Incarnation.Incarnations | undefined => {
  if (present.incarnations === undefined && request.incarnations === undefined) return undefined
  return voters.flatMap((node) => {
    const incarnation = Incarnation.of(present.incarnations, node) ?? Incarnation.of(request.incarnations, node)
    return incarnation === undefined ? [] : [{ node, incarnation }]
  })
}

/**
 * Whether an epoch's membership is what a change of the one before leads to: the wanted one, or a step on the way to it.
 *
 * @since 0.1.0
 * @category getters
 */
export const leadsTo = (
  before: Membership.Membership,
  wanted: Membership.Membership,
  present: Membership.Membership
): boolean =>
  Membership.equals(
    present,
    Membership.towards(before, wanted, (node) => !present.learners.includes(node))
  )
