/**
 * The atlas of a world: which nodes may be harmed so that what the protocol promises to survive is not exceeded, and who is
 * left in the end.
 *
 * The protocol survives any number of crashes that keep what is on disk, and any messages that get lost. It does not
 * survive the journals of so many members being gone that the rest holds no quorum.
 *
 * @since 0.1.0
 */
import { Quorum } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import * as Partition from "./Partition.js"
import type { Seeded } from "./Seeded.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Atlas {
  /** May this node lose its journal for good, after all that were lost already? Always, in a harsh world. */
  readonly mayLose: (node: NodeId.NodeId) => boolean
  readonly lose: (node: NodeId.NodeId) => void
  /** Those that still have their journals. */
  readonly left: () => ReadonlyArray<NodeId.NodeId>
  /** What is left could decide. */
  readonly survives: () => boolean
  /**
   * Of the ways to leave a healthy core alone, one that can be: somebody in it reaches a quorum in both directions.
   */
  readonly core: (seeded: Seeded, leader?: NodeId.NodeId) => Core
}

/**
 * Who must become live again, and which links stay cut while it does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Core {
  readonly kind: Kind
  readonly nodes: ReadonlyArray<NodeId.NodeId>
  readonly partition: Partition.Partition
}

/**
 * Everybody, a bare quorum with the others cut off, or everybody with links that stay cut.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind = "whole" | "quorum" | "oneWay" | "ring" | "quorumLoss" | "constrained" | "chained"

/**
 * @since 0.1.0
 * @category constants
 */
export const kinds: ReadonlyArray<Kind> = ["whole", "quorum", "oneWay", "ring", "quorumLoss", "constrained", "chained"]

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  nodes: ReadonlyArray<NodeId.NodeId>,
  options: {
    readonly harsh: boolean
    /** Some founder knows that all have noted who they are: until then each of them must be there once. Default: yes. */
    readonly begun?: () => boolean
    /** Those of every epoch that may be in force somewhere. */
    readonly quorums: () => ReadonlyArray<Quorum.QuorumSystem>
  }
): Atlas => {
  const { begun = () => true } = options
  const lost = new Set<NodeId.NodeId>()
  const left = () => nodes.filter((node) => !lost.has(node))

  /** In the rounds that go on for ever: any other round may be over. */
  const enough = (nodes: ReadonlyArray<NodeId.NodeId>): boolean =>
    options
      .quorums()
      .every((system) => Quorum.roundFor(system, system.changesAt.at(-1) ?? 1, new Set(nodes)) !== undefined)

  const canDecide = (partition: Partition.Partition): boolean =>
    left().some((hub) => enough(left().filter((node) => partition(hub, node) && partition(node, hub))))

  const quorum = (seeded: Seeded): ReadonlyArray<NodeId.NodeId> => {
    const order = seeded.shuffle(left())
    let size = 1
    while (size < order.length && !enough(order.slice(0, size))) size++
    return order.slice(0, size)
  }

  const attempt = (kind: Kind, seeded: Seeded, leader: NodeId.NodeId | undefined): Core | undefined => {
    if (kind === "whole") return { kind, nodes: left(), partition: Partition.none }
    if (kind === "quorum") {
      const nodes = quorum(seeded)
      return { kind, nodes, partition: Partition.halves(nodes) }
    }
    const partition = Partition.random(kind, seeded, left(), leader)
    return partition !== undefined && canDecide(partition) ? { kind, nodes: left(), partition } : undefined
  }

  return {
    mayLose: (node) =>
      begun() && !lost.has(node) && (options.harsh || enough(left().filter((other) => other !== node))),
    lose: (node) => void lost.add(node),
    left,
    survives: () => enough(left()),
    core: (seeded, leader) => {
      const old = leader !== undefined && !lost.has(leader) ? leader : undefined
      const core = attempt(seeded.pick(kinds), seeded, old)
      return core !== undefined && begun() ? core : attempt("whole", seeded, old)!
    }
  }
}
