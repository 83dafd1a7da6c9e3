/**
 * Our own protocol as a model: the step functions that run in production, under everything a network and a machine may do
 * to them.
 *
 * What may happen, in any state:
 *
 * - any message that was ever sent to another node arrives. Sent messages are a set that only grows, so one that is late,
 *   that overtakes others, that comes twice or that never comes are all among the ways on;
 * - a node takes the next message that it sent to itself: these arrive once, in order, unless it crashes first;
 * - a node campaigns, whatever an election would say, or hears that another one made a ballot; a leader proposes; a clock ticks;
 * - a node crashes and comes back at once with what its journal holds. A crash between persist and send is among these:
 *   what was not sent is a message that never arrives.
 *
 * Bounded are the rounds of ballots, the slots, those in the pipeline, crashes, ticks, and who may campaign. An exhausted
 * search has seen every state within these bounds. Not modelled: how an election comes to its campaigns, rounds that confirm a
 * ballot for reads, and journals that break their word.
 *
 * Two things keep states few and lose none ({@link Options.collect} turns the second off). A refusal for a higher ballot is
 * not sent, since hearing of that ballot does the same. And a message is forgotten once it can have no effect, now or
 * later: one below its acceptor's promise, an answer to a ballot that its proposer has left for good, and a promise that a
 * leader has already. That rests on promises that never fall, which is itself checked in every state. There is no
 * reduction by symmetry.
 *
 * @since 0.1.0
 */
import * as Ballot from "@synod/paxos/Ballot"
import * as NodeId from "@synod/paxos/NodeId"
import * as Quorum from "@synod/paxos/Quorum"
import * as Either from "effect/Either"
import * as Nodes from "./internal/modelNodes.js"
import * as Oracle from "./internal/modelOracle.js"
import * as Parts from "./internal/modelParts.js"
import * as Text from "./internal/modelText.js"
import type * as ModelCheck from "./ModelCheck.js"

/**
 * The functions under test; a mutant replaces one.
 *
 * @since 0.1.0
 * @category models
 */
export type Roles = Parts.Roles

/**
 * The step functions of `@synod/paxos`.
 *
 * @since 0.1.0
 * @category constants
 */
export const production: Roles = Parts.production

/**
 * How much of the protocol's world is searched.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly quorums: Quorum.QuorumSystem
  /** The nodes that may campaign. */
  readonly proposers: ReadonlyArray<NodeId.NodeId>
  /** The highest round of a ballot. */
  readonly rounds: number
  /** The slots that leaders propose for. */
  readonly slots: number
  /** Crashes in one run, of all nodes together. */
  readonly crashes: number
  /** Ticks in one run, of all nodes together. */
  readonly ticks: number
  /** How many slots may be proposed and not yet chosen. */
  readonly pipeline: number
  /** Chosen slots that stay in memory; older ones are read from the journal. */
  readonly keep: number
  /** The size in bytes of one message in catching up; 1 means one entry each. */
  readonly chunk: number
  /** Forget messages that can have no effect any more. Without, searches take far more memory; what they find is the same. */
  readonly collect: boolean
  readonly roles: Roles
}

/**
 * One number for each node: what it holds and all that it has sent.
 *
 * @since 0.1.0
 * @category models
 */
export type State = ReadonlyArray<number>

/**
 * A node's position and what happens to it, in one number.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = number

/**
 * Three nodes, of which two may campaign.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Options = {
  quorums: Either.getOrThrow(Quorum.majority([1, 2, 3].map(NodeId.make))),
  proposers: [1, 2].map(NodeId.make),
  rounds: 1,
  slots: 2,
  crashes: 1,
  ticks: 0,
  pipeline: 1,
  keep: 0,
  chunk: 1,
  collect: true,
  roles: production
}

/**
 * Ticks without an answer after which a proposer looks elsewhere: none are needed to wait for what may never come.
 */
