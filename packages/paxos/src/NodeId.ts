/**
 * The number of a voter, unique in its cluster and never used again for another machine.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A positive integer. A replica that lost its journal must come back under a new one (DESIGN 5.4).
 *
 * @since 0.1.0
 * @category models
 */
export const NodeId = Schema.Int.pipe(Schema.between(1, 65535), Schema.brand("@synod/paxos/NodeId"))

/**
 * @since 0.1.0
 * @category models
 */
export type NodeId = typeof NodeId.Type

/**
 * The node id of a number; throws when it is not an integer from 1 to 65535.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (id: number) => NodeId = Schema.decodeSync(NodeId)
