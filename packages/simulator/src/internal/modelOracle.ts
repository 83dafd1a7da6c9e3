/**
 * The judge: what is chosen follows from what quorums have accepted at one ballot, and from nothing that a node claims.
 */
import * as Ballot from "@synod/paxos/Ballot"
import type { Entry } from "@synod/paxos/Entry"
import type { NodeId } from "@synod/paxos/NodeId"
import type { QuorumSystem } from "@synod/paxos/QuorumSystem"
import { numberOf, type Proposal, type Store, type Vote } from "./modelParts.js"
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
  /** The epoch that its acceptor is in. */
  readonly epoch: number
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
  /** How many epochs have ended: their stop signs are chosen. */
  readonly ended: number
  /** Something is chosen in an epoch behind its stop sign. */
  readonly overran: boolean
  /** Nobody is in an epoch that has not begun. */
  readonly timely: boolean
}

export interface Oracle {
  /** The number of what a node says; far fewer than nodes. */
  readonly hear: (store: Store, proposal: Proposal) => number
  /** All nodes, in the order of the members. */
  readonly judge: (testimonies: ReadonlyArray<number>) => Judgement
}

/** `quorums` are those of the epochs, in order. */
export const make = (quorums: ReadonlyArray<QuorumSystem>, members: ReadonlyArray<NodeId>): Oracle => {
  const testimonies = Interned.make<Testimony>(Text.keyOf)
  const groups = Interned.make<ReadonlyArray<number>>((ids) => ids.join(" "))
  const nobody = groups.idOf([])
  const join = PairMap.memo((group, testimony) => groups.idOf([...groups.at(group), testimony]))
  const judgements: Array<Judgement> = []
  return {
    hear: (store, proposal) => testimonies.idOf(testify(store, proposal)),
    judge: (ids) => {
      const group = ids.reduce(join, nobody)
      return (judgements[group] ??= judge(ids.map(testimonies.at), quorums, members))
    }
  }
}

const testify = ({ acceptor, applied, broken, journal, promised, votes }: Store, proposal: Proposal): Testimony => ({
  votes,
  applied: applied.map(Text.label),
  known: journal.entries.slice(0, acceptor.chosenThrough).map(Text.label),
  counted: proposal.state._tag === "Leading" ? proposal.state.chosenThrough : 0,
  kept: !Ballot.lessThan(acceptor.promised, promised),
  broken: broken !== undefined || proposal.broken !== undefined,
  epoch: numberOf(acceptor)
})

const judge = (
  nodes: ReadonlyArray<Testimony>,
  quorums: ReadonlyArray<QuorumSystem>,
  members: ReadonlyArray<NodeId>
): Judgement => {
  const { chosen, disagreement, ended, forked, overran } = count(nodes, quorums, members)
  const isChosen = (entries: ReadonlyArray<string>) => entries.every((entry, i) => entry === chosen[i])
  return {
    chosen: chosen.length,
    disagreement,
    forked,
    truthful: nodes.every(
      ({ applied, counted, known }) => isChosen(applied) && isChosen(known) && counted <= chosen.length
    ),
    kept: nodes.every(({ kept }) => kept),
    sound: nodes.every(({ broken }) => !broken),
    ended,
    overran,
    timely: nodes.every(({ epoch }) => epoch <= ended + 1)
  }
}

const count = (
  nodes: ReadonlyArray<Testimony>,
  quorums: ReadonlyArray<QuorumSystem>,
  members: ReadonlyArray<NodeId>
) => {
  const chosen: Array<string> = []
  const ends = new Set<number>()
  let disagreement = false
  let forked = false
  let overran = false
  for (const { after, epoch, logs, round } of byBallot(nodes)) {
    const longest = logs.reduce((a, b) => (a.length >= b.length ? a : b), [])
    for (const log of logs) forked ||= log.some((entry, i) => Text.label(entry) !== Text.label(longest[i]!))
    for (let i: number = after; i < longest.length; i++) {
      const entry = Text.label(longest[i]!)
      const voters = members.filter((_, node) => logs[node]![i] !== undefined && Text.label(logs[node]![i]!) === entry)
      if (quorums[epoch - 1]?.isAcceptQuorum(round, new Set(voters)) !== true) break
      chosen[i] ??= entry
      disagreement ||= chosen[i] !== entry
      overran ||= i > after && longest[i - 1]!._tag === "StopSign"
      if (longest[i]!._tag === "StopSign") ends.add(epoch)
    }
  }
  // A slot in front of which one is not chosen is a hole that no honest log has.
  const whole = Array.from(chosen, (entry) => entry ?? "nothing")
  return { chosen: whole, disagreement, forked, overran, ended: ends.size }
}

/** The logs that were accepted at one ballot of an epoch, one for each node, empty where it accepted nothing. */
interface Cast {
  readonly epoch: number
  readonly after: number
  readonly round: number
  readonly logs: Array<ReadonlyArray<Entry>>
}

const byBallot = (nodes: ReadonlyArray<Testimony>): Iterable<Cast> => {
  const ballots = new Map<string, Cast>()
  for (const [i, { votes }] of nodes.entries()) {
    for (const { after, ballot, epoch, log } of votes) {
      const name = `${epoch}/${after}/${Ballot.format(ballot)}`
      const cast = ballots.get(name) ?? { epoch, after, round: ballot.round, logs: nodes.map(() => []) }
      ballots.set(name, cast)
      cast.logs[i] = log
    }
  }
  return ballots.values()
}
