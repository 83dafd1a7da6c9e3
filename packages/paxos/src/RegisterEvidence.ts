/**
 * What follows from what the acceptors of a register hold.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type { NodeId } from "./NodeId.js"
import type { QuorumSystem } from "./QuorumSystem.js"
import * as Register from "./Register.js"
import type * as Message from "./RegisterMessage.js"

/**
 * What was accepted at the highest ballot, if anything was.
 *
 * @since 0.1.0
 * @category getters
 */
export const highest = (cells: Iterable<Register.Cell | null>): Register.Cell | undefined => {
  let best: Register.Cell | undefined
  for (const cell of cells) {
    if (cell !== null && (best === undefined || Ballot.lessThan(best.ballot, cell.ballot))) best = cell
  }
  return best
}

/**
 * The same value on an accept quorum, at one ballot: it is decided, whether or not anybody knows.
 *
 * @since 0.1.0
 * @category getters
 */
export const decided = (
  { isAcceptQuorum }: QuorumSystem,
  held: ReadonlyMap<NodeId, Message.Held>
): Register.Cell | undefined => {
  for (const { accepted } of held.values()) {
    if (accepted === null) continue
    const nodes = Array.from(held.keys()).filter((node) => isSame(held.get(node)!.accepted, accepted))
    if (isAcceptQuorum(accepted.ballot.round, new Set(nodes))) return accepted
  }
  return undefined
}

const isSame = (a: Register.Cell | null, b: Register.Cell): boolean =>
  a !== null && Ballot.equals(a.ballot, b.ballot) && Register.equals(a.value, b.value)

/**
 * Does every accept quorum of every round have one of these nodes? If none of them has accepted anything, nothing is decided.
 *
 * @since 0.1.0
 * @category getters
 */
export const isBlocking = (
  { changesAt, isAcceptQuorum, members }: QuorumSystem,
  nodes: ReadonlySet<NodeId>
): boolean => {
  const others = new Set(members.filter((node) => !nodes.has(node)))
  return [1, ...changesAt].every((round) => !isAcceptQuorum(round, others))
}
