/**
 * How a replica comes by its membership. A founder is told who takes part, and which sets of them decide; its first promise brings
 * that into its journal. From then on the journal knows, and a setting changes nothing: otherwise a mistyped one would be enough to
 * have two halves of a cluster decide, each by itself.
 *
 * @since 0.1.0
 */
import type { Journal } from "@synod/journal"
import { Ballot, Durable, Membership } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
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
    return `The journal of node ${this.node} holds nothing, and the replica was told neither to found a cluster nor to join one. If its journal was lost, it can't come back under this number, since it has forgotten what it promised: have a replica with a new number join, and then remove node ${this.node} from the members.`
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type Refused = MembershipRefused | JournalEmpty

const tell = ({ quorums, voters }: Membership.Membership): string =>
  `${voters.length === 1 ? "the member" : "the members"} ${voters.join(", ")} and quorums ${JSON.stringify(quorums)}`

/**
 * The journal, as if the founding membership had been in it from the beginning.
 *
 * @since 0.1.0
 * @category constructors
 */
export const begin = (
  journal: Journal.Journal["Type"],
  node: NodeId.NodeId,
  beginning: Beginning
): Effect.Effect<Journal.Journal["Type"], Refused> => {
  if (beginning._tag === "Return" && isFresh(journal.recovered)) return new JournalEmpty({ node })
  if (beginning._tag !== "Found") return Effect.succeed(journal)
  const told = beginning.membership
  const { membership, number } = journal.recovered.epochs.present
  if (number === 1 && !Membership.equals(membership, told))
    return new MembershipRefused({ node, found: membership, told })
  // Once something is in it, what it says of members is durable too.
  const founded = (durable: Durable.Durable) => (isFresh(durable) ? Durable.founded(told) : durable)
  return Effect.succeed({
    ...journal,
    recovered: founded(journal.recovered),
    recover: Effect.map(journal.recover, founded)
  })
}

const isFresh = ({ acceptedThrough, epochs, promised }: Durable.Durable): boolean =>
  epochs.present.number === 0 && acceptedThrough === 0 && Ballot.equals(promised, Ballot.zero)
