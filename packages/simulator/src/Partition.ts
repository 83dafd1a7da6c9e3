/**
 * Which links carry messages. The three partial ones, in which no quorum agrees on who is there, are those of Ng et al.,
 * *Omni-Paxos* (EuroSys 2023), section 2.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos"
import type { Fault } from "./Fault.js"
import type { Seeded } from "./Seeded.js"

/**
 * Whether a message from the first node reaches the second. A node always reaches itself.
 *
 * @since 0.1.0
 * @category models
 */
export type Partition = (from: NodeId.NodeId, to: NodeId.NodeId) => boolean

/**
 * The faults that cut links.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind = Extract<Fault, "halves" | "oneWay" | "ring" | "isolate" | "quorumLoss" | "constrained" | "chained">

/**
 * @since 0.1.0
 * @category constants
 */
export const kinds: ReadonlyArray<Kind> = [
  "halves",
  "oneWay",
  "ring",
  "isolate",
  "quorumLoss",
  "constrained",
  "chained"
]

/**
 * Everybody hears everybody.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: Partition = () => true

/**
 * Two sides that don't hear each other: the nodes given, and all others.
 *
 * @since 0.1.0
 * @category constructors
 */
export const halves = (side: ReadonlyArray<NodeId.NodeId>): Partition => {
  const inside = new Set(side)
  return (from, to) => inside.has(from) === inside.has(to)
}

/**
 * One node hears nobody, and nobody hears it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const isolate =
  (node: NodeId.NodeId): Partition =>
  (from, to) =>
    from === to || (from !== node && to !== node)

/**
 * One direction of one link is dead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const oneWay =
  (from: NodeId.NodeId, to: NodeId.NodeId): Partition =>
  (a, b) =>
    a !== from || b !== to

/**
 * Every node hears its two neighbours in `members`, which close to a ring.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ring = (members: ReadonlyArray<NodeId.NodeId>): Partition => {
  const place = new Map(members.map((node, i) => [node, i]))
  return (from, to) => {
    const distance = Math.abs((place.get(from) ?? 0) - (place.get(to) ?? 0))
    return distance <= 1 || distance === members.length - 1
  }
}

/**
 * Quorum loss: everybody hears the hub and nobody else. A leader that isn't the hub loses its quorum, and is still heard.
 *
 * @since 0.1.0
 * @category constructors
 */
export const quorumLoss =
  (hub: NodeId.NodeId): Partition =>
  (from, to) =>
    from === to || from === hub || to === hub

/**
 * Constrained election: as quorum loss, and one node, the old leader, hears nobody at all. Only the hub can lead, also
 * where its log is behind.
 *
 * @since 0.1.0
 * @category constructors
 */
export const constrained = (hub: NodeId.NodeId, leader: NodeId.NodeId): Partition => {
  const star = quorumLoss(hub)
  const alone = isolate(leader)
  return (from, to) => star(from, to) && alone(from, to)
}

/**
 * Chained: one link is dead in both directions, and its two ends hear everybody else.
 *
 * @since 0.1.0
 * @category constructors
 */
export const chained =
  (a: NodeId.NodeId, b: NodeId.NodeId): Partition =>
  (from, to) =>
    !((from === a && to === b) || (from === b && to === a))

/**
 * How many members it takes for a kind to cut anything: a ring of three is whole.
 *
 * @since 0.1.0
 * @category getters
 */
export const fewest = (kind: Kind): number => {
  switch (kind) {
    case "ring":
      return 4
    case "quorumLoss":
    case "constrained":
    case "chained":
      return 3
    case "halves":
    case "isolate":
    case "oneWay":
      return 2
  }
}

/**
 * A partition of this kind among the members; `undefined` where they are too few for it. Where the kind speaks of the old
 * leader it is `leader`, or anybody if there is none.
 *
 * @since 0.1.0
 * @category constructors
 */
export const random = (
  kind: Kind,
  seeded: Seeded,
  members: ReadonlyArray<NodeId.NodeId>,
  leader?: NodeId.NodeId
): Partition | undefined => {
  if (members.length < fewest(kind)) return undefined
  const order = seeded.shuffle(members)
  const old = leader ?? order[0]!
  const [a, b] = order as [NodeId.NodeId, NodeId.NodeId]
  const other = a === old ? b : a
  switch (kind) {
    case "halves":
      return halves(order.slice(0, seeded.between(1, order.length - 1)))
    case "oneWay":
      return oneWay(a, b)
    case "ring":
      return ring(order)
    case "isolate":
      return isolate(a)
    case "quorumLoss":
      return quorumLoss(other)
    case "constrained":
      return constrained(other, old)
    case "chained":
      return chained(old, other)
  }
}
