/**
 * Whole clusters of plain steps over a seeded network that loses, repeats and reorders, with crashes between any two
 * actions and restarts from what was persisted.
 */
import { Acceptor, Ballot, Durable, Election, Entry, Learner, NodeId, Proposer, Quorum, Slot } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import { Either } from "effect"

/** Mulberry32: small, seeded, good enough to shuffle messages. */
export const makeRandom = (seed: number) => {
  let a = seed >>> 0
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return { next, below: (n: number) => Math.floor(next() * n), chance: (p: number) => next() < p }
}

type Envelope =
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "acceptor"; message: Message.ToAcceptor }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "proposer"; message: Message.ToProposer }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "ask"; message: Message.Heartbeat }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "told"; message: Message.HeartbeatReply }

export interface Faults {
  readonly loss: number
  readonly repeat: number
  readonly crash: number
}

class Crash extends Error {}

export class Disk {
  durable: Durable.Durable = Durable.initial
  entries: Array<Entry.Entry> = []
  write({ after, entries, state }: Durable.Write) {
    this.entries.splice(after, entries.length, ...entries)
    this.entries.length = state.acceptedThrough
    this.durable = state
  }
}

export class Node {
  acceptor: Acceptor.State
  proposer: Proposer.State
  election: Election.State
  learner: Learner.State
  applied: Array<Entry.Entry> = []
  constructor(readonly id: NodeId.NodeId, readonly disk: Disk) {
    const durable = disk.durable
    this.acceptor = Acceptor.recover(durable, disk.entries.slice(durable.chosenThrough))
    this.proposer = Proposer.initial(durable.promised)
    this.election = Election.initial(durable.promised)
    this.learner = Learner.initial(Slot.zero)
  }
}

export class Cluster {
  readonly random
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly quorums
  readonly disks = new Map<NodeId.NodeId, Disk>()
  readonly nodes = new Map<NodeId.NodeId, Node>()
  messages: Array<Envelope> = []
  /** What was ever found chosen, by slot. */
  readonly chosen: Array<Entry.Entry> = []
  readonly proposed = new Set<string>()
  readonly confirmations: Array<{ node: NodeId.NodeId; confirm: number; slot: number }> = []
  leaders = 0
  crashes = 0
  faults: Faults

  constructor(seed: number, size: number, faults: Faults) {
    this.random = makeRandom(seed)
    this.faults = faults
    this.members = Array.from({ length: size }, (_, i) => NodeId.make(i + 1))
    this.quorums = Either.getOrThrow(Quorum.majority(this.members))
    for (const id of this.members) {
      this.disks.set(id, new Disk())
      this.restart(id)
    }
  }

  options(self: NodeId.NodeId): Proposer.Options {
    return { self, quorums: this.quorums, pipeline: 3, chunk: 80, keep: 2, patience: 3 }
  }

  restart(id: NodeId.NodeId) {
    const node = new Node(id, this.disks.get(id)!)
    this.nodes.set(id, node)
    this.learn(node, { _tag: "Chosen", after: node.acceptor.chosenThrough, entries: [] })
  }

  /** Runs one node's turn; a crash in the middle loses all of its memory and what it had not sent. */
  private turn(id: NodeId.NodeId, run: (node: Node) => void) {
    try {
      run(this.nodes.get(id)!)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      this.crashes++
      this.restart(id)
    }
  }

  private point() {
    if (this.faults.crash > 0 && this.random.chance(this.faults.crash)) throw new Crash()
  }

  private send(envelope: Envelope) {
    this.point()
    this.messages.push(envelope)
  }

  private acceptor(node: Node, from: NodeId.NodeId, message: Message.ToAcceptor) {
    const promised = node.acceptor.promised
    const { actions, state } = Acceptor.step(node.acceptor, message, { keep: 2 })
    node.acceptor = state
    for (const action of actions) {
      if (action._tag !== "Persist") continue
      this.point()
      node.disk.write(action.write)
    }
    for (const action of actions) {
      if (action._tag === "Reply") this.send({ kind: "proposer", to: from, from: node.id, message: action.message })
      if (action._tag === "Read") {
        const { after, ballot, bytes } = action.fetch
        const entries = Acceptor.atMost(node.disk.entries.slice(after), bytes)
        this.send({ kind: "proposer", to: from, from: node.id, message: { _tag: "Fetched", ballot, after, entries } })
      }
    }
    for (const action of actions) {
      if (action._tag === "Deliver") {
        this.point()
        this.learn(node, { _tag: "Chosen", after: action.after, entries: action.entries })
      }
    }
    if (Ballot.greaterThan(state.promised, promised)) {
      this.propose(node, { _tag: "Observe", ballot: state.promised })
      this.elect(node, { _tag: "Observe", ballot: state.promised })
    }
  }

  private learn(node: Node, input: Learner.Input) {
    const { actions, state } = Learner.step(node.learner, input)
    node.learner = state
    for (const action of actions) {
      if (action._tag === "Apply") {
        this.decide(action.slot, action.entry)
        if (node.applied.length !== action.slot - 1) throw new Error(`node ${node.id} applies ${action.slot} out of order`)
        node.applied.push(action.entry)
      } else {
        this.learn(node, { _tag: "Read", after: action.after, entries: node.disk.entries.slice(action.after, action.after + 2) })
      }
    }
  }