const patience = 0

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): ModelCheck.Model<State, Action> => {
  const { members } = options.quorums
  const nodes = Nodes.make({
    ...options,
    sizes: { chunk: options.chunk, keep: options.keep, patience, pipeline: options.pipeline }
  })
  const inputOf = (action: Action): number => Math.floor(action / members.length)
  const positionOf = (action: Action): number => action % members.length
  const actionOf = (position: number, input: number): Action => input * members.length + position
  const positions = new Map(members.map((node, i) => [node, i]))
  const proposers = options.proposers.map((node) => positions.get(node)!)

  /** The actions that one node alone makes possible: what it does, and what it has sent or made that may reach others. */
  const fromNode = (node: number, position: number): ReadonlyArray<Action> => {
    const { campaign, observe, own, propose, receive } = Nodes.inputs
    const does = [own, ...(proposers.includes(position) ? [campaign, propose] : [])]
      .filter((input) => nodes.step(node, input) !== node)
      .map((input) => actionOf(position, input))
    const sent = nodes.sentBy(node).map((id) => actionOf(positions.get(nodes.message(id).to)!, receive + id))
    const rounds = Array.from({ length: options.rounds }, (_, round) => round)
    const heard = proposers
      .filter((other) => other !== position)
      .flatMap((other) =>
        rounds
          .filter((round) => (nodes.at(node).made & (1 << round)) !== 0)
          .map((round) => actionOf(other, observe + position * options.rounds + round))
      )
    return [...does, ...sent, ...heard]
  }
  // A node is at one position only, so its number is enough to know them by.
  const known: Array<ReadonlyArray<Action>> = []

  const actions = (state: State): ReadonlyArray<Action> => {
    const possible: Array<Action> = []
    let crashes = 0
    let ticks = 0
    for (let position = 0; position < state.length; position++) {
      const node = state[position]!
      for (const action of (known[node] ??= fromNode(node, position))) possible.push(action)
      crashes += nodes.at(node).crashes
      ticks += nodes.at(node).ticks
    }
    if (ticks < options.ticks) for (const position of proposers) possible.push(actionOf(position, Nodes.inputs.tick))
    if (crashes < options.crashes) {
      for (const position of members.keys()) possible.push(actionOf(position, Nodes.inputs.crash))
    }
    return possible
  }

  const next = (state: State, action: Action): State | undefined => {
    const position = positionOf(action)
    const before = state[position]!
    const after = nodes.step(before, inputOf(action))
    if (after === before) return undefined
    return options.collect ? collected(state, position, after) : state.with(position, after)
  }

  /** Without the messages, from and to the node that changed, that died with the change. */
  const collected = (state: State, position: number, after: number): State => {
    const next = state.with(position, after)
    const horizon = nodes.horizonOf(after)
    const moved = horizon !== nodes.horizonOf(state[position]!)
    for (let other = 0; other < next.length; other++) {
      next[position] = nodes.trim(next[position]!, other === position ? horizon : nodes.horizonOf(next[other]!))
      if (moved && other !== position) next[other] = nodes.trim(next[other]!, horizon)
    }
    return next
  }

  return {
    name: nameOf(options),
    initial: [members.map(nodes.fresh)],
    actions,
    next,
    width: members.length,
    encode: (state) => state,
    decode: (words) => words,
    properties: propertiesOf(options, nodes),
    describeAction: (before, action, after) => {
      const position = positionOf(action)
      return describeAction(members[position]!, inputOf(action), before[position]!, after[position]!, nodes)
    },
    describeState: (state) => state.map((node) => describeNode(node, nodes))
  }
}

const nameOf = ({ crashes, pipeline, proposers, quorums, rounds, slots, ticks }: Options): string =>
  `Synod's core, ${quorums.name}, ${proposers.length} proposers, rounds ${rounds}, slots ${slots}, pipeline ${pipeline}, crashes ${crashes}, ticks ${ticks}`

