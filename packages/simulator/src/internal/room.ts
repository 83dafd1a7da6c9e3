/**
 * Nodes at one table, operated by hand: the roles are those that run in production, one step at a time, and every message
 * waits until somebody says what becomes of it. What happens is said in sentences.
 *
 * Longer than others because it is one interpreter: what a step of any role asks for is done here, in the order that
 * production keeps (persist, then send, then deliver), and the roles tell each other what they need to know.
 */
import {
  Acceptor,
  Ballot,
  Durable,
  Election,
  Entry,
  Epoch,
  Learner,
  MembershipChange,
  Proposer,
  Slot
} from "@synod/paxos"
import type { Membership, Message, NodeId } from "@synod/paxos"
import { type Replicated, SessionTable } from "@synod/state-machine"
import * as Either from "effect/Either"
import * as Lock from "./storyLock.js"
import { Mail } from "./storyMail.js"
import { Refused } from "./storyRefused.js"
import { type Client, Clients, type Told } from "./roomClients.js"
import { Disk, quorumsOf, RoomNode, sizes } from "./roomNode.js"
import * as RoomSays from "./roomSays.js"
import * as Say from "./storySentences.js"
import { RoomTable } from "./roomTable.js"

export class Room {
  private readonly disks = new Map<NodeId.NodeId, Disk>()
  private readonly running = new Map<NodeId.NodeId, RoomNode>()
  readonly clients = new Clients()
  readonly table = new RoomTable()
  readonly mail = new Mail<Say.Addressed>({
    say: (sentence) => this.say(sentence),
    isUp: (id) => this.running.has(id),
    text: (letter) => Say.message(letter, this.labels),
    arrive: (letter) => this.arrive(letter)
  })
  readonly refusals: Array<{ readonly node: NodeId.NodeId; readonly ballot: Ballot.Ballot }> = []
  /** What every node's machine holds before the first slot. */
  private initial: Replicated.Replicated<Lock.State> = Lock.executor.initial
  private sentences: Array<string> = []

