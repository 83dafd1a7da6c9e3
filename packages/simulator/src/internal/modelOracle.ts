/**
 * The judge: what is chosen follows from what quorums have accepted at one ballot, and from nothing that a node claims.
 */
import * as Ballot from "@synod/paxos/Ballot"
import type { QuorumSystem } from "@synod/paxos/Quorum"
import type { Proposal, Store, Vote } from "./modelParts.js"
import * as Text from "./modelText.js"
import * as Interned from "./interned.js"
import * as PairMap from "./pairMap.js"

/** All of a node that a judgement depends on. */
interface Testimony {
  readonly votes: ReadonlyArray<Vote>
  readonly applied: ReadonlyArray<string>
  /** What its acceptor believes to be chosen. */
  readonly known: ReadonlyArray<string>
  /** How far its proposer, if it leads, believes its log to be chosen. */
  readonly counted: number
  readonly kept: boolean
  readonly broken: boolean
}

export interface Judgement {
  /** How many slots are chosen. */
  readonly chosen: number
  /** A slot is chosen with two entries. */
  readonly disagreement: boolean
  /** Of two logs accepted at one ballot neither begins with the other. */
  readonly forked: boolean
  /** All that nodes applied, or believe to be chosen, is. */
  readonly truthful: boolean
  /** No promise has fallen. */
  readonly kept: boolean
  /** No node is broken. */
  readonly sound: boolean
}

export interface Oracle {
  /** The number of what a node says; far fewer than nodes. */
  readonly hear: (store: Store, proposal: Proposal) => number
  /** All nodes, in the order of the quorum system's members. */
  readonly judge: (testimonies: ReadonlyArray<number>) => Judgement
}

export const make = (quorums: QuorumSystem): Oracle => {
  const testimonies = Interned.make<Testimony>(Text.keyOf)
  const groups = Interned.make<ReadonlyArray<number>>((ids) => ids.join(" "))
  const nobody = groups.idOf([])
  const join = PairMap.memo((group, testimony) => groups.idOf([...groups.at(group), testimony]))
  const judgements: Array<Judgement> = []
  return {
    hear: (store, proposal) => testimonies.idOf(testify(store, proposal)),
    judge: (ids) => {
      const group = ids.reduce(join, nobody)
      return (judgements[group] ??= judge(ids.map(testimonies.at), quorums))
    }
  }
}

const testify = ({ acceptor, applied, broken, journal, promised, votes }: Store, proposal: Proposal): Testimony => ({
  votes,
  applied: applied.map(Text.label),
  known: journal.entries.slice(0, acceptor.chosenThrough).map(Text.label),
  counted: proposal.state._tag === "Leading" ? proposal.state.chosenThrough : 0,
  kept: !Ballot.lessThan(acceptor.promised, promised),
  broken: broken !== undefined || proposal.broken !== undefined
})

const judge = (nodes: ReadonlyArray<Testimony>, quorums: QuorumSystem): Judgement => {
  const { chosen, disagreement, forked } = count(nodes, quorums)
  const isChosen = (entries: ReadonlyArray<string>) => entries.every((entry, i) => entry === chosen[i])
  return {
    chosen: chosen.length,
    disagreement,
    forked,
    truthful: nodes.every(
      ({ applied, counted, known }) => isChosen(applied) && isChosen(known) && counted <= chosen.length
    ),
    kept: nodes.every(({ kept }) => kept),
    sound: nodes.every(({ broken }) => !broken)
  }
}

const count = (nodes: ReadonlyArray<Testimony>, quorums: QuorumSystem) => {
  const chosen: Array<string> = []
  let disagreement = false
  let forked = false
  for (const [round, logs] of byBallot(nodes)) {
    const longest = logs.reduce((a, b) => (a.length >= b.length ? a : b), [])
    for (const log of logs) forked ||= log.some((entry, i) => entry !== longest[i])
    for (const [i, entry] of longest.entries()) {
      const voters = quorums.members.filter((_, node) => logs[node]![i] === entry)
      if (!quorums.isAcceptQuorum(round, new Set(voters))) break
      chosen[i] ??= entry
      disagreement ||= chosen[i] !== entry
    }
  }
  return { chosen, disagreement, forked }
}

/** Each ballot's logs, one for each node, empty where it accepted nothing. */
const byBallot = (
  nodes: ReadonlyArray<Testimony>
): Iterable<readonly [round: number, logs: Array<ReadonlyArray<string>>]> => {
  const ballots = new Map<string, readonly [round: number, logs: Array<ReadonlyArray<string>>]>()
  for (const [i, { votes }] of nodes.entries()) {
    for (const { ballot, log } of votes) {
      const name = Ballot.format(ballot)
      const cast = ballots.get(name) ?? ([ballot.round, nodes.map(() => [])] as const)
      ballots.set(name, cast)
      cast[1][i] = log.map(Text.label)
    }
  }
  return ballots.values()
}