const propertiesOf = (options: Options, nodes: Nodes.Nodes): ReadonlyArray<ModelCheck.Property<State>> => {
  const judgementOf = judge(options, nodes)
  const stores = (state: State) => state.map(nodes.storeOf)
  const leading = (state: State) =>
    state.map((node) => nodes.proposalOf(node).state).filter((proposer) => proposer._tag === "Leading")
  const slots = Array.from({ length: options.slots }, (_, i) => i + 1)
  const properties = [
    always("no slot is chosen with two entries", (state) => !judgementOf(state).disagreement),
    always("logs accepted at one ballot begin alike", (state) => !judgementOf(state).forked),
    always("what a node applies or believes chosen is chosen, in order", (state) => judgementOf(state).truthful),
    always("a promise never falls", (state) => judgementOf(state).kept),
    always("the invariants of every role hold", (state) => judgementOf(state).sound),
    ...slots.map((slot) => sometimes(`slot ${slot} is chosen`, (state) => judgementOf(state).chosen >= slot)),
    sometimes("two nodes lead at once", (state) => leading(state).length > 1),
    sometimes("a leader adopts what an older one proposed", (state) =>
      leading(state).some(({ adopted }) => adopted.acceptedThrough > 0)
    )
  ]
  if (options.crashes === 0) return properties
  const caughtUp = ({ acceptor, recovered }: Parts.Store) =>
    recovered !== undefined && acceptor.chosenThrough > recovered
  return [...properties, sometimes("a node that crashed catches up", (state) => stores(state).some(caughtUp))]
}

const always = (name: string, holds: (state: State) => boolean): ModelCheck.Property<State> => ({
  kind: "Always",
  name,
  holds
})

const sometimes = (name: string, holds: (state: State) => boolean): ModelCheck.Property<State> => ({
  kind: "Sometimes",
  name,
  holds
})

/** What each node says is looked up by its number, and what follows from it once for all properties of a state. */
const judge = (options: Options, nodes: Nodes.Nodes): ((state: State) => Oracle.Judgement) => {
  const oracle = Oracle.make(options.quorums)
  const heard: Array<number> = []
  const hear = (node: number): number => (heard[node] ??= oracle.hear(nodes.storeOf(node), nodes.proposalOf(node)))
  let last: { readonly state: State; readonly judgement: Oracle.Judgement } | undefined
  return (state) => {
    if (last?.state !== state) last = { state, judgement: oracle.judge(state.map(hear)) }
    return last.judgement
  }
}

const describeAction = (
  node: NodeId.NodeId,
  input: number,
  before: number,
  after: number,
  nodes: Nodes.Nodes
): string => {
  const news = (of: (node: number) => ReadonlyArray<number>) => of(after).filter((id) => !of(before).includes(id))
  const said = [...news(nodes.sentBy), ...news(nodes.ownOf)].map((id) => {
    const { body, to } = nodes.message(id)
    return `\n       says to ${to === node ? "itself" : to}: ${Text.message(body)}`
  })
  return `node ${node} ${happening(input, before, nodes)}${said.join("")}`
}

const happening = (input: number, before: number, nodes: Nodes.Nodes): string => {
  switch (input) {
    case Nodes.inputs.campaign:
      return "campaigns"
    case Nodes.inputs.propose:
      return "proposes"
    case Nodes.inputs.tick:
      return "ticks"
    case Nodes.inputs.crash:
      return "crashes and comes back with what its journal holds"
    case Nodes.inputs.own:
      return `hears from itself: ${Text.message(nodes.message(nodes.ownOf(before)[0]!).body)}`
    default: {
      if (input < Nodes.inputs.receive) return "hears that another node made a higher ballot"
      const { body, from } = nodes.message(input - Nodes.inputs.receive)
      return `hears from ${from}: ${Text.message(body)}`
    }
  }
}

const describeNode = (node: number, nodes: Nodes.Nodes): string => {
  const { acceptor, applied, broken, journal, node: name } = nodes.storeOf(node)
  const proposal = nodes.proposalOf(node)
  const flaw = broken ?? proposal.broken
  return [
    `node ${name}: promised ${Ballot.format(acceptor.promised)}`,
    `accepted ${Text.labels(journal.entries)} at ${Ballot.format(acceptor.acceptedBallot)}`,
    `applied ${Text.labels(applied)}`,
    Text.proposer(proposal.state),
    ...(flaw === undefined ? [] : [`broken: ${flaw}`])
  ].join("; ")
}
