/**
 * Our own protocol as a model: the step functions that run in production, under everything a network and a machine may do
 * to them.
 *
 * What may happen, in any state:
 *
 * - any message that was ever sent to another node arrives. Sent messages are a set that only grows, so one that is late,
 *   that overtakes others, that comes twice or that never comes are all among the ways on;
 * - a node takes the next message that it sent to itself: these arrive once, in order, unless it crashes first;
 * - a node campaigns, whatever an election would say, or hears that another one made a ballot; a leader proposes, an entry or, if
 *   members are to change ({@link Options.changes}), a stop sign; a clock ticks;
 * - a node in an earlier epoch learns from any other how that epoch ended, whenever it asked ({@link Options.changes});
 * - a node crashes and comes back at once with what its journal holds. A crash between persist and send is among these:
 *   what was not sent is a message that never arrives.
 *
 * Bounded are the rounds of ballots, the slots, those in the pipeline, crashes, ticks, and who may campaign. An exhausted
 * search has seen every state within these bounds. Not modelled: how an election comes to its campaigns, rounds that confirm a
 * ballot for reads, journals that break their word, and lessons that end before a stop sign does.
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
import * as Membership from "@synod/paxos/Membership"
import * as NodeId from "@synod/paxos/NodeId"
import * as Quorum from "@synod/paxos/Quorum"
import * as QuorumSpec from "@synod/paxos/QuorumSpec"
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
  /** Of the first epoch, beside the voters, who are the members of the quorum system. */
  readonly learners: ReadonlyArray<NodeId.NodeId>
  /** What the members of each epoch are to become: as many epochs may end. */
  readonly changes: ReadonlyArray<Membership.Membership>
  /** The nodes that may campaign, in whichever epoch they vote. */
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
  learners: [],
  changes: [],
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

const voting = (voters: ReadonlyArray<number>): Membership.Membership => ({
  voters: voters.map(NodeId.make),
  learners: [],
  quorums: QuorumSpec.majority
})

/**
 * A member leaves: nodes 1, 2 and 3 vote in the first epoch, nodes 2 and 3 in the second.
 *
 * @since 0.1.0
 * @category constants
 */
export const leaving: Options = { ...defaults, changes: [voting([2, 3])], proposers: [NodeId.make(2)] }

/**
 * A member takes the place of another: nodes 1 and 2 vote in the first epoch, while node 3 learns; nodes 2 and 3 in the second.
 *
 * @since 0.1.0
 * @category constants
 */
