/**
 * In which round a proposer of a register should try next, given whom it believes to be there.
 *
 * Rounds in which a member alone is a prepare quorum, before those that go on for ever, are fast (all aboard): they belong to the
 * members in turn, so that each has one of its own, prepares it by asking nobody but itself, and decides in one round trip while
 * everybody is there (Howard, *Distributed Consensus Revised*, 2019, All Aboard). Whoever is no member has no fast round.
 *
 * @since 0.1.0
 */
import type { NodeId } from "./NodeId.js"
import type { QuorumSystem } from "./QuorumSystem.js"

/**
 * A fast round?
 *
 * @since 0.1.0
 * @category rounds
 */
export const isFast = (quorums: QuorumSystem, round: number): boolean =>
  round < lasting(quorums) && quorums.members.some((node) => quorums.isPrepareQuorum(round, new Set([node])))

/**
 * Whose round it is, of a fast one.
 *
 * @since 0.1.0
 * @category rounds
 */
export const ownerOf = ({ members }: QuorumSystem, round: number): NodeId => members[(round - 1) % members.length]!

/**
 * The first round above this one in which these nodes are quorums of both phases, and of fast ones the first that belongs to
 * `owner`, if there is an owner. If there is none, the first of those that go on for ever, where all that it takes is that nodes
 * come back.
 *
 * @since 0.1.0
 * @category rounds
 */
export const next = (
  quorums: QuorumSystem,
  owner: NodeId | undefined,
  above: number,
  nodes: ReadonlySet<NodeId>
): number => {
  // What is a quorum does not change within a run of rounds, and its owners take turns within as many rounds as there are members.
  const starts = [above + 1, ...quorums.changesAt.filter((round) => round > above + 1)]
  for (const [i, start] of starts.entries()) {
    const round = isFast(quorums, start) ? own(quorums, owner, start) : start
    if (round === undefined || round >= (starts[i + 1] ?? Infinity)) continue
    if (quorums.isPrepareQuorum(round, nodes) && quorums.isAcceptQuorum(round, nodes)) return round
  }
  return Math.max(above + 1, lasting(quorums))
}

/** The first round from this one on that would be its own, and that it could prepare alone. */
const own = (quorums: QuorumSystem, owner: NodeId | undefined, start: number): number | undefined =>
  owner === undefined || !quorums.isPrepareQuorum(start, new Set([owner]))
    ? undefined
    : quorums.members.map((_, i) => start + i).find((round) => ownerOf(quorums, round) === owner)

/** From here on quorums stay the same for ever. */
const lasting = ({ changesAt }: QuorumSystem): number => changesAt.at(-1) ?? 1
