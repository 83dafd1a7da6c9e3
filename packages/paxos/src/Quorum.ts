/**
 * Which sets of nodes may decide.
 *
 * Paxos needs less than majorities: a prepare quorum of a ballot must meet every accept quorum of every lower ballot, and
 * nothing else has to meet (Howard, Malkhi, Spiegelman, *Flexible Paxos*, 2016; Howard and Mortier, *A Generalised Solution
 * to Distributed Consensus*, 2019, section 5). A round is everybody's, so that ballots of one round count among the lower ones
 * too. A system that breaks the rule for its members can't be made, and the refusal shows where it does.
 *
 * | system | prepares | accepts | for |
 * |---|---|---|---|
 * | {@link majority} | more than half | more than half | most clusters |
 * | {@link flexible} | any so many | any so many | a faster steady state, with dearer elections |
 * | {@link grid} | a whole row | a whole column | many members and little work for each |
 * | {@link weighted} | so much weight | so much weight | members that are not alike |
 * | {@link hierarchical} | so many members of so many groups | likewise | zones that fail together |
 * | {@link allAboard} | anybody, in fast rounds | everybody, in fast rounds | one round trip from any node |
 * | {@link table} | the sets that are listed | the sets that are listed | what the literature describes |
 * | {@link make} | what a predicate says | what a predicate says | your own |
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { NodeId } from "./NodeId.js"
import * as QuorumRule from "./QuorumRule.js"
import { type QuorumSystem, QuorumsMiss, QuorumsUnusable } from "./QuorumSystem.js"

export { type QuorumSystem, QuorumsMiss, QuorumsUnusable } from "./QuorumSystem.js"

/**
 * A quorum system, or why there is none.
 *
 * @since 0.1.0
 * @category models
 */
export type Made = Either.Either<QuorumSystem, QuorumsMiss | QuorumsUnusable>

/**
 * Any `prepare` members prepare, any `accept` members accept. Small accept quorums make the steady state faster and
 * elections need more nodes, and the other way around.
 *
 * @since 0.1.0
 * @category constructors
 */
export const flexible = (
  members: ReadonlyArray<NodeId>,
  sizes: { readonly prepare: number; readonly accept: number }
): Made => {
  const { accept, prepare } = sizes
  const system = `flexible quorums (prepare ${prepare}, accept ${accept}) of ${members.length}`
  return Either.flatMap(wellFormed(system, members), (): Made => {
    for (const size of [prepare, accept]) {
      if (!Number.isInteger(size) || size < 1 || size > members.length) {
        return Either.left(
          new QuorumsUnusable({ system, reason: `a quorum of ${size} is not between 1 and ${members.length}` })
        )
      }
    }
    if (prepare + accept <= members.length) {
      const sets = { prepare: members.slice(0, prepare), accept: members.slice(-accept) }
      return Either.left(new QuorumsMiss({ system, ...sets, prepareRound: 1, acceptRound: 1 }))
    }
    return Either.right(bySize(system, members, prepare, accept))
  })
}

/**
 * More than half of the members, for both phases.
 *
 * @since 0.1.0
 * @category constructors
 */
export const majority = (members: ReadonlyArray<NodeId>): Either.Either<QuorumSystem, QuorumsUnusable> => {
  const system = `majority of ${members.length}`
  const size = Math.floor(members.length / 2) + 1
  return Either.map(wellFormed(system, members), () => bySize(system, members, size, size))
}

/**
 * Members in a grid, row by row, first to last: a whole row prepares, a whole column accepts. Each batch is the work of a few
 * (Howard, Malkhi, Spiegelman, *Flexible Paxos*, 2016, on grid quorums).
 *
 * @since 0.1.0
 * @category constructors
 */
