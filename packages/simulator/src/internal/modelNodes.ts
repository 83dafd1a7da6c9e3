/**
 * Nodes by number: a node is its store, its proposer, all messages it has ever sent, and how often it crashed and ticked.
 *
 * A step of production code is taken once for each pair of part and input, and looked up ever after. That is what lets a
 * whole cluster be three small integers, and what makes millions of states a minute possible.
 */
import * as Ballot from "@synod/paxos/Ballot"
import * as Durable from "@synod/paxos/Durable"
import { isMember, type Membership } from "@synod/paxos/Membership"
import type * as Message from "@synod/paxos/Message"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Proposer from "@synod/paxos/Proposer"
import { nobody, type QuorumSystem } from "@synod/paxos/QuorumSystem"
import * as Slot from "@synod/paxos/Slot"
import * as Either from "effect/Either"
import * as Parts from "./modelParts.js"
import * as Text from "./modelText.js"
import * as Interned from "./interned.js"
import * as PairMap from "./pairMap.js"

export interface Sent {
  readonly from: NodeId
  readonly to: NodeId
  /** The number of the epoch in which it was sent. */
  readonly epoch: number
  readonly body: Message.ToAcceptor | Message.ToProposer | Message.Learned
}

export interface Node {
  readonly store: number
  readonly proposal: number
  readonly outbox: number
  /** Messages to itself, which no network can lose, repeat or reorder, and which a crash forgets. */
  readonly own: number
  /** The rounds of the ballots it has made in each epoch, as bits: what others may hear of it at any later time. */
  readonly made: number
  readonly crashes: number
  readonly ticks: number
}

/**
 * What may happen to a node. That it hears of the ballot of the nth round of all epochs (see {@link nthRound}) by the node at position p
 * is `observe` plus p × all rounds of all epochs + n; that a message of another node arrives is `receive` plus the number of the message.
 */
export const inputs = {
  campaign: 0,
  propose: 1,
  tick: 2,
  crash: 3,
  own: 4,
  change: 5,
  observe: 8,
  receive: 256
} as const

/** Rounds are counted through all epochs, from 0. */
export const nthRound = (epoch: number, round: number, rounds: number): number => (epoch - 1) * rounds + round - 1

export interface Options {
  /** Of the first epoch; who decides in later ones follows from their memberships. */
  readonly quorums: QuorumSystem
  /** What the members of each epoch are to become: as many as epochs may end. */
  readonly changes: ReadonlyArray<Membership>
  /** Of the first epoch: voters as {@link quorums} has them, and learners. */
  readonly founders: Membership
  /** All nodes there are. */
  readonly members: ReadonlyArray<NodeId>
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
  readonly epoch: number
  readonly promised: Ballot.Ballot
  /** The ballot it prepares or leads, and, if it leads, those that it has a promise of. */
  readonly at: Ballot.Ballot
  readonly joined: ReadonlyArray<NodeId>
}

