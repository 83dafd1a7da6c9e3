/**
 * A node of the core tier: the plain steps of all four roles, put together as a replica's actors put them together, with a
 * journal, timers, and a machine. It can crash between any two actions, and stand still.
 *
 * ```
 *   network ──► acceptor ── persist, then replies, then chosen ──► learner ──► machine ──► clients
 *   clients ──► proposer ── Prepare, Accept ──► acceptors: the others', then its own
 *   timers  ──► election ── Campaign, Follow ──► proposer
 * ```
 *
 * It is one class, since everything in it is lost at once.
 *
 * @internal
 */
import { Acceptor, Ballot, Election, Entry, Learner, Proposer, Slot } from "@synod/paxos"
import type { Durable, Message, NodeId, Quorum } from "@synod/paxos"
import type { CoreSteps } from "../CoreSteps.js"
import type { Counts, Rates } from "../Fault.js"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import type { CoreDisk } from "./coreDisk.js"
import type { CoreJudge } from "./coreJudge.js"
import * as Machine from "./coreMachine.js"
import { nameOf, type Address, type Envelope } from "./coreMessage.js"
import type { CoreNetwork } from "./coreNetwork.js"
import { CoreSnapshots } from "./coreSnapshots.js"
import { lasts, type Setting } from "./coreSetting.js"
import type { CoreTrace } from "./coreTrace.js"

/** Thrown at a point of a turn: the node's memory is gone. */
class Stopped {
  constructor(readonly why: string) {}
}

/** What happens when a leader tells a successor. @internal */
export const handsOver = "a leader hands over"

/** A write takes long: for crashes it counts as so many actions. */
const actionsPerWrite = 5

/** How often a leader stands still before it answers from a lease, as a share of the rate of pauses. */
const worstMoment = 0.3

/** What the parts of a node may tell each other in one turn: past it they turn in a circle. */
const maxLocal = 10_000

/** Who waits for the answer to a command or a read: clients, who retry, are told at most once. */
interface Waiting extends Machine.Command {
  readonly from: Address
}

/** @internal */
export interface NodeWorld {
  readonly now: () => number
  readonly agenda: Agenda<() => void>
  readonly seeded: Seeded
  readonly counts: Counts
  readonly setting: Setting
  readonly quorums: Quorum.QuorumSystem
  readonly steps: CoreSteps
  readonly network: CoreNetwork
  readonly judge: CoreJudge
  readonly trace: CoreTrace
  /** A number for each life of each node. */
  readonly newLife: () => number
  /** The node has stopped, and may be started again. */
  readonly stopped: (node: CoreNode) => void
  /** The ballot under which a node leads now. */
  readonly leads: (node: CoreNode) => void
}

/** @internal */
export class CoreNode {
  /** 0 while it is down; each start is a new one. */
  life = 0
  proposer!: Proposer.State
  private acceptor!: Acceptor.State
  private election!: Election.State
  private learner!: Learner.State
  machine!: Machine.Machine
  readonly name: string
  /** Inputs of the acceptor that wait for the disk. */
  private mailbox: Array<{ readonly from: NodeId.NodeId; readonly message: Acceptor.Input }> = []
  private writing = false
  /** What its parts have to tell each other in this turn. */
  private local: Array<() => void> = []
  private pausedUntil = 0
  private backlog: Array<() => void> = []
  /** How fast its clock runs. */
  private pace = 1
  /** The round in which each peer was asked and has not answered yet, and until when it may. */
  private readonly asked = new Map<NodeId.NodeId, { readonly round: number; readonly until: number }>()
  /** Peers that answered the last time. */
  private readonly audible = new Set<NodeId.NodeId>()
  private roundIsOver = false
  private waiting: Array<Waiting> = []
  private proposed = new Map<number, { readonly entry: Entry.Entry; readonly waiting: ReadonlyArray<Waiting> }>()
  private readers: Array<Waiting> = []
  private confirming: { readonly round: number; readonly readers: ReadonlyArray<Waiting> } | undefined
  /** Reads that may be answered once a slot is applied, and if they rely on it, while the lease holds. */
  private confirmed: Array<Waiting & { readonly slot: number; readonly leased: boolean }> = []
  /** Counts hand-overs that were begun. */
  private handOvers = 0
  /** The lead is being handed over: to this node alone, or to whoever can. */
  private handing: { readonly number: number; readonly only: NodeId.NodeId | undefined; asked: boolean } | undefined
  private readonly options: Proposer.Options
  private readonly acceptorOptions: Acceptor.Options
  private readonly electionOptions: Election.Options
  private readonly others: ReadonlyArray<NodeId.NodeId>
  private readonly snapshots: CoreSnapshots