  constructor(founders: Membership.Membership) {
    const durable = Durable.founded(founders)
    this.table.open(Slot.zero, quorumsOf(durable.epochs.present))
    for (const id of founders.voters) {
      this.disks.set(id, new Disk(durable))
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

  /** All nodes that there ever were. */
  get members(): ReadonlyArray<NodeId.NodeId> {
    return Array.from(this.disks.keys())
  }

  /** The nodes that run. */
  get nodes(): ReadonlyArray<RoomNode> {
    return this.members.flatMap((id) => this.running.get(id) ?? [])
  }

  /** Those of them that vote, in the epoch that they are in. */
  private get voters(): ReadonlyArray<RoomNode> {
    return this.nodes.filter(({ isVoter }) => isVoter)
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

  /** What it holds of the epoch that it is in. */
  holding(id: NodeId.NodeId): string {
    const { entries } = this.disk(id)
    const held = this.held(id)
    const { present: epoch } = held.epochs
    return Say.holding(this.labels(entries.slice(epoch.after)), { ...held, epoch })
  }

  // Nodes

  crash(id: NodeId.NodeId): void {
    for (const { client } of this.node(id).waiting.values()) this.say(`${client.name} gets no answer from node ${id}`)
    this.running.delete(id)
    // What it had sent is on its way; what it said to itself is forgotten with the rest.
    this.mail.forget(({ from, to }) => from === id && to === id)
    this.say(`node ${id} has crashed; on its disk is ${this.holding(id)}`)
  }

  restart(id: NodeId.NodeId): void {
    if (this.running.has(id)) throw new Refused(`node ${id} to be down`, "that it runs")
    this.start(id)
    this.say(`node ${id} is back: it has promised ${Say.ballot(this.held(id).promised)}, holding ${this.holding(id)}`)
  }

  /** A node with an empty disk, which belongs to no cluster until a stop sign names it. */
  join(id: NodeId.NodeId): void {
    if (this.disks.has(id)) throw new Refused("a number that no node ever had", `node ${id}`)
    this.disks.set(id, new Disk(Durable.initial))
    this.start(id)
    this.say(`node ${id} runs, with an empty disk, and belongs to no cluster`)
  }

  private start(id: NodeId.NodeId): void {
    const node = new RoomNode(id, this.disk(id), this.initial)
    this.running.set(id, node)
    this.learn(node, { _tag: "Chosen", after: node.acceptor.chosenThrough, entries: [] })
  }

  /** Somebody asks a node to have others vote. */
  change(id: NodeId.NodeId, voters: ReadonlyArray<NodeId.NodeId>): void {
    const node = this.node(id)
    const { epoch, proposer } = node
    const wanted: Membership.Membership = { voters, learners: [], quorums: { _tag: "Majority" } }
    const next = MembershipChange.next(proposer, epoch, { expect: epoch.number, wanted }, node.options)
    if (Either.isLeft(next) || proposer._tag !== "Leading") {
      return this.say(RoomSays.unchanged(node, Either.isLeft(next) ? next.left : { _tag: "NotLeading" }))
    }
    const slot = Slot.plus(proposer.log.through, 1)
    const entry = Entry.stopSign(0, epoch.number, next.right)
    const members = RoomSays.membership(next.right)
    this.say(
      `node ${id} proposes ${this.clients.label(entry)} in slot ${slot} at ${Say.ballot(proposer.ballot)}: then ${members}`
    )
    this.propose(node, { _tag: "Propose", entries: [entry] })
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
    if (node === undefined || this.mail.isOffline(at)) return this.say(`${client.name} can't reach node ${at}`)
    const { proposer } = node
    if (proposer._tag !== "Leading") {
      const { node: leader } = proposer.highest
      const hint = leader === 0 || leader === at ? "" : `, ask node ${leader}`
      return this.tell(at, client, { _tag: "Elsewhere", reason: `I don't lead${hint}` })
    }
    if (Proposer.capacity(proposer, node.options) === 0) {
      return this.tell(at, client, { _tag: "Elsewhere", reason: "I have too much to do" })
    }
    const entry = Entry.commands(0, batch)
    const slot = Slot.plus(proposer.log.through, 1)
    this.say(`node ${at} proposes ${this.clients.label(entry)} in slot ${slot} at ${Say.ballot(proposer.ballot)}`)
    node.waiting.set(slot, { client, entry })
    this.propose(node, { _tag: "Propose", entries: [entry] })
  }

  private tell(at: NodeId.NodeId, client: Client, told: Told): void {
    if (this.mail.isOffline(at)) return this.say(`node ${at} can't tell ${client.name}: ${Say.reply(told)}`)
    client.told.push({ node: at, told })
    if (told._tag === "Opened") client.session = told.session
    this.say(`node ${at} tells ${client.name}: ${Say.reply(told)}`)
  }

  // Messages

  private send(node: RoomNode, to: NodeId.NodeId, message: Say.Addressed["message"]): void {
    this.mail.send({ from: node.id, to, epoch: node.epoch.number, message })
  }

  /** What a node does with a message that it gets. What is chosen is chosen whatever the epoch; all else counts in its own. */
  private arrive({ epoch, from, message, to }: Say.Addressed): void {
    const node = this.node(to)
    switch (message._tag) {
      case "Learn":
      case "Learned":
        return this.accept(node, from, message)
      case "Unlearnable":
        throw new Refused("stories without snapshots", "a log that was trimmed")
      case "Late":
        return epoch > node.epoch.number ? this.catchUp(node, from) : undefined
    }
    switch (Epoch.judge(node.epoch.number, epoch)) {
      case "behind":
        this.say(`node ${to} hears from node ${from} that epoch ${epoch} has begun`)
        return this.catchUp(node, from)
      case "late":
        // What it had to tell itself is of no use any more.
        if (from === to) return
        this.say(`node ${to} ignores ${message._tag} ${Say.ballot(message.ballot)}: epoch ${epoch} is over`)
        return RoomSays.isToAcceptor(message) ? this.send(node, from, { _tag: "Late" }) : undefined
      case "obey":
        return RoomSays.isToAcceptor(message)
          ? this.accept(node, from, message)
          : this.propose(node, { _tag: "Receive", from, message })
    }
  }

  private catchUp(node: RoomNode, from: NodeId.NodeId): void {
    this.send(node, from, { _tag: "Learn", after: node.acceptor.chosenThrough, bytes: sizes.chunk })
  }

  // The roles

  private accept(
    node: RoomNode,
    from: NodeId.NodeId,
    message: Message.ToAcceptor | Message.Learn | Message.Learned
  ): void {
    const before = node.acceptor
    const { epoch } = node
    const { actions, state } = Acceptor.step(before, message, sizes)
    node.acceptor = state
    for (const action of actions) {
      if (action._tag !== "Persist") continue
      node.disk.write(action.write)
      const { durable, entries } = node.disk
      this.table.wrote(node.id, durable.epochs.present.after, durable, entries)
    }
    const respond = (answer: Message.ToProposer) => {
      if (answer._tag === "Rejected") this.refusals.push({ node: node.id, ballot: answer.ballot })
      this.say(...RoomSays.answered(this, node, before, message, answer))
      // The answer belongs to the epoch of the question, also where that has ended with it.
      this.mail.send({ from: node.id, to: from, epoch: epoch.number, message: answer })
    }
    this.say(...RoomSays.learned(node, before, message))
    for (const action of actions) {
      if (action._tag === "Reply") respond(action.message)
      if (action._tag === "Read") {
        const { after, ballot, bytes } = action.fetch
        const entries = Acceptor.atMost(node.disk.entries.slice(after), bytes)
        respond({ _tag: "Fetched", ballot, after, entries })
      }
      if (action._tag === "Teach") this.teach(node, from, action.message)
      if (action._tag === "ReadChosen") {
        const { lesson, slots } = action
        this.teach(node, from, { ...lesson, entries: node.disk.entries.slice(lesson.after, lesson.after + slots) })
      }
    }
    for (const action of actions) {
      if (action._tag === "Deliver") this.learn(node, { _tag: "Chosen", after: action.after, entries: action.entries })
      if (action._tag === "Enter") this.enter(node)
    }
    if (node.epoch === epoch && Ballot.greaterThan(state.promised, before.promised)) {
      this.propose(node, { _tag: "Observe", ballot: state.promised })
      this.elect(node, { _tag: "Observe", ballot: state.promised })
    }
    // There may be more to learn there.
    if (message._tag === "Learned" && message.entries.length > 0) this.catchUp(node, from)
  }

  private teach(node: RoomNode, to: NodeId.NodeId, lesson: Message.Learned | Message.Unlearnable): void {
    if (lesson._tag === "Learned") this.say(...RoomSays.taught(this, node, to, lesson))
    this.send(node, to, lesson)
  }

  /** An epoch begins; whoever led the last one, or the first voter, tries to lead it at once. */
  private enter(node: RoomNode): void {
    const { epoch } = node
    this.table.open(epoch.after, quorumsOf(epoch))
    this.say(`node ${node.id} enters epoch ${epoch.number}: ${RoomSays.membership(epoch.membership)}`)
    if (node.enter()) this.propose(node, { _tag: "Campaign", above: Ballot.zero })
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
    const { actions, state } = Proposer.step(before, input, node.options)
    node.proposer = state
    this.say(...RoomSays.proposed(this, node, before))
    if (state._tag === "Preparing" && (before._tag === "Following" || !Ballot.equals(state.ballot, before.ballot))) {
      this.table.prepared(node.epoch.after, state.ballot)
    }
    const claim = Proposer.claim(state)
    const claimed = Proposer.claim(before)
    if (claim.leading !== claimed.leading || !Ballot.equals(claim.claim, claimed.claim)) {
      this.elect(node, { _tag: "Claim", ...claim })
    }
    for (const action of actions) {
      if (action._tag === "Send") this.send(node, action.to, action.message)
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
    for (const node of this.voters) {
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
      if (this.mail.isOffline(node.id)) continue
      for (const other of this.voters) {
        if (other === node || this.mail.isOffline(other.id) || other.epoch.number !== node.epoch.number) continue
        const reply = this.elect(other, { _tag: "Heartbeat", message }).find(({ _tag }) => _tag === "Reply")
        if (reply?._tag === "Reply") this.elect(node, { _tag: "HeartbeatReply", message: reply.message })
      }
    }
  }

  private elect(node: RoomNode, input: Election.Input): ReadonlyArray<Election.Action> {
    const { actions, state } = Election.step(node.election, input, node.options)
    node.election = state
    for (const action of actions) {
      if (action._tag === "Campaign") this.propose(node, { _tag: "Campaign", above: action.above })
      if (action._tag === "Follow") this.propose(node, { _tag: "Observe", ballot: action.ballot })
    }
    return actions
  }
}
