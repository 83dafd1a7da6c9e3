/**
 * How a replica begins. Its journal draws an incarnation, which others know it by from then on. A founder is told who takes part, and
 * which sets of them decide; once all founders have noted the same, that is in its journal (`Founders` of `@synod/paxos`). From then on
 * the journal knows, and a setting changes nothing: otherwise a mistyped one would be enough to have two halves of a cluster
 * decide, each by itself.
 *
 * @since 0.1.0
 */
import { Identity } from "@synod/journal"
import type { Journal, JournalError } from "@synod/journal"
import { Ballot, Epoch, Membership } from "@synod/paxos"
import type { Durable, Founders, NodeId, Quorum } from "@synod/paxos"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Beginning } from "./Peers.js"

/**
 * The replica is told of other members, or of other quorums, than its journal was begun with.
 *
 * @since 0.1.0
 * @category errors
 */
export class MembershipRefused extends Data.TaggedError("MembershipRefused")<{
  readonly node: NodeId.NodeId
  /** What the journal was begun with. */
  readonly found: Membership.Membership
  /** What the replica is told. */
  readonly told: Membership.Membership
}> {
  override get message(): string {
    const { found, node, told } = this
    return `The journal of node ${node} was begun with ${tell(found)}, and the replica is told of ${tell(told)}. A setting doesn't change who decides: start it with what its journal was begun with, and then change the membership.`
  }
}

/**
 * The replica's journal holds nothing, and it was told neither to found a cluster nor to join one.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalEmpty extends Data.TaggedError("JournalEmpty")<{ readonly node: NodeId.NodeId }> {
  override get message(): string {
    return `The journal of node ${this.node} holds nothing, and the replica was told neither to found a cluster nor to join one. If its journal was lost, it can't come back under this number, ${remedy(this.node)}`
  }
}

/**
 * The cluster knows this node by another journal: that one was lost, or exchanged.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalReplaced extends Data.TaggedError("JournalReplaced")<{
  readonly node: NodeId.NodeId
  /** Who says so; absent if it is in the log. */
  readonly by?: NodeId.NodeId
  /** Whether it is known that the cluster has begun. */
  readonly begun: boolean
}> {
  override get message(): string {
    const { begun, by, node } = this
    const source = by === undefined ? "the log says" : `node ${by} says`
    const afresh = begun
      ? ""
      : " If the cluster has never begun, empty the journals of all founders and start them again."
    return `The journal of node ${node} is not the one that its cluster knows it by, ${source}. A replica that lost its journal can't come back under its number, ${remedy(node)}${afresh}`
  }
}

/**
 * Two founders don't found the same cluster.
 *
 * @since 0.1.0
 * @category errors
 */
export class FoundersDiffer extends Data.TaggedError("FoundersDiffer")<{
  readonly node: NodeId.NodeId
  readonly own: Membership.Membership
  readonly from: NodeId.NodeId
  readonly other: Membership.Membership
}> {
  override get message(): string {
    const { from, node, other, own } = this
    return Membership.equals(own, other)
      ? `Node ${node} and node ${from} have noted different journals of the founders: one was lost while the cluster was founded. It has not begun; empty the journals of all founders and start them again.`
      : `Node ${node} is told to found a cluster with ${tell(own)}, and node ${from} with ${tell(other)}: tell all founders the same.`
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type Refused = MembershipRefused | JournalEmpty | JournalReplaced | FoundersDiffer

const remedy = (node: number): string =>
  `since it has forgotten what it promised: have a replica with a new number join, and then remove node ${node} from the members.`

const tell = ({ quorums, voters }: Membership.Membership): string =>
  `${voters.length === 1 ? "the member" : "the members"} ${voters.join(", ")} and quorums ${JSON.stringify(quorums)}`

/**
 * The error for what others have said, if they refuse this replica.
 *
 * @since 0.1.0
 * @category errors
 */
export const refusal = (
  { membership: own, node }: Founders.Introduction,
  decision: Founders.Decision
): Refused | undefined => {
  if (decision._tag === "Forgotten") {
    return new JournalReplaced({ node, by: decision.by.node, begun: decision.by.epoch > 0 })
  }
  if (decision._tag !== "Differs") return undefined
  const { membership: other, node: from } = decision.from
  return own === undefined || other === undefined ? undefined : new FoundersDiffer({ node, own, from, other })
}

/**
 * Fails if another journal than this one has the vote of this node.
 *
 * @since 0.1.0
 * @category checking
 */
export const check = (epochs: Epoch.Epochs, node: NodeId.NodeId): Effect.Effect<void, JournalReplaced> =>
  Epoch.isReplaced(epochs, node) ? new JournalReplaced({ node, begun: true }) : Effect.void

/**
 * The journal of a replica that begins so, begun. A founder without others has founded its cluster.
 *
 * @since 0.1.0
 * @category constructors
 */
export const begin = (
  journal: Journal.Journal["Type"],
  node: NodeId.NodeId,
  beginning: Beginning
): Effect.Effect<
  Journal.Journal["Type"],
  Refused | Quorum.QuorumsMiss | Quorum.QuorumsUnusable | JournalError.JournalError
> =>
  Effect.gen(function* () {
    const { recovered } = journal
    const { identity, present } = recovered.epochs
    if (beginning._tag === "Return" && isFresh(recovered)) return yield* new JournalEmpty({ node })
    const told = beginning._tag === "Found" ? beginning.membership : undefined
    const found = present.number === 1 ? present.membership : identity?.founding?.membership
    if (told !== undefined && found !== undefined && !Membership.equals(found, told)) {
      return yield* new MembershipRefused({ node, found, told })
    }
    yield* check(recovered.epochs, node)
    // Before anything of it is in a journal.
    if (told !== undefined) yield* Membership.make(told)
    if (identity !== undefined) return journal
    const incarnation = yield* Identity.draw
    const alone = told !== undefined && told.voters.length === 1 && told.voters[0] === node && isFresh(recovered)
    const epochs: Epoch.Epochs = alone
      ? { ...Epoch.founded(told, [{ node, incarnation }]), identity: { incarnation } }
      : { ...recovered.epochs, identity: { incarnation } }
    const state: Durable.Durable = { ...recovered, epochs }
    yield* journal.write({ state, after: state.acceptedThrough, entries: [] })
    return { ...journal, recovered: state }
  })

const isFresh = ({ acceptedThrough, epochs, promised }: Durable.Durable): boolean =>
  epochs.present.number === 0 &&
  epochs.identity === undefined &&
  acceptedThrough === 0 &&
  Ballot.equals(promised, Ballot.zero)