  constructor(
    readonly id: NodeId.NodeId,
    readonly disk: CoreDisk,
    private readonly world: NodeWorld,
    private rates: Rates
  ) {
    this.name = nameOf(id)
    const { lease, preferred, sizes } = world.setting
    this.options = { self: id, quorums: world.quorums, ...sizes, ...(lease && { lease: lease.terms }) }
    this.acceptorOptions = { keep: sizes.keep, grant: lease?.grant ?? 0 }
    const priority = (node: NodeId.NodeId) => (node === preferred ? 1 : 0)
    this.electionOptions = { self: id, quorums: world.quorums, priority }
    this.others = world.quorums.members.filter((node) => node !== id)
    this.snapshots = new CoreSnapshots(
      {
        id,
        disk,
        others: this.others,
        acceptor: () => this.acceptor,
        applied: () => this.learner.appliedThrough,
        input: (message) => {
          this.mailbox.push({ from: id, message })
          this.tell(() => this.accept())
        },
        later: (milliseconds, run) => this.later(milliseconds, () => this.perform(run))
      },
      world
    )
  }

  get applied(): number {
    return this.life === 0 ? 0 : this.learner.appliedThrough
  }

  get isLeading(): boolean {
    return this.life !== 0 && this.proposer._tag === "Leading"
  }

  get isHandingOver(): boolean {
    return this.handing !== undefined
  }

  // Life and death

  start(): void {
    if (this.life !== 0) return
    const { counts, judge, newLife, seeded, trace } = this.world
    const { durable, entries } = this.disk
    this.life = newLife()
    trace.event(
      this.name,
      "starts",
      durable.acceptedThrough,
      () => `starts with ballot ${Ballot.format(durable.promised)}`
    )
    this.pace = 1
    if (seeded.chance(this.rates.skew ?? 0)) {
      counts.fired("skew")
      this.pace = 0.9 + 0.2 * seeded.next()
    }
    const granted = this.clock() + (this.acceptorOptions.grant ?? 0)
    this.acceptor = Acceptor.recover(durable, entries.slice(durable.chosenThrough), granted)
    this.proposer = Proposer.initial(durable.promised)
    this.election = Election.initial(durable.promised)
    const snapshot = this.disk.snapshots.find(({ slot }) => slot >= durable.trimmedThrough)
    this.learner =
      snapshot === undefined && durable.trimmedThrough > 0
        ? Learner.waiting
        : Learner.initial(snapshot?.slot ?? Slot.zero)
    this.machine = snapshot === undefined ? Machine.make() : Machine.copy(snapshot.machine)
    if (snapshot !== undefined) judge.restored(this.id, snapshot)
    this.snapshots.begin(this.learner.appliedThrough)
    this.mailbox = []
    this.local = []
    this.backlog = []
    this.writing = false
    this.roundIsOver = false
    this.pausedUntil = 0
    this.asked.clear()
    this.waiting = []
    this.readers = []
    this.confirming = undefined
    this.confirmed = []
    this.proposed = new Map()
    for (const node of this.others) this.audible.add(node)
    this.handing = undefined
    if (durable.acceptedThrough > 0) judge.happened("a node comes back with a log")
    this.perform(() => {
      if (this.learner === Learner.waiting) this.snapshots.rebuild()
      // Chosen through there at least, which the journal may not have noted.
      if (snapshot !== undefined)
        this.mailbox.push({ from: this.id, message: { _tag: "Install", slot: snapshot.slot } })
      this.tell(() => this.accept())
      this.learn({ _tag: "Chosen", after: durable.chosenThrough, entries: [] })
      this.round()
      this.resend()
    })
  }

  /** Its memory is gone, and it says nothing more. */
  stop(why: string): void {
    if (this.life === 0) return
    this.world.trace.event(this.name, "stops", 0, () => `stops: ${why}`)
    this.life = 0
    this.disk.crash()
    this.world.stopped(this)
  }