export const replacing: Options = {
  ...defaults,
  quorums: Either.getOrThrow(Quorum.majority([1, 2].map(NodeId.make))),
  learners: [NodeId.make(3)],
  changes: [voting([2, 3])],
  crashes: 0,
  // Learners are first told when time passes.
  ticks: 1
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
  const founders: Membership.Membership = {
    voters: options.quorums.members,
    learners: options.learners,
    quorums: QuorumSpec.majority
  }
  const members = Array.from(new Set([founders, ...options.changes].flatMap(Membership.nodes)))
  const rounds = options.rounds * (1 + options.changes.length)
  const nodes = Nodes.make({
    ...options,
    founders,
    members,
    sizes: { chunk: options.chunk, keep: options.keep, patience, pipeline: options.pipeline }
  })
  const inputOf = (action: Action): number => Math.floor(action / members.length)
  const positionOf = (action: Action): number => action % members.length
  const actionOf = (position: number, input: number): Action => input * members.length + position
  const positions = new Map(members.map((node, i) => [node, i]))
  const proposers = options.proposers.map((node) => positions.get(node)!)

  /** The actions that one node alone makes possible: what it does, and what it has sent or made that may reach others. */
  const fromNode = (node: number, position: number): ReadonlyArray<Action> => {
    const { campaign, change, observe, own, propose, receive } = Nodes.inputs
    const does = [own, ...(proposers.includes(position) ? [campaign, propose, change] : [])]
      .filter((input) => nodes.step(node, input) !== node)
      .map((input) => actionOf(position, input))
    const sent = nodes.sentBy(node).map((id) => actionOf(positions.get(nodes.message(id).to)!, receive + id))
    const heard = proposers
      .filter((other) => other !== position)
      .flatMap((other) =>
        Array.from({ length: rounds }, (_, nth) => nth)
          .filter((nth) => (nodes.at(node).made & (1 << nth)) !== 0)
          .map((nth) => actionOf(other, observe + position * rounds + nth))
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
    properties: propertiesOf(options, members, nodes),
    describeAction: (before, action, after) => {
      const position = positionOf(action)
      return describeAction(members[position]!, inputOf(action), before[position]!, after[position]!, nodes)
    },
    describeState: (state) => state.map((node) => describeNode(node, nodes))
  }
}

const nameOf = ({ changes, crashes, pipeline, proposers, quorums, rounds, slots, ticks }: Options): string =>
  `Synod's core, ${quorums.name}, ${changes.map(({ voters }) => `then nodes ${voters.join(", ")}, `).join("")}${proposers.length} proposers, rounds ${rounds}, slots ${slots}, pipeline ${pipeline}, crashes ${crashes}, ticks ${ticks}`

const propertiesOf = (
  options: Options,
  members: ReadonlyArray<NodeId.NodeId>,
  nodes: Nodes.Nodes
): ReadonlyArray<ModelCheck.Property<State>> => {
  const judgementOf = judge(options, members, nodes)
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
    sometimes("a leader adopts what an older one proposed", (state) =>
      leading(state).some(({ adopted }) => adopted.acceptedThrough > 0)
    )
  ]
  if (options.proposers.length > 1) {
    properties.push(sometimes("two nodes lead at once", (state) => leading(state).length > 1))
  }
  if (options.crashes > 0) {
    const caughtUp = ({ acceptor, recovered }: Parts.Store) =>
      recovered !== undefined && acceptor.chosenThrough > recovered
    properties.push(sometimes("a node that crashed catches up", (state) => stores(state).some(caughtUp)))
  }
  return options.changes.length === 0 ? properties : [...properties, ...ofEpochs(options, judgementOf, stores)]
}

/** What holds of epochs, and what is to be seen of them. */
const ofEpochs = (
  { changes }: Options,
  judgementOf: (state: State) => Oracle.Judgement,
  stores: (state: State) => ReadonlyArray<Parts.Store>
): ReadonlyArray<ModelCheck.Property<State>> => [
  always("nothing is chosen behind a stop sign", (state) => !judgementOf(state).overran),
  always("nobody enters an epoch before the one in front of it has ended", (state) => judgementOf(state).timely),
  ...changes.map((_, i) => sometimes(`epoch ${i + 1} ends`, (state) => judgementOf(state).ended > i)),
  sometimes("something is chosen in the last epoch", (state) =>
    stores(state).some(({ acceptor }) => {
      const { after, number } = acceptor.epochs.present
      return number > changes.length && acceptor.chosenThrough > after
    })
  )
]

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
const judge = (
  { changes, quorums }: Options,
  members: ReadonlyArray<NodeId.NodeId>,
  nodes: Nodes.Nodes
): ((state: State) => Oracle.Judgement) => {
  const later = changes.map((membership) => Either.getOrThrow(Membership.make(membership)))
  const oracle = Oracle.make([quorums, ...later], members)
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
    case Nodes.inputs.change:
      return "ends the epoch"
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
    `node ${name}: ${acceptor.epochs.present.number === 1 ? "" : `epoch ${acceptor.epochs.present.number}; `}promised ${Ballot.format(acceptor.promised)}`,
    `accepted ${Text.labels(journal.entries)} at ${Ballot.format(acceptor.acceptedBallot)}`,
    `applied ${Text.labels(applied)}`,
    Text.proposer(proposal.state),
    ...(flaw === undefined ? [] : [`broken: ${flaw}`])
  ].join("; ")
}
