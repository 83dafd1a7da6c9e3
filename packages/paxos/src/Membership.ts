/**
 * Who takes part in an epoch: the nodes that vote, those that only learn, and which sets of voters decide.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { NodeId } from "./NodeId.js"
import * as Quorum from "./Quorum.js"
import * as QuorumRule from "./QuorumRule.js"
import { QuorumSpec } from "./QuorumSpec.js"
import * as Spec from "./QuorumSpec.js"

/**
 * Learners of an epoch, at most: each is sent all that is proposed.
 *
 * @since 0.1.0
 * @category constants
 */
export const mostLearners = 64

/**
 * Characters of an address, at most: a host name has up to 253.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestAddress = 300

/**
 * Where a node is found, in words of whoever connects to it: here nobody looks into them.
 *
 * @since 0.1.0
 * @category models
 */
export const Address = Schema.Struct({
  node: NodeId,
  address: Schema.NonEmptyString.pipe(Schema.maxLength(longestAddress))
})

/**
 * @since 0.1.0
 * @category models
 */
export type Address = typeof Address.Type

/**
 * @since 0.1.0
 * @category models
 */
export const Membership = Schema.Struct({
  voters: Schema.Array(NodeId).pipe(Schema.maxItems(QuorumRule.most)),
  /** They get what is proposed as voters do, and have no say. */
  learners: Schema.Array(NodeId).pipe(Schema.maxItems(mostLearners)),
  /** Which sets of voters decide. */
  quorums: QuorumSpec,
  /** Where members are found that others may not have been told of. Default: nowhere else than where they are known to be. */
  addresses: Schema.optionalWith(Schema.Array(Address).pipe(Schema.maxItems(QuorumRule.most + mostLearners)), {
    exact: true
  })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Membership = typeof Membership.Type

/**
 * A membership that makes sense, with the quorum system of its voters; or why it makes none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (membership: Membership): Quorum.Made => {
  const { addresses = [], learners, quorums, voters } = membership
  const unusable = (reason: string): Quorum.Made => {
    const system = `${voters.length} voters and ${learners.length} learners`
    return Either.left(new Quorum.QuorumsUnusable({ system, reason }))
  }
  const twice = learners.find((node, i) => voters.includes(node) || learners.indexOf(node) !== i)
  if (twice !== undefined) return unusable(`node ${twice} is named twice`)
  const stranger = addresses.find(({ node }) => !isMember(membership, node))
  if (stranger !== undefined) return unusable(`node ${stranger.node} has an address and is no member`)
  return Spec.make(quorums, voters)
}

/**
 * All who take part.
 *
 * @since 0.1.0
 * @category getters
 */
export const nodes = ({ learners, voters }: Membership): ReadonlyArray<NodeId> => [...voters, ...learners]

/**
 * Does it take part?
 *
 * @since 0.1.0
 * @category getters
 */
export const isMember = ({ learners, voters }: Membership, node: NodeId): boolean =>
  voters.includes(node) || learners.includes(node)

/**
 * The next step from one membership to another that is wanted: a node becomes a voter only once it keeps up, so that nothing waits
 * for it; until then it learns, beside those who are there already. The wanted one itself, when all of its voters keep up.
 *
 * @since 0.1.0
 * @category combinators
 */
export const towards = (present: Membership, wanted: Membership, keepsUp: (node: NodeId) => boolean): Membership => {
  const late = wanted.voters.filter((node) => !present.voters.includes(node) && !keepsUp(node))
  if (late.length === 0) return wanted
  const learners = [...present.learners, ...late.filter((node) => !present.learners.includes(node))]
  const step = { ...present, learners }
  const news = (wanted.addresses ?? []).filter(({ node }) => isMember(step, node))
  const known = (present.addresses ?? []).filter(({ node }) => news.every((other) => other.node !== node))
  return news.length === 0 ? step : { ...step, addresses: [...known, ...news] }
}

/**
 * The same members with the same say? Order tells grids and tables apart, and so counts.
 *
 * @since 0.1.0
 * @category comparing
 */
export const equals = (a: Membership, b: Membership): boolean => a === b || isEqual(a, b)

const isEqual = Schema.equivalence(Membership)
