/**
 * Quorum systems for simulated clusters: majorities for most seeds, and for the others what else there is for so many members.
 *
 * @since 0.1.0
 */
import { QuorumSpec } from "@synod/paxos"
import type { NodeId } from "@synod/paxos"
import * as Either from "effect/Either"
import type { Seeded } from "./Seeded.js"

/** How often another system than majorities is drawn. */
const others = 0.4

/** Weights are drawn from 0 to this. */
const heaviest = 3

/** How often a table is drawn, until one is safe. */
const attempts = 20

/**
 * One that is safe for these members.
 *
 * @since 0.1.0
 * @category constructors
 */
export const draw = (seeded: Seeded, members: ReadonlyArray<NodeId.NodeId>): QuorumSpec.QuorumSpec => {
  if (!seeded.chance(others)) return QuorumSpec.majority
  const spec = seeded.pick(kinds)(seeded, members)
  return Either.isRight(QuorumSpec.make(spec, members)) ? spec : QuorumSpec.majority
}

type Kind = (seeded: Seeded, members: ReadonlyArray<NodeId.NodeId>) => QuorumSpec.QuorumSpec

const flexible: Kind = (seeded, { length }) => {
  const accept = seeded.between(1, length)
  return { _tag: "Flexible", accept, prepare: seeded.between(length - accept + 1, length) }
}

const grid: Kind = (seeded, { length }) => {
  const rows = seeded.pick(Array.from({ length }, (_, i) => i + 1).filter((rows) => length % rows === 0))
  return { _tag: "Grid", rows, columns: length / rows }
}

const weighted: Kind = (seeded, members) => ({
  _tag: "Weighted",
  weights: members.map((node) => ({ node, weight: seeded.between(0, heaviest) }))
})

const hierarchical: Kind = (seeded, members) => {
  const count = seeded.between(1, members.length)
  const groups = Array.from({ length: count }, (_, i) => members.filter((_, j) => j % count === i))
  if (seeded.chance(0.5)) return { _tag: "Hierarchical", groups }
  const accept = seeded.between(1, count)
  return { _tag: "Hierarchical", groups, accept: { groups: accept }, prepare: { groups: count - accept + 1 } }
}

const allAboard: Kind = (seeded, { length }) => ({ _tag: "AllAboard", fast: seeded.between(1, 2 * length) })

/** Random sets, drawn again until they meet as they must. */
const table: Kind = (seeded, members) => {
  const sets = () =>
    Array.from({ length: seeded.between(1, 3) }, () =>
      seeded.shuffle(members).slice(0, seeded.between(1, members.length))
    )
  for (let attempt = 0; attempt < attempts; attempt++) {
    const rows = Array.from({ length: seeded.between(1, 3) }, (_, i) => ({
      from: 1 + 3 * i,
      prepare: sets(),
      accept: sets()
    }))
    const spec: QuorumSpec.QuorumSpec = { _tag: "Table", rows }
    if (Either.isRight(QuorumSpec.make(spec, members))) return spec
  }
  return QuorumSpec.majority
}

const kinds = [flexible, grid, weighted, hierarchical, allAboard, table]
