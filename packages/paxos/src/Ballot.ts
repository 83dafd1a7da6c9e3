/**
 * Proposal numbers (Lamport, *Paxos Made Simple*, 2.2: "different proposals have different numbers").
 *
 * @since 0.1.0
 */
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import { NodeId } from "./NodeId.js"

/**
 * A proposal number: ordered by round, then by node, so that two nodes can never make the same one, and unique to one
 * leadership, since a node makes each round of its own durable before it uses it.
 *
 * @since 0.1.0
 * @category models
 */
export const Ballot = Schema.Struct({
  /** Grows with every attempt to lead; survives restarts. 0 only in {@link zero}. */
  round: Schema.Int.pipe(Schema.nonNegative()),
  /** The node that made the ballot; 0 only in {@link zero}. */
  node: Schema.Union(NodeId, Schema.Literal(0))
})

/**
 * @since 0.1.0
 * @category models
 */
export type Ballot = typeof Ballot.Type

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (round: number, node: NodeId): Ballot => ({ round, node })

/**
 * Lower than every ballot that can be made: what an acceptor has promised before it promised anything.
 *
 * @since 0.1.0
 * @category constants
 */
export const zero: Ballot = { round: 0, node: 0 }

/**
 * Round first, then node: `1.1 < 1.2 < 2.1`.
 *
 * @since 0.1.0
 * @category ordering
 */
export const order: Order.Order<Ballot> = Order.make((a, b) =>
  a.round < b.round ? -1 : a.round > b.round ? 1 : a.node < b.node ? -1 : a.node > b.node ? 1 : 0
)

/**
 * @since 0.1.0
 * @category ordering
 */
export const lessThan = (a: Ballot, b: Ballot): boolean => order(a, b) < 0

/**
 * @since 0.1.0
 * @category ordering
 */
export const greaterThan = (a: Ballot, b: Ballot): boolean => order(a, b) > 0

/**
 * @since 0.1.0
 * @category ordering
 */
export const equals = (a: Ballot, b: Ballot): boolean => a.round === b.round && a.node === b.node

/**
 * @since 0.1.0
 * @category ordering
 */
export const max = (a: Ballot, b: Ballot): Ballot => (order(a, b) < 0 ? b : a)

/**
 * The lowest ballot of `node` that is above `ballot`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const next = (ballot: Ballot, node: NodeId): Ballot => make(ballot.round + 1, node)

/**
 * `round.node`, as the lecture notes write it.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (ballot: Ballot): string => `${ballot.round}.${ballot.node}`
