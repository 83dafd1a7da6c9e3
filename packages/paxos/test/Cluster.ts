/**
 * Whole clusters of plain steps over a seeded network that loses, repeats, delays, reorders and partitions, with crashes
 * between any two actions and restarts from what was persisted.
 */
import { Acceptor, Ballot, Durable, Election, Entry, Learner, Proposer, Slot } from "@synod/paxos"
import type { Message, Quorum, NodeId } from "@synod/paxos"
import * as Partition from "./Partition.js"
import * as Random from "./Random.js"
import { letters } from "./Story.js"
import { Votes } from "./Votes.js"

type Envelope =
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "acceptor"; message: Message.ToAcceptor }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "proposer"; message: Message.ToProposer }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "ask"; message: Message.Heartbeat }
  | { to: NodeId.NodeId; from: NodeId.NodeId; kind: "told"; message: Message.HeartbeatReply }

/** How likely each of them is: for a message, an action, or one random thing that happens. */
export interface Faults {
  readonly loss: number
  readonly repeat: number
  /** A message is put aside, to arrive when everything has changed. */
  readonly delay: number
  readonly crash: number
  /** All nodes crash at once. */
  readonly outage: number
  /** The partition changes. */
  readonly partition: number
}

export const calm: Faults = { loss: 0, repeat: 0, delay: 0, crash: 0, outage: 0, partition: 0 }

/** Sizes as small as can be, so that each limit is met often. */
export type Sizes = Pick<Proposer.Options, "pipeline" | "chunk" | "keep" | "patience">

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
  constructor(
    readonly id: NodeId.NodeId,
    readonly disk: Disk
  ) {
    const durable = disk.durable
    this.acceptor = Acceptor.recover(durable, disk.entries.slice(durable.chosenThrough))
    this.proposer = Proposer.initial(durable.promised)
    this.election = Election.initial(durable.promised)
    this.learner = Learner.initial(Slot.zero)
  }
}

export class Cluster {
  readonly random: Random.Random
  readonly members: ReadonlyArray<NodeId.NodeId>
  readonly votes: Votes
  readonly disks = new Map<NodeId.NodeId, Disk>()
  readonly nodes = new Map<NodeId.NodeId, Node>()
  messages: Array<Envelope> = []
  private late: Array<Envelope> = []
  partition: Partition.Partition = Partition.none
  /** What was ever applied, by slot. */
  readonly chosen: Array<Entry.Entry> = []
  readonly proposed = new Set<string>()
  readonly confirmations: Array<{ node: NodeId.NodeId; confirm: number; slot: number }> = []
  leaders = 0
  crashes = 0
  faults: Faults

  readonly sizes: Sizes

  constructor(
    seed: number,
    readonly quorums: Quorum.QuorumSystem,
    faults: Faults,
    sizes?: Sizes
  ) {
    this.random = Random.make(seed)
    this.faults = faults
    this.members = quorums.members
    this.votes = new Votes(quorums)
    this.sizes = sizes ?? {
      pipeline: this.random.pick([1, 3, 5]),
      chunk: this.random.pick([40, 80, 200, 100_000]),
      keep: this.random.pick([0, 2, 10]),
      patience: 3
    }
    for (const id of this.members) {
      this.disks.set(id, new Disk())
      this.restart(id)
    }
  }

  options(self: NodeId.NodeId): Proposer.Options {
    return { self, quorums: this.quorums, ...this.sizes }
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
    if (this.random.chance(this.faults.delay)) this.late.push(envelope)
    else this.messages.push(envelope)
  }

