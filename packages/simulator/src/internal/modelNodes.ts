/**
 * Nodes by number: a node is its store, its proposer, all messages it has ever sent, and how often it crashed and ticked.
 *
 * A step of production code is taken once for each pair of part and input, and looked up ever after. That is what lets a
 * whole cluster be three small integers, and what makes millions of states a minute possible.
 */
import * as Ballot from "@synod/paxos/Ballot"
import type * as Message from "@synod/paxos/Message"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Proposer from "@synod/paxos/Proposer"
import type { QuorumSystem } from "@synod/paxos/Quorum"
import * as Slot from "@synod/paxos/Slot"
import * as Parts from "./modelParts.js"
import * as Text from "./modelText.js"
import * as Interned from "./interned.js"
import * as PairMap from "./pairMap.js"

export interface Sent {
  readonly from: NodeId
  readonly to: NodeId
  readonly body: Message.ToAcceptor | Message.ToProposer
}

export interface Node {
  readonly store: number
  readonly proposal: number
  readonly outbox: number
  /** Messages to itself, which no network can lose, repeat or reorder, and which a crash forgets. */
  readonly own: number
  /** The rounds of the ballots it has made, as bits: what others may hear of it at any later time. */
  readonly made: number
  readonly crashes: number
  readonly ticks: number
}

/**
 * What may happen to a node. That it hears of the ballot of round r by the member at position p is `observe` plus
 * p × {@link Options.rounds} + r - 1; that a message of another node arrives is `receive` plus the number of the message.
 */
export const inputs = { campaign: 0, propose: 1, tick: 2, crash: 3, own: 4, observe: 8, receive: 256 } as const

export interface Options {
  readonly quorums: QuorumSystem
  readonly sizes: Pick<Proposer.Options, "chunk" | "keep" | "patience" | "pipeline">
  readonly roles: Parts.Roles
  /** No node makes a ballot of a higher round. */
  readonly rounds: number
  /** No leader proposes for a later slot. */
  readonly slots: number
}

export interface Nodes {
  readonly fresh: (node: NodeId) => number
  /** The node afterwards; the same number if nothing changes, or if the input is out of bounds. */
  readonly step: (node: number, input: number) => number
  readonly at: (node: number) => Node
  readonly storeOf: (node: number) => Parts.Store
  readonly proposalOf: (node: number) => Parts.Proposal
  /** The numbers of all messages that a node has ever sent. */
  readonly sentBy: (node: number) => ReadonlyArray<number>
  /** The numbers of the messages to itself that it has still to take. */
  readonly ownOf: (node: number) => ReadonlyArray<number>
  readonly message: (id: number) => Sent
  /** The number of what decides which messages to a node are dead. */
  readonly horizonOf: (node: number) => number
  /** The node without the messages it sent that are dead beyond a horizon. */
  readonly trim: (node: number, horizon: number) => number
}

/** What of a node decides which messages to it can have no effect any more. */
interface Horizon {
  readonly node: NodeId
  readonly promised: Ballot.Ballot
  /** The ballot it prepares or leads, and, if it leads, those that it has a promise of. */
  readonly at: Ballot.Ballot
  readonly joined: ReadonlyArray<NodeId>
}

