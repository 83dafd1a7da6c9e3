/**
 * The rule that makes a quorum system safe, checked set by set: every prepare quorum of a round meets every accept quorum of
 * that round and of all lower ones (Howard and Mortier, *A Generalised Solution to Distributed Consensus*, 2019, section 5).
 *
 * Two quorums that miss each other are one within the complement of the other, so that it is enough to look at each set and at
 * what it leaves. That takes all sets of members, so there may be no more than {@link most} of them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { NodeId } from "./NodeId.js"
import { type QuorumSystem, QuorumsMiss, QuorumsUnusable } from "./QuorumSystem.js"

/**
 * Members of a system that is checked set by set: 65,536 sets, some tens of milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const most = 16

/**
 * The system, if it is safe and can be used at all: all members together are a quorum for both phases in every round, and a
 * quorum stays one when more nodes join it.
 *
 * @since 0.1.0
 * @category checks
 */
export const check = (system: QuorumSystem): Either.Either<QuorumSystem, QuorumsMiss | QuorumsUnusable> => {
  const { changesAt, members, name } = system
  const unusable = (reason: string) => Either.left(new QuorumsUnusable({ system: name, reason }))
  if (members.length === 0) return unusable("there are no members")
  if (members.length > most) return unusable(`it has ${members.length} members, and ${most} can be checked`)
  const twice = members.find((node, i) => members.indexOf(node) !== i)
  if (twice !== undefined) return unusable(`node ${twice} is named twice`)
  const rounds = [1, ...changesAt]
  if (rounds.some((round, i) => !Number.isInteger(round) || (i > 0 && round <= rounds[i - 1]!))) {
    return unusable(`the rounds at which it changes, ${changesAt.join(", ")}, do not ascend from 2 on`)
  }
  const classes = rounds.map((round) => classOf(system, round))
  for (const [i, { accept, prepare, round }] of classes.entries()) {
    const odd = oddity(prepare, "prepare", members) ?? oddity(accept, "accept", members)
    if (odd !== undefined) return unusable(`in round ${round} ${odd}`)
    for (const lower of classes.slice(0, i + 1)) {
      const miss = missing(prepare, lower.accept)
      if (miss === undefined) continue
      return Either.left(
        new QuorumsMiss({
          system: name,
          prepare: nodesOf(miss.prepare, members),
          prepareRound: round,
          accept: nodesOf(miss.accept, members),
          acceptRound: lower.round
        })
      )
    }
  }
  return Either.right(system)
}

/** Sets of members, a bit for each, the first the lowest; which of them are quorums. */
type Quorums = Uint8Array

const classOf = ({ isAcceptQuorum, isPrepareQuorum, members }: QuorumSystem, round: number) => {
  const prepare = new Uint8Array(2 ** members.length)
  const accept = new Uint8Array(2 ** members.length)
  for (let bits = 0; bits < prepare.length; bits++) {
    const nodes = new Set(nodesOf(bits, members))
    prepare[bits] = isPrepareQuorum(round, nodes) ? 1 : 0
    accept[bits] = isAcceptQuorum(round, nodes) ? 1 : 0
  }
  return { round, prepare, accept }
}

/** What makes this no family of quorums. */
const oddity = (quorums: Quorums, kind: string, members: ReadonlyArray<NodeId>): string | undefined => {
  if (quorums.at(-1) === 0) return `all members together are no ${kind} quorum`
  if (quorums[0] === 1) return `nobody at all is ${kind === "accept" ? "an" : "a"} ${kind} quorum`
  for (let bits = 0; bits < quorums.length; bits++) {
    if (quorums[bits] === 0) continue
    for (let more = 1; more < quorums.length; more *= 2) {
      if (quorums[bits | more] === 1) continue
      const [less, larger] = [nodesOf(bits, members), nodesOf(bits | more, members)]
      return `{${less.join(", ")}} is ${kind === "accept" ? "an" : "a"} ${kind} quorum and {${larger.join(", ")}} is none`
    }
  }
  return undefined
}

/** Two quorums that share no node, each as small as can be, if there are any. */
const missing = (prepare: Quorums, accept: Quorums): { prepare: number; accept: number } | undefined => {
  const all = accept.length - 1
  for (let bits = 0; bits <= all; bits++) {
    if (accept[bits] === 1 && prepare[all & ~bits] === 1) {
      return { prepare: smallest(prepare, all & ~bits), accept: smallest(accept, bits) }
    }
  }
  return undefined
}

const smallest = (quorums: Quorums, bits: number): number => {
  let least = bits
  for (let one = 1; one < quorums.length; one *= 2) if (quorums[least & ~one] === 1) least &= ~one
  return least
}

const nodesOf = (bits: number, members: ReadonlyArray<NodeId>): ReadonlyArray<NodeId> =>
  members.filter((_, i) => (bits & (1 << i)) !== 0)
