/**
 * Nodes at one table, operated by hand: the roles are those that run in production, one step at a time, and every message
 * waits until somebody says what becomes of it. What happens is said in sentences.
 *
 * Longer than others because it is one interpreter: what a step of any role asks for is done here, in the order that
 * production keeps (persist, then send, then deliver), and the roles tell each other what they need to know.
 */
import { Acceptor, Ballot, Election, Entry, Learner, Proposer, Slot } from "@synod/paxos"
import type { Durable, Message, NodeId, Quorum } from "@synod/paxos"
import { type Replicated, SessionTable } from "@synod/state-machine"
import * as Lock from "./storyLock.js"
import { Refused } from "./storyRefused.js"
import { type Client, Clients, type Told } from "./roomClients.js"
import { Disk, RoomNode } from "./roomNode.js"
import * as RoomSays from "./roomSays.js"
import * as Say from "./storySentences.js"
import { RoomTable } from "./roomTable.js"

/** Larger than any story needs, so that nothing comes in pieces: slots, bytes, slots and ticks. */
const sizes = { pipeline: 16, chunk: 65_536, keep: 100, patience: 3 }

/** Messages that one command may deliver: a story has some dozens, and one that goes round in a circle has no end. */
const mostDeliveries = 1000

export class Room {
  private readonly disks = new Map<NodeId.NodeId, Disk>()
  private readonly running = new Map<NodeId.NodeId, RoomNode>()
  private readonly offline = new Set<NodeId.NodeId>()
  readonly clients = new Clients()
  readonly table: RoomTable
  readonly refusals: Array<{ readonly node: NodeId.NodeId; readonly ballot: Ballot.Ballot }> = []
  /** What every node's machine holds before the first slot. */
  private initial: Replicated.Replicated<Lock.State> = Lock.executor.initial
  private underWay: Array<Say.Addressed> = []
  private sentences: Array<string> = []

  constructor(readonly quorums: Quorum.QuorumSystem) {
    this.table = new RoomTable(quorums)
    for (const id of quorums.members) {
      this.disks.set(id, new Disk())
      this.start(id)
    }
  }

  /** What has been said since the last time. */
  spoken(): ReadonlyArray<string> {
    const { sentences } = this
    this.sentences = []
    return sentences
  }

  say(...sentences: ReadonlyArray<string>): void {
    this.sentences.push(...sentences)
  }

  get members(): ReadonlyArray<NodeId.NodeId> {
    return this.quorums.members
  }

  /** The nodes that run. */
  get nodes(): ReadonlyArray<RoomNode> {
    return this.members.flatMap((id) => this.running.get(id) ?? [])
  }

  /** The nodes that run and hear others. */
  get online(): ReadonlyArray<RoomNode> {
    return this.nodes.filter(({ id }) => !this.offline.has(id))
  }

  node(id: NodeId.NodeId): RoomNode {
    const node = this.running.get(id)
    if (node === undefined) throw new Refused(`node ${id} to run`, "that it has crashed")
    return node
  }

  disk(id: NodeId.NodeId): Disk {
    return this.disks.get(id)!
  }

  labels = (entries: ReadonlyArray<Entry.Entry>): ReadonlyArray<string> => entries.map(this.clients.label)

  /** What a node knows of its log; once it has crashed, what its disk does. */
  held(id: NodeId.NodeId): Durable.Durable {
    const node = this.running.get(id)
    return node === undefined ? this.disk(id).durable : Acceptor.durable(node.acceptor)
  }

  holding(id: NodeId.NodeId): string {
    return Say.holding(this.labels(this.disk(id).entries), this.held(id))
  }

  // Nodes

  goOffline(ids: ReadonlyArray<NodeId.NodeId>): void {
    for (const id of ids) this.offline.add(id)
    this.say(`${Say.nodes(ids)} ${ids.length === 1 ? "hears" : "hear"} nobody`)
  }

  comeBack(ids: ReadonlyArray<NodeId.NodeId>): void {
    for (const id of ids) this.offline.delete(id)
    this.say(`${Say.nodes(ids)} ${ids.length === 1 ? "hears" : "hear"} the others again`)
  }

  crash(id: NodeId.NodeId): void {
    for (const { client } of this.node(id).waiting.values()) this.say(`${client.name} gets no answer from node ${id}`)
    this.running.delete(id)
    // What it had sent is on its way; what it said to itself is forgotten with the rest.
    this.underWay = this.underWay.filter(({ from, to }) => from !== id || to !== id)
    this.say(`node ${id} has crashed; on its disk is ${this.holding(id)}`)
  }