export const grid = (
  members: ReadonlyArray<NodeId>,
  sizes: { readonly rows: number; readonly columns: number }
): Made => {
  const { columns, rows } = sizes
  const name = `grid of ${rows} by ${columns}`
  if (rows * columns !== members.length || !Number.isInteger(rows) || rows < 1) {
    const reason = `${rows} by ${columns} places are not those of ${members.length} members`
    return Either.left(new QuorumsUnusable({ system: name, reason }))
  }
  const lines = (count: number, node: (line: number, place: number) => number, length: number) =>
    Array.from({ length: count }, (_, line) => Array.from({ length }, (_, place) => members[node(line, place)]!))
  const prepare = lines(rows, (row, column) => row * columns + column, columns)
  const accept = lines(columns, (column, row) => row * columns + column, rows)
  return make({
    name,
    members,
    isPrepareQuorum: (_round, nodes) => holdsOneOf(prepare, nodes),
    isAcceptQuorum: (_round, nodes) => holdsOneOf(accept, nodes)
  })
}

/**
 * Members that count for more or less than others: so much weight prepares, so much accepts; more than half of all of it
 * unless told otherwise (Gifford, *Weighted Voting for Replicated Data*, 1979). A member of weight 0 has a journal and no say.
 *
 * @since 0.1.0
 * @category constructors
 */
export const weighted = (
  weights: ReadonlyMap<NodeId, number>,
  thresholds: { readonly prepare?: number; readonly accept?: number } = {}
): Made => {
  const members = Array.from(weights.keys())
  const total = Array.from(weights.values()).reduce((sum, weight) => sum + weight, 0)
  const { accept = Math.floor(total / 2) + 1, prepare = Math.floor(total / 2) + 1 } = thresholds
  const name = `weights ${Array.from(weights.values()).join(", ")} (prepare ${prepare}, accept ${accept})`
  for (const [node, weight] of weights) {
    if (Number.isInteger(weight) && weight >= 0) continue
    const reason = `the weight of node ${node}, ${weight}, is no whole number from 0 up`
    return Either.left(new QuorumsUnusable({ system: name, reason }))
  }
  const weigh = (nodes: ReadonlySet<NodeId>) => {
    let sum = 0
    for (const [node, weight] of weights) if (nodes.has(node)) sum += weight
    return sum
  }
  return make({
    name,
    members,
    isPrepareQuorum: (_round, nodes) => weigh(nodes) >= prepare,
    isAcceptQuorum: (_round, nodes) => weigh(nodes) >= accept
  })
}

/**
 * How many groups a quorum takes, and how many members of each of these; more than half of a group unless told otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Share {
  readonly groups: number
  readonly each?: number
}

/**
 * Members in groups that fail together, such as zones: so many of so many groups prepare, and so many of so many accept; more
 * than half of more than half of the groups unless told otherwise (Kumar, *Hierarchical Quorum Consensus*, 1991). With one
 * accepting group of three, and all three preparing, commands wait for nobody in another zone.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hierarchical = (
  groups: ReadonlyArray<ReadonlyArray<NodeId>>,
  shares: { readonly prepare?: Share; readonly accept?: Share } = {}
): Made => {
  const half: Share = { groups: Math.floor(groups.length / 2) + 1 }
  const { accept = half, prepare = half } = shares
  const tell = ({ each, groups }: Share) => `${each ?? "most"} of each of ${groups}`
  const name = `${groups.length} groups (prepare ${tell(prepare)}, accept ${tell(accept)})`
  const holds = ({ each, groups: enough }: Share, nodes: ReadonlySet<NodeId>) =>
    groups.filter(
      (group) => group.filter((node) => nodes.has(node)).length >= (each ?? Math.floor(group.length / 2) + 1)
    ).length >= enough
  return make({
    name,
    members: groups.flat(),
    isPrepareQuorum: (_round, nodes) => holds(prepare, nodes),
    isAcceptQuorum: (_round, nodes) => holds(accept, nodes)
  })
}

/**
 * Fast rounds, from 1 through `fast`, as many as there are members unless told otherwise: anybody prepares alone, and everybody
 * accepts, so that any node decides in one round trip while all are there. From then on majorities (Howard, *Distributed
 * Consensus Revised*, 2019, All Aboard).
 *
 * @since 0.1.0
 * @category constructors
 */