  private propose(node: Node, input: Proposer.Input) {
    const { actions, state } = Proposer.step(node.proposer, input, this.options(node.id))
    const before = Proposer.claim(node.proposer)
    node.proposer = state
    const claim = Proposer.claim(state)
    if (claim.leading !== before.leading || !Ballot.equals(claim.claim, before.claim)) {
      this.elect(node, { _tag: "Claim", ...claim })
    }
    for (const action of actions) {
      switch (action._tag) {
        case "Send":
          this.send({ kind: "acceptor", to: action.to, from: node.id, message: action.message })
          break
        case "Lead":
          this.leaders++
          break
        case "Resign":
          this.elect(node, { _tag: "Observe", ballot: action.ballot })
          break
        case "Confirmed":
          this.confirmations.push({ node: node.id, confirm: action.confirm, slot: action.slot })
          if (this.chosen.length > action.slot) {
            // Others may know more than this leader, but nothing that was known before the round was asked for.
            const before = this.asked.get(`${node.id}/${action.confirm}/${"ballot" in state ? Ballot.format(state.ballot) : ""}`)
            if (before !== undefined && before > action.slot) {
              throw new Error(`a read at slot ${action.slot} misses slot ${before}, which was applied before it was asked`)
            }
          }
          break
      }
    }
  }

  private readonly asked = new Map<string, number>()

  private elect(node: Node, input: Election.Input) {
    const { actions, state } = Election.step(node.election, input, { self: node.id, quorums: this.quorums })
    node.election = state
    for (const action of actions) {
      switch (action._tag) {
        case "Ask":
          for (const to of this.members) {
            if (to !== node.id) this.send({ kind: "ask", to, from: node.id, message: action.message })
          }
          break
        case "Campaign":
          this.propose(node, { _tag: "Campaign", above: action.above })
          break
        case "Follow":
          this.propose(node, { _tag: "Observe", ballot: action.ballot })
          break
        case "Reply":
          break
      }
    }
  }

  private decide(slot: number, entry: Entry.Entry) {
    const known = this.chosen[slot - 1]
    if (known !== undefined && !Entry.equals(known, entry)) throw new Error(`slot ${slot} is decided twice`)
    if (!this.proposed.has(text(entry))) throw new Error(`slot ${slot} holds what nobody proposed`)
    this.chosen[slot - 1] = entry
  }

  /** One random thing happens. */
  random1() {
    const roll = this.random.next()
    if (this.messages.length > 0 && roll < 0.75) return this.deliver(this.random.below(this.messages.length))
    const id = this.members[this.random.below(this.members.length)]!
    if (roll < 0.85) return this.tick(id)
    if (roll < 0.97) return this.command(id)
    this.turn(id, () => this.point())
  }

  deliver(index: number) {
    const envelope = this.messages[index]!
    if (!this.random.chance(this.faults.repeat)) {
      this.messages[index] = this.messages[this.messages.length - 1]!
      this.messages.pop()
    }
    if (this.random.chance(this.faults.loss)) return
    this.handle(envelope)
  }

  handle(envelope: Envelope) {
    this.turn(envelope.to, (node) => {
      switch (envelope.kind) {
        case "acceptor":
          return this.acceptor(node, envelope.from, envelope.message)
        case "proposer":
          return this.propose(node, { _tag: "Receive", from: envelope.from, message: envelope.message })
        case "ask": {
          const { actions } = Election.step(node.election, { _tag: "Heartbeat", message: envelope.message }, {
            self: node.id,
            quorums: this.quorums
          })
          for (const action of actions) {
            if (action._tag === "Reply") {
              this.send({ kind: "told", to: envelope.from, from: node.id, message: action.message })
            }
          }
          return
        }
        case "told":
          return this.elect(node, { _tag: "HeartbeatReply", message: envelope.message })
      }
    })
  }

  tick(id: NodeId.NodeId) {
    this.turn(id, (node) => {
      this.elect(node, { _tag: "Tick" })
      this.propose(node, { _tag: "Tick" })
    })
  }

  command(id: NodeId.NodeId) {
    this.turn(id, (node) => {
      const room = Proposer.capacity(node.proposer, this.options(id))
      if (room === 0) return
      if (this.random.chance(0.3) && node.proposer._tag === "Leading") {
        const round = node.proposer.confirm.asked + 1
        this.asked.set(`${id}/${round}/${Ballot.format(node.proposer.ballot)}`, this.chosen.length)
        return this.propose(node, { _tag: "Confirm" })
      }
      const entries = Array.from({ length: 1 + this.random.below(room) }, () => this.entry())
      this.propose(node, { _tag: "Propose", entries })
    })
  }

  entry(): Entry.Entry {
    const entry = Entry.commands(this.proposed.size, new TextEncoder().encode(`c${this.proposed.size}`))
    this.proposed.add(text(entry))
    return entry
  }

  /** Nothing fails any more: rounds of ticks, each with all messages delivered in order. */
  settle(rounds: number) {
    this.faults = { loss: 0, repeat: 0, crash: 0 }
    for (let i = 0; i < rounds; i++) {
      for (const id of this.members) this.tick(id)
      let left = 20_000
      while (this.messages.length > 0) {
        if (left-- === 0) throw new Error("the messages of one round do not come to an end")
        this.handle(this.messages.shift()!)
      }
    }
  }

  get leading() {
    return Array.from(this.nodes.values()).filter((node) => node.proposer._tag === "Leading")
  }
}

const text = (entry: Entry.Entry) => new TextDecoder().decode(entry.batch)