  restart(id: NodeId.NodeId): void {
    if (this.running.has(id)) throw new Refused(`node ${id} to be down`, "that it runs")
    this.start(id)
    this.say(`node ${id} is back: it has promised ${Say.ballot(this.held(id).promised)}, holding ${this.holding(id)}`)
  }

  private start(id: NodeId.NodeId): void {
    const node = new RoomNode(id, this.disk(id), this.initial)
    this.running.set(id, node)
    this.learn(node, { _tag: "Chosen", after: node.acceptor.chosenThrough, entries: [] })
  }

  // Clients

  /** Clients whose sessions were opened before the story begins, in the state that every node starts with. */
  introduce(names: ReadonlyArray<string>): void {
    if (!this.table.isEmpty) throw new Refused("clients with sessions before anything is prepared", "a story under way")
    for (const name of names) {
      this.initial = { ...this.initial, sessions: SessionTable.open(this.initial.sessions, Lock.executor.sessions, 0) }
      this.clients.add(name, this.initial.sessions.opened)
      this.say(`${name} has session ${this.initial.sessions.opened}`)
    }
    for (const node of this.nodes) node.lock = this.initial
  }

  submit(client: Client, at: NodeId.NodeId, batch: Uint8Array): void {
    const node = this.running.get(at)
    if (node === undefined || this.offline.has(at)) return this.say(`${client.name} can't reach node ${at}`)
    const { proposer } = node
    if (proposer._tag !== "Leading") {
      const { node: leader } = proposer.highest
      const hint = leader === 0 || leader === at ? "" : `, ask node ${leader}`
      return this.tell(at, client, { _tag: "Elsewhere", reason: `I don't lead${hint}` })
    }
    if (Proposer.capacity(proposer, this.options(at)) === 0) {
      return this.tell(at, client, { _tag: "Elsewhere", reason: "I have too much to do" })
    }
    const entry = Entry.commands(0, batch)
    const slot = Slot.plus(proposer.log.through, 1)
    this.say(`node ${at} proposes ${this.clients.label(entry)} in slot ${slot} at ${Say.ballot(proposer.ballot)}`)
    node.waiting.set(slot, { client, entry })
    this.propose(node, { _tag: "Propose", entries: [entry] })
  }

  private tell(at: NodeId.NodeId, client: Client, told: Told): void {
    if (this.offline.has(at)) return this.say(`node ${at} can't tell ${client.name}: ${Say.reply(told)}`)
    client.told.push({ node: at, told })
    if (told._tag === "Opened") client.session = told.session
    this.say(`node ${at} tells ${client.name}: ${Say.reply(told)}`)
  }

  // The network

  send(message: Say.Addressed): void {
    this.underWay.push(message)
  }

  messages(matches: (message: Say.Addressed) => boolean = () => true): ReadonlyArray<Say.Addressed> {
    return this.underWay.filter(matches)
  }

  drop(message: Say.Addressed): void {
    this.underWay.splice(this.underWay.indexOf(message), 1)
  }

  /** Delivers messages, oldest first, and those that come of it, until none is left that matches. */
  deliver(matches: (message: Say.Addressed) => boolean): void {
    for (let count = 0; ; count++) {
      const message = this.underWay.find(matches)
      if (message === undefined) return
      if (count === mostDeliveries) throw new Refused(`at most ${mostDeliveries} messages`, "more")
      this.drop(message)
      this.arrive(message)
    }
  }

  /** A message reaches its node, or nobody. */
  arrive({ from, message, to }: Say.Addressed): void {
    const misses = `misses ${Say.message({ from, to, message }, this.labels)}`
    const node = this.running.get(to)
    if (node === undefined) return this.say(`node ${to} is down and ${misses}`)
    if (from !== to && this.offline.has(to)) return this.say(`node ${to} is offline and ${misses}`)
    if (from !== to && this.offline.has(from)) return this.say(`node ${from} is offline, and node ${to} ${misses}`)
    switch (message._tag) {
      case "Prepare":
      case "Accept":
      case "Fetch":
        return this.accept(node, from, message)
      case "Promise":
      case "Accepted":
      case "Fetched":
      case "Rejected":
        return this.propose(node, { _tag: "Receive", from, message })
    }
  }

  // The roles

  private options(self: NodeId.NodeId): Proposer.Options {
    return { self, quorums: this.quorums, ...sizes }
  }