export const allAboard = (members: ReadonlyArray<NodeId>, options: { readonly fast?: number } = {}): Made => {
  const { fast = members.length } = options
  const name = `all aboard of ${members.length}, ${fast} fast rounds`
  if (!Number.isInteger(fast) || fast < 1) {
    return Either.left(new QuorumsUnusable({ system: name, reason: "there is no fast round" }))
  }
  const count = counting(members)
  const half = Math.floor(members.length / 2) + 1
  return make({
    name,
    members,
    changesAt: [fast + 1],
    isPrepareQuorum: (round, nodes) => count(nodes) >= (round <= fast ? 1 : half),
    isAcceptQuorum: (round, nodes) => count(nodes) >= (round <= fast ? members.length : half)
  })
}

/**
 * The quorums of some rounds, listed; whatever holds one of them is one too.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  /** The first round of the row, which ends before the next one; 1 in the first row. */
  readonly from: number
  readonly prepare: ReadonlyArray<ReadonlyArray<NodeId>>
  readonly accept: ReadonlyArray<ReadonlyArray<NodeId>>
}

/**
 * Any sets, others in other rounds: the quorum table of *A Generalised Solution to Distributed Consensus* (2019), with a row for each run of rounds. The last row goes on for ever.
 *
 * @since 0.1.0
 * @category constructors
 */
export const table = (members: ReadonlyArray<NodeId>, rows: ReadonlyArray<Row>): Made => {
  const name = `table of ${rows.length} ${rows.length === 1 ? "row" : "rows"}`
  const refuse = (reason: string) => Either.left(new QuorumsUnusable({ system: name, reason }))
  if (rows[0]?.from !== 1) return refuse("its first row does not begin with round 1")
  for (const { accept, from, prepare } of rows) {
    const stranger = [...prepare, ...accept].flat().find((node) => !members.includes(node))
    if (stranger !== undefined)
      return refuse(`the row from round ${from} on names node ${stranger}, which is no member`)
  }
  const rowOf = (round: number) => rows.findLast(({ from }) => from <= round) ?? rows[0]!
  return make({
    name,
    members,
    changesAt: rows.slice(1).map(({ from }) => from),
    isPrepareQuorum: (round, nodes) => holdsOneOf(rowOf(round).prepare, nodes),
    isAcceptQuorum: (round, nodes) => holdsOneOf(rowOf(round).accept, nodes)
  })
}

/**
 * A system of one's own: what two predicates say, which must not change but at the rounds named in `changesAt`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (system: Omit<QuorumSystem, "changesAt"> & { readonly changesAt?: ReadonlyArray<number> }): Made =>
  QuorumRule.check({ changesAt: [], ...system })

/**
 * The first round above this one in which the nodes are quorums of both phases, so that a ballot of it can do all its work
 * with them; none if there is no such round.
 *
 * @since 0.1.0
 * @category getters
 */
export const roundFor = (system: QuorumSystem, above: number, nodes: ReadonlySet<NodeId>): number | undefined =>
  [above + 1, ...system.changesAt.filter((round) => round > above + 1)].find(
    (round) => system.isPrepareQuorum(round, nodes) && system.isAcceptQuorum(round, nodes)
  )

const holdsOneOf = (sets: ReadonlyArray<ReadonlyArray<NodeId>>, nodes: ReadonlySet<NodeId>): boolean =>
  sets.some((set) => set.every((node) => nodes.has(node)))

const wellFormed = (system: string, members: ReadonlyArray<NodeId>): Either.Either<void, QuorumsUnusable> => {
  if (members.length === 0) return Either.left(new QuorumsUnusable({ system, reason: "there are no members" }))
  const twice = members.find((node, i) => members.indexOf(node) !== i)
  return twice === undefined
    ? Either.void
    : Either.left(new QuorumsUnusable({ system, reason: `node ${twice} is named twice` }))
}

const bySize = (name: string, members: ReadonlyArray<NodeId>, prepare: number, accept: number): QuorumSystem => {
  const count = counting(members)
  return {
    name,
    members,
    changesAt: [],
    isPrepareQuorum: (_round, nodes) => count(nodes) >= prepare,
    isAcceptQuorum: (_round, nodes) => count(nodes) >= accept
  }
}

/** How many of them are members. */
const counting =
  (members: ReadonlyArray<NodeId>) =>
  (nodes: ReadonlySet<NodeId>): number => {
    let n = 0
    for (const member of members) if (nodes.has(member)) n++
    return n
  }