  private acceptor(node: Node, from: NodeId.NodeId, message: Message.ToAcceptor) {
    const promised = node.acceptor.promised
    const { actions, state } = Acceptor.step(node.acceptor, message, this.sizes)
    node.acceptor = state
    for (const action of actions) {
      if (action._tag !== "Persist") continue
      this.point()
      node.disk.write(action.write)
      this.votes.record(node.id, node.disk.durable, node.disk.entries)
    }
    this.held(node)
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
        if (node.applied.length !== action.slot - 1)
          throw new Error(`node ${node.id} applies ${action.slot} out of order`)
        node.applied.push(action.entry)
      } else if (action._tag === "Read") {
        this.learn(node, {
          _tag: "Read",
          after: action.after,
          entries: node.disk.entries.slice(action.after, action.after + 2)
        })
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
            const before = this.asked.get(
              `${node.id}/${action.confirm}/${"ballot" in state ? Ballot.format(state.ballot) : ""}`
            )
            if (before !== undefined && before > action.slot) {
              throw new Error(
                `a read at slot ${action.slot} misses slot ${before}, which was applied before it was asked`
              )
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

  /** What an acceptor holds in memory is what its journal says, but for `chosenThrough`, which may be forgotten. */
  private held({ acceptor, disk, id }: Node) {
    const { acceptedBallot, acceptedThrough, promised } = Acceptor.durable(acceptor)
    const same =
      Ballot.equals(promised, disk.durable.promised) &&
      Ballot.equals(acceptedBallot, disk.durable.acceptedBallot) &&
      acceptedThrough === disk.entries.length
    if (!same) throw new Error(`node ${id} holds what is not in its journal`)
  }

  private decide(slot: number, entry: Entry.Entry) {
    const known = this.chosen[slot - 1]
    if (known !== undefined && !Entry.equals(known, entry)) throw new Error(`slot ${slot} is decided twice`)
    const chosen = this.votes.chosen[slot - 1]
    if (chosen === undefined || !Entry.equals(chosen, entry))
      throw new Error(`slot ${slot} is applied and was not chosen`)
    if (!this.proposed.has(text(entry))) throw new Error(`slot ${slot} holds what nobody proposed`)
    this.chosen[slot - 1] = entry
  }

  /** One random thing happens. */
  random1() {
    if (this.random.chance(this.faults.partition)) this.partition = Partition.any(this.random, this.members)
    if (this.random.chance(this.faults.outage)) this.outage()
    if (this.late.length > 0 && this.random.chance(0.01)) {
      this.messages.push(...this.late.splice(this.random.below(this.late.length), 1))
    }
    // The more messages there are the likelier is one of them, so that neither they nor the ticks outrun the others.
    const { length } = this.messages
    if (this.random.next() < length / (length + 1.5)) return this.deliver(this.random.below(length))
    const id = this.random.pick(this.members)
    const roll = this.random.next()
    if (roll < 0.5) return this.tick(id)
    if (roll < 0.9) return this.command(id)
    this.turn(id, (node) => {
      // Whatever the election thinks: safety must not rely on it.
      if (roll < 0.93) this.propose(node, { _tag: "Campaign", above: Ballot.zero })
      else this.point()
    })
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

  /** All nodes lose what they had in memory; messages under way still arrive. */
  outage() {
    this.crashes += this.members.length
    for (const id of this.members) this.restart(id)
  }

  handle(envelope: Envelope) {
    if (!this.partition(envelope.from, envelope.to)) return
    this.turn(envelope.to, (node) => {
      switch (envelope.kind) {
        case "acceptor":
          return this.acceptor(node, envelope.from, envelope.message)
        case "proposer":
          return this.propose(node, { _tag: "Receive", from: envelope.from, message: envelope.message })
        case "ask": {
          const { actions } = Election.step(
            node.election,
            { _tag: "Heartbeat", message: envelope.message },
            {
              self: node.id,
              quorums: this.quorums
            }
          )
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
      if (this.random.chance(0.3) && node.proposer._tag === "Leading" && Proposer.mayConfirm(node.proposer)) {
        const round = node.proposer.confirm.asked + 1
        this.asked.set(`${id}/${round}/${Ballot.format(node.proposer.ballot)}`, this.chosen.length)
        return this.propose(node, { _tag: "Confirm" })
      }
      const entries = Array.from({ length: 1 + this.random.below(room) }, () => this.entry())
      this.propose(node, { _tag: "Propose", entries })
    })
  }

  /** The node, which leads, proposes one slot. */
  propose1(id: NodeId.NodeId) {
    this.turn(id, (node) => this.propose(node, { _tag: "Propose", entries: [this.entry()] }))
  }

  entry(): Entry.Entry {
    const entry = Entry.commands(this.proposed.size, new TextEncoder().encode(`c${this.proposed.size}`))
    this.proposed.add(text(entry))
    return entry
  }

  /**
   * Nothing fails any more, but for links that are cut: rounds of ticks, each with all messages delivered in order.
   * Returns how many messages to acceptors the last round took.
   */
  settle(rounds: number, partition: Partition.Partition = Partition.none): number {
    this.faults = calm
    this.partition = partition
    this.messages.push(...this.late.splice(0))
    let toAcceptors = 0
    for (let i = 0; i < rounds; i++) {
      for (const id of this.members) this.tick(id)
      toAcceptors = 0
      let left = 20_000
      while (this.messages.length > 0) {
        const batch = this.messages
        this.messages = []
        for (const envelope of batch) {
          if (left-- === 0) throw new Error("the messages of one round do not come to an end")
          if (envelope.kind === "acceptor") toAcceptors++
          this.handle(envelope)
        }
      }
    }
    return toAcceptors
  }

  get leading() {
    return Array.from(this.nodes.values()).filter((node) => node.proposer._tag === "Leading")
  }
}

const text = (entry: Entry.Entry) => letters([entry])