  /** Stands still, and goes on with old timers. */
  pause(milliseconds: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.world.now() + milliseconds)
    this.later(milliseconds, () => this.goOn())
  }

  /** Stands still at the worst moment, perhaps: it relies on the time, and is about to say so. */
  private hesitate(): void {
    const { counts, seeded } = this.world
    if (!seeded.chance(worstMoment * (this.rates.pause ?? 0))) return
    counts.fired("pause")
    this.pause(seeded.between(...lasts.pause))
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.rates = {}
    this.pausedUntil = 0
    this.goOn()
  }

  private goOn(): void {
    if (this.life === 0 || this.world.now() < this.pausedUntil) return
    const backlog = this.backlog
    this.backlog = []
    if (backlog.length > 0) this.world.trace.event(this.name, "goes on", backlog.length, () => "goes on after a pause")
    for (const run of backlog) this.perform(run)
  }

  /** The node's own clock: it drifts, and goes on while the node stands still. */
  private clock(): number {
    return this.world.now() / this.pace
  }

  /** Does something later in this life, by the world's clock. */
  private later(milliseconds: number, run: () => void): void {
    const { life } = this
    this.world.agenda.add(this.world.now() + milliseconds, () => {
      if (this.life === life) run()
    })
  }

  /** Does something after a time, by the node's own clock. */
  private timer(milliseconds: number, run: () => void): void {
    this.later(milliseconds * this.pace, () => this.perform(run))
  }

  /** One turn: with all that follows from it inside the node, unless it crashes on the way. */
  private perform(run: () => void): void {
    if (this.life === 0) return
    if (this.world.now() < this.pausedUntil) return void this.backlog.push(run)
    try {
      run()
      for (let i = 0; i < this.local.length; i++) {
        if (i > maxLocal)
          this.world.judge.fail("progress", `the parts of ${this.name} have no end of telling each other`)
        this.local[i]!()
      }
      this.local.length = 0
    } catch (stopped) {
      if (!(stopped instanceof Stopped)) throw stopped
      this.stop(stopped.why)
    }
  }

  private tell(run: () => void): void {
    this.local.push(run)
  }

  /** A place between two actions. */
  private point(): void {
    if (!this.world.seeded.chance(this.rates.crash ?? 0)) return
    this.world.counts.fired("crash")
    throw new Stopped("crashes")
  }

  // Messages

  get(from: Address, envelope: Envelope): void {
    if (this.life === 0) {
      if (envelope.kind === "ask") {
        this.world.network.send(this.id, from, { kind: "refused", round: envelope.message.round })
      }
      return
    }
    this.perform(() => this.handle(from, envelope))
  }

  private handle(from: Address, envelope: Envelope): void {
    const peer = from as NodeId.NodeId
    switch (envelope.kind) {
      case "ask":
        return this.hear(peer, envelope.message)
      case "heard":
        if (this.asked.get(peer)?.round !== envelope.message.round) return
        this.audible.add(peer)
        this.elect({ _tag: "HeartbeatReply", message: envelope.message })
        return this.answeredRound(peer)
      case "refused":
        return this.asked.get(peer)?.round === envelope.round ? this.answeredRound(peer) : undefined
      case "takeOver":
        return this.elect({ _tag: "TakeOver", message: envelope.message })
      case "acceptor": {
        const { message } = envelope
        if (message._tag === "Prepare" && !this.world.steps.heeds(this.election, message)) return
        this.mailbox.push({ from: peer, message })
        return this.accept()
      }
      case "proposer":
        return this.propose({ _tag: "Receive", from: peer, message: envelope.message })
      case "fetchSnapshot":
        return this.snapshots.serve(peer, envelope.ballot)
      case "snapshot":
        return this.snapshots.got(envelope.snapshot)
      case "noSnapshot":
        return this.snapshots.got(undefined)
      case "submit":
        return this.serve("submit", { from, client: envelope.client, sequence: envelope.sequence })
      case "read": {
        const { client, leased, sequence } = envelope
        return this.serve(leased ? "leased" : "read", { from, client, sequence })
      }
      case "answer":
      case "notLeader":
        return
    }
  }

  // Acceptor

  private accept(): void {
    if (this.writing || this.mailbox.length === 0) return
    const inputs = this.mailbox
    this.mailbox = []
    let state = this.acceptor
    const asked: Array<{ readonly from: NodeId.NodeId; readonly action: Acceptor.Action }> = []
    const writes: Array<Durable.Write> = []
    for (const { from, message } of inputs) {
      const next = this.world.steps.acceptor(state, message, this.acceptorOptions, this.clock())
      state = next.state
      for (const action of next.actions) {
        if (action._tag === "Persist") writes.push(action.write)
        else asked.push({ from, action })
      }
    }
    if (writes.length === 0) return this.accepted(state, asked)
    this.persist(writes, () => {
      this.accepted(state, asked)
      this.accept()
    })
  }

  private persist(writes: ReadonlyArray<Durable.Write>, then: () => void): void {
    const { counts, now, seeded } = this.world
    this.point()
    const time = this.disk.begin(writes)
    if (typeof time === "string") throw new Stopped(`its disk ${time}`)
    this.writing = true
    const end = now() + time
    if (seeded.chance(actionsPerWrite * (this.rates.crash ?? 0))) {
      this.later(time * seeded.next(), () => {
        counts.fired("crash")
        this.stop("crashes in the middle of a write")
      })
    }
    // The disk does its part even while the node stands still.
    this.later(end - now(), () => {
      this.disk.end()
      this.perform(() => {
        this.writing = false
        then()
      })
    })
  }

  /** Everything is durable: now it may be said, and then handed on. */
  private accepted(
    state: Acceptor.State,
    asked: ReadonlyArray<{ readonly from: NodeId.NodeId; readonly action: Acceptor.Action }>
  ): void {
    this.acceptor = state
    this.isDurable()
    for (const { action, from } of asked) {
      this.point()
      if (action._tag === "Reply") this.reply(from, action.message)
      else if (action._tag === "Read") {
        const { after, ballot, bytes } = action.fetch
        // Trimmed meanwhile, it stays unanswered, and is asked for elsewhere.
        const entries = this.disk.read(after, this.world.setting.replay)
        if (entries === undefined) continue
        this.reply(from, { _tag: "Fetched", ballot, after, entries: Acceptor.atMost(entries, bytes) })
      } else if (action._tag === "Pull") this.snapshots.pull(action.source)
    }
    for (const { action } of asked) {
      // A newer one may have taken its place by now.
      if (action._tag === "Restore" && this.snapshotAt(action.slot) !== undefined) {
        this.learn({ _tag: "Restored", slot: action.slot })
      }
      if (action._tag !== "Deliver") continue
      this.point()
      this.learn({ _tag: "Chosen", after: action.after, entries: action.entries })
    }
  }

  private reply(to: NodeId.NodeId, message: Message.ToProposer): void {
    if (message._tag === "Promise") {
      this.tell(() => this.propose({ _tag: "Observe", ballot: message.ballot }))
      this.tell(() => this.elect({ _tag: "Observe", ballot: message.ballot }))
    }
    if (to === this.id) this.tell(() => this.propose({ _tag: "Receive", from: to, message }))
    else this.world.network.send(this.id, to, { kind: "proposer", message })
  }

  /** What an acceptor says is what its journal says, but for `chosenThrough`, which may be forgotten. */
  private isDurable(): void {
    const { acceptedBallot, acceptedThrough, promised, trimmedThrough } = Acceptor.durable(this.acceptor)
    const { durable } = this.disk
    if (
      Ballot.equals(promised, durable.promised) &&
      Ballot.equals(acceptedBallot, durable.acceptedBallot) &&
      acceptedThrough === durable.acceptedThrough &&
      trimmedThrough === durable.trimmedThrough
    )
      return
    this.world.judge.fail(
      "durable before spoken",
      `${this.name} is about to speak, and its journal lacks what it relies on`
    )
  }

  // Learner

  private learn(input: Learner.Input): void {
    const { judge, setting, steps } = this.world
    const { actions, state } = steps.learner(this.learner, input)
    this.learner = state
    for (const action of actions) {
      if (action._tag === "Apply") {
        this.point()
        this.apply(action.slot, action.entry)
      } else if (action._tag === "Restore") {
        this.restore(action.slot)
      } else if (action._tag === "Read") {
        judge.happened("a learner reads what it missed from the journal")
        const { after } = action
        this.later(setting.sync, () =>
          this.perform(() => {
            const entries = this.disk.read(after, setting.replay)
            if (entries === undefined) this.snapshots.rebuild()
            else this.learn({ _tag: "Read", after, entries })
          })
        )
      }
    }
    if (this.confirmed.length > 0) this.answerReads()
  }

  /** The machine of a snapshot; whoever waits for a slot that it covers asks again. */
  private restore(through: Slot.Slot): void {
    const { judge, trace } = this.world
    const snapshot = this.snapshotAt(through)
    if (snapshot === undefined)
      return judge.fail("whole snapshots", `${this.name} lacks the snapshot of slot ${through}`)
    judge.restored(this.id, snapshot)
    this.machine = Machine.copy(snapshot.machine)
    trace.event(this.name, "restores", through, () => `goes on from the snapshot of slot ${through}`)
    for (const [slot, { waiting }] of this.proposed) {
      if (slot > through) continue
      this.proposed.delete(slot)
      waiting.forEach((one) => this.refuse(one))
    }
  }

  private snapshotAt(through: Slot.Slot): Machine.Snapshot | undefined {
    return this.disk.snapshots.find(({ slot }) => slot === through)
  }

  private apply(slot: number, entry: Entry.Entry): void {
    const { judge, steps, trace } = this.world
    const fresh: Array<Machine.Command> = []
    const answers: Array<number | undefined> = []
    const commands = Machine.decode(entry)
    for (const command of commands) {
      const performed = steps.perform(this.machine, command, slot)
      answers.push(performed.slot)
      if (performed.fresh) fresh.push(command)
      else judge.happened("a command that was chosen twice is answered from its session")
    }
    const { digest } = this.machine
    trace.event(this.name, "applies", digest, () => `applies slot ${slot}: ${commands.map(Machine.format).join(" ")}`)
    judge.applied(this.id, slot, entry, fresh, digest)
    this.snapshots.applied(slot, () => Machine.copy(this.machine))
    const expected = this.proposed.get(slot)
    if (expected === undefined) return
    this.proposed.delete(slot)
    // Somebody else's entry took the slot: whoever waits asks again.
    if (!Entry.equals(expected.entry, entry)) return expected.waiting.forEach((waiting) => this.refuse(waiting))
    expected.waiting.forEach(({ from, sequence }, i) => {
      if (answers[i] === undefined) return
      this.world.network.send(this.id, from, { kind: "answer", sequence, slot: answers[i] })
    })
  }

  // Proposer

  private propose(input: Proposer.Input): void {
    const { judge, leads, network, steps } = this.world
    const before = Proposer.claim(this.proposer)
    const { actions, state } = steps.proposer(this.proposer, input, this.options)
    this.proposer = state
    const claim = Proposer.claim(state)
    if (claim.leading !== before.leading || !Ballot.equals(claim.claim, before.claim)) {
      this.tell(() => this.elect({ _tag: "Claim", ...claim }))
    }
    let own: Array<Message.ToAcceptor> | undefined
    for (const action of actions) {
      switch (action._tag) {
        case "Send":
          if (action.message._tag === "Fetch" && action.to !== this.id) {
            judge.happened(
              before.leading ? "old entries are fetched for a follower" : "a log is adopted from another node"
            )
          }
          if (action.to === this.id) {
            ;(own ??= []).push(action.message)
          } else {
            this.point()
            judge.spoke(this.id, this.life, action.message.ballot)
            network.send(this.id, action.to, { kind: "acceptor", message: action.message })
          }
          break
        case "Lead":
          leads(this)
          if (state._tag === "Leading" && action.adoptedThrough > state.chosenThrough) {
            judge.happened("a new leader adopts what may be chosen")
          }
          break
        case "Resign":
          if (before.leading) judge.happened("a leader gives way to a higher ballot")
          this.resign(action.ballot)
          break
        case "Confirmed":
          this.confirm(action)
          break
      }
    }
    if (this.handing !== undefined) this.tell(() => this.handOn())
    // The others first: the own acceptor has to wait for its disk.
    for (const message of own ?? []) {
      this.mailbox.push({ from: this.id, message })
      this.tell(() => this.accept())
    }
    if (this.waiting.length > 0 || this.readers.length > 0) this.tell(() => this.drain())
  }

  /** Makes slots of what waits, and has the ballot confirmed if reads wait. */
  private drain(): void {
    if (this.waiting.length === 0 && this.readers.length === 0) return
    if (this.proposer._tag !== "Leading") return this.refuseAll()
    if (this.handing !== undefined) return
    const { now, setting } = this.world
    const entries: Array<Entry.Entry> = []
    for (let room = Proposer.capacity(this.proposer, this.options); room > 0 && this.waiting.length > 0; room--) {
      const waiting = this.waiting.splice(0, setting.batch)
      const entry = Machine.encode(Math.floor(now()), waiting)
      entries.push(entry)
      this.proposed.set(this.proposer.log.through + entries.length, { entry, waiting })
    }
    if (entries.length > 0) this.propose({ _tag: "Propose", entries })
    if (this.readers.length === 0 || this.confirming !== undefined || this.proposer._tag !== "Leading") return
    this.confirming = { round: this.proposer.confirm.asked + 1, readers: this.readers }
    this.readers = []
    this.propose({ _tag: "Confirm", now: this.clock() })
  }

  private confirm({ confirm, slot }: Extract<Proposer.Action, { readonly _tag: "Confirmed" }>): void {
    if (this.confirming === undefined || this.confirming.round > confirm) return
    this.world.judge.happened("a ballot is confirmed for reads")
    for (const reader of this.confirming.readers) this.confirmed.push({ ...reader, slot, leased: false })
    this.confirming = undefined
    this.answerReads()
  }

  private answerReads(): void {
    const { appliedThrough } = this.learner
    const ready = this.confirmed.filter(({ slot }) => slot <= appliedThrough)
    if (ready.length === 0) return
    this.confirmed = this.confirmed.filter(({ slot }) => slot > appliedThrough)
    for (const { client, from, leased, sequence } of ready) {
      if (leased && Proposer.leased(this.proposer, this.options, this.clock()) === undefined) {
        this.world.judge.happened("a lease ends before the read that relies on it is answered")
        this.tell(() => this.serve("read", { from, client, sequence }))
        continue
      }
      this.world.network.send(this.id, from, { kind: "answer", sequence, slot: appliedThrough })
    }
  }

  // Hand-over

  /** Hands the lead over, if it has it. */
  handOver(only: NodeId.NodeId | undefined): boolean {
    if (!this.isLeading || this.handing !== undefined || this.others.length === 0) return false
    const number = ++this.handOvers
    this.handing = { number, only, asked: false }
    this.later(this.world.setting.handOver, () =>
      this.perform(() => {
        if (this.handing?.number !== number) return
        this.handing = undefined
        if (this.proposer._tag === "Leading" && this.proposer.lease.released) {
          this.propose({ _tag: "Campaign", above: Ballot.zero })
        }
        this.drain()
      })
    )
    this.perform(() => this.handOn())
    return true
  }

  private handOn(): void {
    if (this.handing === undefined || this.proposer._tag !== "Leading") return
    if (this.handing.asked || this.confirming !== undefined || this.proposed.size > 0) return
    const { only } = this.handing
    const to = Proposer.successors(this.proposer, this.options).find((node) => only === undefined || node === only)
    if (to === undefined) return
    this.handing.asked = true
    this.propose({ _tag: "Release" })
    this.point()
    this.world.judge.happened(handsOver)
    const { ballot } = this.proposer
    this.world.network.send(this.id, to, { kind: "takeOver", message: { _tag: "TakeOver", ballot } })
  }

  private resign(ballot: Ballot.Ballot): void {
    this.handing = undefined
    for (const { waiting } of this.proposed.values()) waiting.forEach((one) => this.refuse(one))
    this.proposed = new Map()
    this.refuseAll()
    this.tell(() => this.elect({ _tag: "Observe", ballot }))
  }

  private refuseAll(): void {
    const refused = [...this.waiting, ...this.readers, ...(this.confirming?.readers ?? [])]
    this.waiting = []
    this.readers = []
    this.confirming = undefined
    for (const one of refused) this.refuse(one)
  }

  private refuse({ from, sequence }: Waiting): void {
    const { node } = this.election.leader
    const leader = node === 0 || node === this.id ? undefined : node
    this.world.network.send(this.id, from, { kind: "notLeader", sequence, leader })
  }

  private serve(kind: "submit" | "read" | "leased", waiting: Waiting): void {
    if (this.proposer._tag !== "Leading") return this.refuse(waiting)
    const slot = kind === "leased" ? Proposer.leased(this.proposer, this.options, this.clock()) : undefined
    if (slot !== undefined) {
      this.world.judge.happened("a read relies on a lease")
      this.confirmed.push({ ...waiting, slot, leased: true })
      this.hesitate()
      return this.later(0, () => this.perform(() => this.answerReads()))
    }
    if (kind === "submit") this.waiting.push(waiting)
    else this.readers.push(waiting)
    this.drain()
  }

  /** A command from nobody, straight into the queue of a node that leads. */
  probe(command: Machine.Command & { readonly from: Address }): void {
    this.perform(() => {
      if (this.proposer._tag === "Leading") this.serve("submit", command)
    })
  }

  // Election and timers

  private elect(input: Election.Input): void {
    const { actions, state } = this.world.steps.election(this.election, input, this.electionOptions)
    this.election = state
    for (const action of actions) {
      switch (action._tag) {
        case "Ask":
          for (const to of this.others) {
            if (this.asked.has(to)) continue
            this.asked.set(to, {
              round: action.message.round,
              until: this.world.now() + this.world.setting.silence * this.pace
            })
            this.world.network.send(this.id, to, { kind: "ask", message: action.message })
          }
          break
        case "Campaign":
          this.tell(() => this.propose(action))
          break
        case "Withdraw":
          this.world.judge.happened("an attempt to lead is given up")
          this.tell(() => this.propose(action))
          break
        case "HandOver":
          this.prefer(action.to)
          break
        case "Follow":
          this.tell(() => this.propose({ _tag: "Observe", ballot: action.ballot }))
          break
        case "Reply":
          break
      }
    }
  }

  private prefer(to: NodeId.NodeId): void {
    if (!Proposer.keepsUp(this.proposer, to, this.options)) return
    if (this.handOver(to)) this.world.judge.happened("a leader hands over to a node that should rather lead")
  }

  private hear(from: NodeId.NodeId, message: Message.Heartbeat): void {
    const { actions } = this.world.steps.election(this.election, { _tag: "Heartbeat", message }, this.electionOptions)
    for (const action of actions) {
      if (action._tag === "Reply") this.world.network.send(this.id, from, { kind: "heard", message: action.message })
    }
  }

  private answeredRound(peer: NodeId.NodeId): void {
    this.asked.delete(peer)
    if (this.roundIsOver && !this.isAwaiting()) this.round()
  }

  /** Somebody who answered the last time has not answered yet. */
  private isAwaiting(): boolean {
    for (const node of this.asked.keys()) if (this.audible.has(node)) return true
    return false
  }

  /** Ticks until everyone has answered or is silent, and at least for the pause. */
  private round(): void {
    this.roundIsOver = false
    this.elect({ _tag: "Tick" })
    this.timer(this.pauseTime(), () => {
      this.roundIsOver = true
      this.endRound()
    })
  }

  private endRound(): void {
    if (!this.roundIsOver) return
    const now = this.world.now()
    let silent = Infinity
    for (const [node, { until }] of this.asked) {
      if (until > now) {
        if (this.audible.has(node)) silent = Math.min(silent, until)
        continue
      }
      this.asked.delete(node)
      this.audible.delete(node)
    }
    if (!this.isAwaiting()) return this.round()
    const { round } = this.election
    this.later(silent - now, () =>
      this.perform(() => {
        if (this.election.round === round) this.endRound()
      })
    )
  }

  private resend(): void {
    if (this.proposer._tag !== "Following") {
      if (this.handing !== undefined) this.handing.asked = false
      this.propose({ _tag: "Tick", now: this.clock() })
    }
    this.timer(this.pauseTime(), () => this.resend())
  }

  private pauseTime(): number {
    const { heartbeat, jitter } = this.world.setting
    return heartbeat * (1 + jitter * (this.world.seeded.next() - 0.5))
  }
}
