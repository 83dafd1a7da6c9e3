/**
 * Which links carry messages. The partial partitions are those of Ng et al., *Omni-Paxos* (EuroSys 2023), section 2.
 */
import type { NodeId } from "@synod/paxos"
import type { Random } from "./Random.js"

/** Whether a message from the first node reaches the second. */
export type Partition = (from: NodeId.NodeId, to: NodeId.NodeId) => boolean

export const none: Partition = () => true

/** Two sides that don't hear each other. */
export const halves =
  (side: ReadonlyArray<NodeId.NodeId>): Partition =>
  (from, to) =>
    side.includes(from) === side.includes(to)

export const isolated = (node: NodeId.NodeId): Partition => halves([node])

/** One direction of one link is dead. */
export const oneWay =
  (from: NodeId.NodeId, to: NodeId.NodeId): Partition =>
  (a, b) =>
    !(a === from && b === to)

/** Quorum loss: everybody reaches the hub and nobody else. */
export const star =
  (hub: NodeId.NodeId): Partition =>
  (from, to) =>
    from === to || from === hub || to === hub

/** Constrained election: as a star, and one node, the old leader, reaches nobody at all. */
export const constrained =
  (hub: NodeId.NodeId, leader: NodeId.NodeId): Partition =>
  (from, to) =>
    from === to || (star(hub)(from, to) && isolated(leader)(from, to))

/** Chained: one link is dead, in both directions. */
export const chained =
  (a: NodeId.NodeId, b: NodeId.NodeId): Partition =>
  (from, to) =>
    !((from === a && to === b) || (from === b && to === a))

/** One of the above, or none. */
export const any = (random: Random, members: ReadonlyArray<NodeId.NodeId>): Partition => {
  const [a, b = a] = random.shuffle(members) as [NodeId.NodeId, NodeId.NodeId?]
  return random.pick([
    () => none,
    () => halves(members.filter(() => random.chance(0.5))),
    () => isolated(a),
    () => oneWay(a, b),
    () => star(a),
    () => constrained(a, b),
    () => chained(a, b)
  ])()
}
