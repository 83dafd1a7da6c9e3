/**
 * Which journal speaks for a node. A number says who a replica is meant to be; its incarnation, which is drawn when its journal is
 * begun and never changes, says that it remembers. Members know each other's: a replica that lost its journal and comes back
 * under its old number is somebody else, and votes nowhere.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { NodeId } from "./NodeId.js"
import * as QuorumRule from "./QuorumRule.js"

/**
 * Characters of an incarnation, at most.
 *
 * @since 0.1.0
 * @category constants
 */
export const longest = 64

/**
 * @since 0.1.0
 * @category models
 */
export const Incarnation = Schema.NonEmptyString.pipe(Schema.maxLength(longest))

/**
 * @since 0.1.0
 * @category models
 */
export type Incarnation = typeof Incarnation.Type

/**
 * The incarnations of voters, in the order of the voters.
 *
 * @since 0.1.0
 * @category models
 */
export const Incarnations = Schema.Array(Schema.Struct({ node: NodeId, incarnation: Incarnation })).pipe(
  Schema.maxItems(QuorumRule.most)
)

/**
 * @since 0.1.0
 * @category models
 */
export type Incarnations = typeof Incarnations.Type

/**
 * That of a node, if it is known.
 *
 * @since 0.1.0
 * @category getters
 */
export const of = (self: Incarnations | undefined, node: NodeId): Incarnation | undefined =>
  self?.find((other) => other.node === node)?.incarnation

/**
 * Does somebody else's journal stand for this node? Not where nobody's is known.
 *
 * @since 0.1.0
 * @category getters
 */
export const isAnother = (self: Incarnations | undefined, node: NodeId, own: Incarnation | undefined): boolean => {
  const known = of(self, node)
  return known !== undefined && known !== own
}

/**
 * @since 0.1.0
 * @category comparing
 */
export const equals = Schema.equivalence(Incarnations)