export const make = (options: Options): Nodes => {
  const { quorums, roles, rounds, sizes } = options
  const most = Math.min(30, Math.floor((inputs.receive - inputs.observe) / quorums.members.length))
  if (rounds > most) throw new RangeError(`rounds: ${rounds} is more than the ${most} that a model can have`)
  const stores = Interned.make<Parts.Store>(Text.keyOf)
  const proposals = Interned.make<Parts.Proposal>(Text.keyOf)
  const messages = Interned.make<Sent>(Text.keyOf)
  const outboxes = Interned.make<ReadonlyArray<number>>((ids) => ids.join(" "))
  const nodes = Interned.make<Node>(({ crashes, made, outbox, own, proposal, store, ticks }) =>
    [store, proposal, outbox, own, made, crashes, ticks].join(" ")
  )
  const proposerInputs = Interned.make<Proposer.Input>(Text.keyOf)

  const send = PairMap.memo((outbox, message) => {
    const known = outboxes.at(outbox)
    return known.includes(message) ? outbox : outboxes.idOf([...known, message].sort((a, b) => a - b))
  })

  const sent = (node: Node, ids: ReadonlyArray<number>): Node => {
    const toOthers = ids.filter((id) => messages.at(id).to !== messages.at(id).from)
    const toItself = ids.filter((id) => messages.at(id).to === messages.at(id).from)
    return {
      ...node,
      outbox: toOthers.reduce(send, node.outbox),
      own: outboxes.idOf([...outboxes.at(node.own), ...toItself])
    }
  }

  const proposer = PairMap.memo((proposal, input) => {
    const { node } = proposals.at(proposal)
    const given = { ...sizes, self: node, quorums }
    const next = Parts.propose(proposals.at(proposal), proposerInputs.at(input), given, roles)
    return {
      proposal: proposals.idOf(next.proposal),
      sends: next.sends.map(({ message, to }) => messages.idOf({ from: node, to, body: message }))
    }
  })

  const acceptor = PairMap.memo((store, message) => {
    const { body, from } = messages.at(message)
    if (!isToAcceptor(body)) throw new TypeError(`a ${body._tag} is for a proposer`)
    const turn = Parts.accept(stores.at(store), body, sizes, roles)
    const { node } = turn.store
    return {
      store: stores.idOf(turn.store),
      replies: turn.replies
        .filter(isHeardOtherwise)
        .map((reply) => messages.idOf({ from: node, to: from, body: reply })),
      observed: turn.observed
    }
  })

  const horizons = Interned.make<Horizon>(Text.keyOf)
  const horizon: Array<number> = []
  const horizonOf = (node: Node): Horizon => {
    const { acceptor, node: name } = stores.at(node.store)
    const { state } = proposals.at(node.proposal)
    return {
      node: name,
      promised: acceptor.promised,
      at: state._tag === "Following" ? Ballot.zero : state.ballot,
      joined:
        state._tag === "Leading"
          ? Array.from(state.followers.keys()).filter((node) => state.followers.get(node)!.mode !== "Unknown")
          : []
    }
  }
  const trim = PairMap.memo((node, id) => {
    const { outbox, own, ...rest } = nodes.at(node)
    const alive = (ids: number) =>
      outboxes.idOf(outboxes.at(ids).filter((message) => !isDead(messages.at(message), horizons.at(id))))
    return nodes.idOf({ ...rest, outbox: alive(outbox), own: alive(own) })
  })

  const propose = (node: Node, input: Proposer.Input): Node => {
    const { proposal, sends } = proposer(node.proposal, proposerInputs.idOf(input))
    return sent({ ...node, proposal }, sends)
  }

  const receive = (node: Node, message: number): Node => {
    const { body, from } = messages.at(message)
    if (!isToAcceptor(body)) return propose(node, { _tag: "Receive", from, message: body })
    const { observed, replies, store } = acceptor(node.store, message)
    const next = sent({ ...node, store }, replies)
    return observed === undefined ? next : propose(next, { _tag: "Observe", ballot: observed })
  }

  const handle = (node: Node, input: number): Node => {
    const { broken, node: self, state } = proposals.at(node.proposal)
    if (broken !== undefined || stores.at(node.store).broken !== undefined) return node
    switch (input) {
      case inputs.campaign:
        return state.highest.round < rounds
          ? propose(
              { ...node, made: node.made | (1 << state.highest.round) },
              { _tag: "Campaign", above: state.highest }
            )
          : node
      case inputs.propose: {
        if (state._tag !== "Leading" || state.log.through >= options.slots) return node
        if (Proposer.capacity(state, { ...sizes, self, quorums }) === 0) return node
        const entry = Text.entry(state.ballot, Slot.plus(state.log.through, 1))
        return propose(node, { _tag: "Propose", entries: [entry] })
      }
      case inputs.tick:
        return { ...propose(node, { _tag: "Tick" }), ticks: node.ticks + 1 }
      case inputs.crash: {
        const store = Parts.restart(stores.at(node.store), roles)
        const restarted: Parts.Proposal = {
          node: self,
          state: Proposer.initial(store.acceptor.promised),
          broken: undefined
        }
        return {
          ...node,
          store: stores.idOf(store),
          proposal: proposals.idOf(restarted),
          own: outboxes.idOf([]),
          crashes: node.crashes + 1
        }
      }
      case inputs.own: {
        const [first, ...rest] = outboxes.at(node.own)
        return first === undefined ? node : receive({ ...node, own: outboxes.idOf(rest) }, first)
      }
      default: {
        if (input >= inputs.receive) return receive(node, input - inputs.receive)
        const nth = input - inputs.observe
        const round = 1 + (nth % rounds)
        const other = quorums.members[Math.floor(nth / rounds)]!
        return propose(node, { _tag: "Observe", ballot: Ballot.make(round, other) })
      }
    }
  }

  return {
    fresh: (node) =>
      nodes.idOf({
        store: stores.idOf(Parts.fresh(node, roles)),
        proposal: proposals.idOf({
          node,
          state: Proposer.initial(Parts.fresh(node, roles).promised),
          broken: undefined
        }),
        outbox: outboxes.idOf([]),
        own: outboxes.idOf([]),
        made: 0,
        crashes: 0,
        ticks: 0
      }),
    step: PairMap.memo((node, input) => nodes.idOf(handle(nodes.at(node), input))),
    at: nodes.at,
    storeOf: (node) => stores.at(nodes.at(node).store),
    proposalOf: (node) => proposals.at(nodes.at(node).proposal),
    sentBy: (node) => outboxes.at(nodes.at(node).outbox),
    ownOf: (node) => outboxes.at(nodes.at(node).own),
    message: messages.at,
    horizonOf: (node) => (horizon[node] ??= horizons.idOf(horizonOf(nodes.at(node)))),
    trim
  }
}

/**
 * A refusal that names a higher ballot does to a proposer what hearing of that ballot does, and anybody may hear of any
 * ballot that was made, at any time: it need not be sent.
 */
const isHeardOtherwise = (reply: Message.ToProposer): boolean =>
  reply._tag !== "Rejected" || !Ballot.greaterThan(reply.promised, reply.ballot)

/**
 * Can this message have no effect any more, now or later? To an acceptor, if its promise, which never falls, is above it: it would
 * only refuse. To a proposer, if it left the ballot for good, which it has once its own acceptor promised that ballot; and a
 * promise, once it has one of that node and leads.
 */
const isDead = ({ body, from, to }: Sent, { at, joined, node, promised }: Horizon): boolean => {
  if (to !== node) return false
  if (isToAcceptor(body)) return Ballot.lessThan(body.ballot, promised)
  return Ballot.equals(body.ballot, at)
    ? body._tag === "Promise" && joined.includes(from)
    : !Ballot.greaterThan(body.ballot, promised)
}

const isToAcceptor = (body: Sent["body"]): body is Message.ToAcceptor =>
  body._tag === "Prepare" || body._tag === "Accept" || body._tag === "Fetch" || body._tag === "Behind"