export const make = (options: Options): Nodes => {
  const { changes, founders, members, roles, rounds, sizes } = options
  const epochs = 1 + changes.length
  const most = Math.floor(Math.min(30, (inputs.receive - inputs.observe) / members.length) / epochs)
  if (rounds > most) throw new RangeError(`rounds: ${rounds} is more than the ${most} that a model can have`)
  const memberships = [founders, ...changes]
  /** Who decides in each epoch, as nodes believe. */
  const believed = memberships.map((_, i) => (i === 0 ? options.quorums : roles.quorums(memberships.slice(0, i + 1))))
  /** What a proposer is given in an epoch; of a node that belongs to no cluster yet there is none. */
  const given = (node: NodeId, epoch: number): Proposer.Options => {
    const quorums = believed[epoch - 1] ?? nobody
    return { ...sizes, self: node, quorums, learners: memberships[epoch - 1]?.learners ?? [] }
  }
  const founded = Durable.founded(founders)
  const initially = (node: NodeId): Durable.Durable => (isMember(founders, node) ? founded : Durable.initial)
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
    const { epoch, node } = proposals.at(proposal)
    const next = Parts.propose(proposals.at(proposal), proposerInputs.at(input), given(node, epoch), roles)
    return {
      proposal: proposals.idOf(next.proposal),
      sends: next.sends.map(({ message, to }) => messages.idOf({ from: node, to, epoch, body: message }))
    }
  })

  const acceptor = PairMap.memo((store, message) => {
    const { body, epoch, from } = messages.at(message)
    if (!isToAcceptor(body) && body._tag !== "Learned") throw new TypeError(`a ${body._tag} is for a proposer`)
    const turn = Parts.accept(stores.at(store), body, sizes, roles)
    const { node } = turn.store
    const replies = turn.replies.filter(isHeardOtherwise).map((body) => ({ from: node, to: from, epoch, body }))
    const others = members.filter((other) => other !== node)
    const lessons = turn.lessons.flatMap((body) => others.map((to) => ({ from: node, to, epoch: body.epoch, body })))
    return {
      store: stores.idOf(turn.store),
      sends: [...replies, ...lessons].map(messages.idOf),
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
      epoch: Parts.numberOf(acceptor),
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

  const receive = (node: Node, id: number): Node => {
    const { body, epoch, from } = messages.at(id)
    const own = Parts.numberOf(stores.at(node.store).acceptor)
    // What is chosen is chosen whatever the epoch; all else counts in its own.
    if (body._tag !== "Learned" && roles.judge(own, epoch) !== "obey") return node
    if (!isToAcceptor(body) && body._tag !== "Learned") return propose(node, { _tag: "Receive", from, message: body })
    const { observed, sends, store } = acceptor(node.store, id)
    const after = sent({ ...node, store }, sends)
    const now = Parts.numberOf(stores.at(store).acceptor)
    if (now !== own) return enter(after, now)
    return observed === undefined ? after : propose(after, { _tag: "Observe", ballot: observed })
  }

  /** The proposer begins anew, and what it had to tell itself is of no use. */
  const enter = (node: Node, epoch: number): Node => {
    const { node: self } = proposals.at(node.proposal)
    const begun: Parts.Proposal = { node: self, epoch, state: Proposer.initial(Ballot.zero), broken: undefined }
    return { ...node, proposal: proposals.idOf(begun), own: outboxes.idOf([]) }
  }

  /** Ends the epoch with the change that is wanted, if there is one left, and production would. */
  const change = (node: Node): Node => {
    const { epoch, node: self, state } = proposals.at(node.proposal)
    const { acceptor } = stores.at(node.store)
    const wanted = changes[epoch - 1]
    if (wanted === undefined || state._tag !== "Leading" || state.log.through >= options.slots) return node
    const next = roles.change(state, acceptor.epochs.present, { expect: epoch, wanted }, given(self, epoch))
    if (Either.isLeft(next) || next.right !== wanted) return node
    const sign = Text.stopSign(epoch, state.ballot, state.log.through + 1, wanted)
    return propose(node, { _tag: "Propose", entries: [sign] })
  }

  const handle = (node: Node, input: number): Node => {
    const { broken, epoch, node: self, state } = proposals.at(node.proposal)
    if (broken !== undefined || stores.at(node.store).broken !== undefined) return node
    switch (input) {
      case inputs.campaign:
        return state.highest.round < rounds && memberships[epoch - 1]?.voters.includes(self) === true
          ? propose(
              { ...node, made: node.made | (1 << nthRound(epoch, state.highest.round + 1, rounds)) },
              { _tag: "Campaign", above: state.highest }
            )
          : node
      case inputs.propose: {
        if (state._tag !== "Leading" || state.log.through >= options.slots) return node
        if (Proposer.capacity(state, given(self, epoch)) === 0) return node
        const entry = Text.entry(epoch, state.ballot, Slot.plus(state.log.through, 1))
        return propose(node, { _tag: "Propose", entries: [entry] })
      }
      case inputs.change:
        return change(node)
      case inputs.tick:
        return { ...propose(node, { _tag: "Tick" }), ticks: node.ticks + 1 }
      case inputs.crash: {
        const store = Parts.restart(stores.at(node.store), roles)
        const restarted: Parts.Proposal = {
          node: self,
          epoch: Parts.numberOf(store.acceptor),
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
        const nth = (input - inputs.observe) % (rounds * epochs)
        const other = members[Math.floor((input - inputs.observe) / (rounds * epochs))]!
        return epoch === 1 + Math.floor(nth / rounds)
          ? propose(node, { _tag: "Observe", ballot: Ballot.make(1 + (nth % rounds), other) })
          : node
      }
    }
  }

  return {
    fresh: (node) =>
      nodes.idOf({
        store: stores.idOf(Parts.fresh(node, initially(node), roles)),
        proposal: proposals.idOf({
          node,
          epoch: initially(node).epochs.present.number,
          state: Proposer.initial(Ballot.zero),
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
 * Can this message have no effect any more, now or later? If its epoch is over here, always. To an acceptor, if its promise, which
 * never falls in an epoch, is above it: it would only refuse. To a proposer, if it left the ballot for good, which it has once its own
 * acceptor promised that ballot; and a promise, once it has one of that node and leads.
 */
const isDead = ({ body, epoch: sent, from, to }: Sent, { at, epoch, joined, node, promised }: Horizon): boolean => {
  if (to !== node) return false
  if (sent !== epoch) return sent < epoch && epoch !== 0
  if (body._tag === "Learned") return false
  if (isToAcceptor(body)) return Ballot.lessThan(body.ballot, promised)
  return Ballot.equals(body.ballot, at)
    ? body._tag === "Promise" && joined.includes(from)
    : !Ballot.greaterThan(body.ballot, promised)
}

const isToAcceptor = (body: Sent["body"]): body is Message.ToAcceptor =>
  body._tag === "Prepare" || body._tag === "Accept" || body._tag === "Fetch" || body._tag === "Behind"