  private accept(node: RoomNode, from: NodeId.NodeId, message: Message.ToAcceptor): void {
    const before = node.acceptor
    const { actions, state } = Acceptor.step(before, message, sizes)
    node.acceptor = state
    for (const action of actions) {
      if (action._tag !== "Persist") continue
      node.disk.write(action.write)
      this.table.wrote(node.id, node.disk.durable, node.disk.entries)
    }
    const respond = (answer: Message.ToProposer) => {
      if (answer._tag === "Rejected") this.refusals.push({ node: node.id, ballot: answer.ballot })
      this.say(...RoomSays.answered(this, node, before, message, answer))
      this.send({ from: node.id, to: from, message: answer })
    }
    for (const action of actions) {
      if (action._tag === "Reply") respond(action.message)
      if (action._tag === "Read") {
        const { after, ballot, bytes } = action.fetch
        const entries = Acceptor.atMost(node.disk.entries.slice(after), bytes)
        respond({ _tag: "Fetched", ballot, after, entries })
      }
    }
    for (const action of actions) {
      if (action._tag === "Deliver") this.learn(node, { _tag: "Chosen", after: action.after, entries: action.entries })
    }
    if (Ballot.greaterThan(state.promised, before.promised)) {
      this.propose(node, { _tag: "Observe", ballot: state.promised })
      this.elect(node, { _tag: "Observe", ballot: state.promised })
    }
  }

  private learn(node: RoomNode, input: Learner.Input): void {
    const { actions, state } = Learner.step(node.learner, input)
    node.learner = state
    for (const action of actions) {
      if (action._tag === "Read") {
        const entries = node.disk.entries.slice(action.after)
        this.learn(node, { _tag: "Read", after: action.after, entries })
        continue
      }
      if (action._tag === "Restore" || action.entry._tag === "StopSign") continue
      const reply = Lock.told(node.apply(action.slot, action.entry))
      const waiting = node.waiting.get(action.slot)
      node.waiting.delete(action.slot)
      if (waiting === undefined) continue
      const isAnswer = Entry.equals(waiting.entry, action.entry)
      this.tell(
        node.id,
        waiting.client,
        isAnswer ? reply : { _tag: "Elsewhere", reason: "I lost your place, ask again" }
      )
    }
  }

  propose(node: RoomNode, input: Proposer.Input): void {
    const before = node.proposer
    const { actions, state } = Proposer.step(before, input, this.options(node.id))
    node.proposer = state
    this.say(...RoomSays.proposed(this, node, before))
    if (state._tag === "Preparing" && (before._tag === "Following" || !Ballot.equals(state.ballot, before.ballot))) {
      this.table.prepared(state.ballot)
    }
    const claim = Proposer.claim(state)
    const claimed = Proposer.claim(before)
    if (claim.leading !== claimed.leading || !Ballot.equals(claim.claim, claimed.claim)) {
      this.elect(node, { _tag: "Claim", ...claim })
    }
    for (const action of actions) {
      if (action._tag === "Send") this.send({ from: node.id, to: action.to, message: action.message })
      if (action._tag !== "Resign") continue
      for (const { client } of node.waiting.values()) {
        this.tell(node.id, client, { _tag: "Elsewhere", reason: "I lost the lead, ask again" })
      }
      node.waiting.clear()
      this.elect(node, { _tag: "Observe", ballot: action.ballot })
    }
  }

  /** A round of heartbeats, which all nodes that hear each other get through at once. */
  heartbeats(): void {
    const asked: Array<{ readonly node: RoomNode; readonly message: Message.Heartbeat }> = []
    const said = this.sentences.length
    for (const node of this.nodes) {
      const before = node.election
      for (const action of this.elect(node, { _tag: "Tick" })) {
        if (action._tag === "Ask") asked.push({ node, message: action.message })
      }
      const { happy, leader, yielded } = node.election
      if (yielded > before.yielded) this.say(`node ${node.id} leaves the lead to a lower node, if one wants it`)
      if (happy && !before.happy && leader.node !== node.id)
        this.say(`node ${node.id} hears that node ${leader.node} leads`)
    }
    if (this.sentences.length === said) this.say("all ask around, and nobody moves")
    for (const { message, node } of asked) {
      if (this.offline.has(node.id)) continue
      for (const other of this.online) {
        if (other === node) continue
        const reply = this.elect(other, { _tag: "Heartbeat", message }).find(({ _tag }) => _tag === "Reply")
        if (reply?._tag === "Reply") this.elect(node, { _tag: "HeartbeatReply", message: reply.message })
      }
    }
  }

  private elect(node: RoomNode, input: Election.Input): ReadonlyArray<Election.Action> {
    const { actions, state } = Election.step(node.election, input, { self: node.id, quorums: this.quorums })
    node.election = state
    for (const action of actions) {
      if (action._tag === "Campaign") this.propose(node, { _tag: "Campaign", above: action.above })
      if (action._tag === "Follow") this.propose(node, { _tag: "Observe", ballot: action.ballot })
    }
    return actions
  }
}
