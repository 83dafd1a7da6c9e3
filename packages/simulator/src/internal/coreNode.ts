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
import { Acceptor, Ballot, Election, Entry, Epoch, Learner, Membership, Proposer, Slot } from "@synod/paxos"
import type { Durable, Message, NodeId } from "@synod/paxos"
import * as Either from "effect/Either"
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

/** What an input of the acceptor asked for, in the epoch in which it came. */
interface Asked {
  readonly from: NodeId.NodeId
  readonly epoch: number
  readonly action: Acceptor.Action
}

/** What is chosen, and what is on the own disk, is so in any epoch. */
const isOfAnyEpoch = ({ _tag }: Acceptor.Input): boolean =>
  _tag === "Learn" || _tag === "Learned" || _tag === "Install" || _tag === "Trim" || _tag === "Applied"

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
  /** Nodes that are asked by whoever belongs to nothing. */
  readonly founders: ReadonlyArray<NodeId.NodeId>
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
  /** The epoch of its proposer and election, and of what it says. */
  epoch!: Epoch.Epoch
  /** Inputs of the acceptor that wait for the disk; messages of proposers with their epoch. */
  private mailbox: Array<{ readonly from: NodeId.NodeId; readonly epoch?: number; readonly message: Acceptor.Input }> =
    []
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
  /** Until when an answer is waited for that tells what is chosen. */
  private learningUntil = 0
  /** Counts hand-overs that were begun. */
  private handOvers = 0
  /** The lead is being handed over: to this node alone, or to whoever can. */
  private handing: { readonly number: number; readonly only: NodeId.NodeId | undefined; asked: boolean } | undefined
  private options!: Proposer.Options
  private readonly acceptorOptions: Acceptor.Options
  private electionOptions!: Election.Options
  /** The other voters. */
  private others: ReadonlyArray<NodeId.NodeId> = []
  private readonly snapshots: CoreSnapshots

  constructor(
    readonly id: NodeId.NodeId,
    readonly disk: CoreDisk,
    private readonly world: NodeWorld,
    private rates: Rates
  ) {
    this.name = nameOf(id)
    const { lease, sizes } = world.setting
    this.acceptorOptions = { keep: sizes.keep, grant: lease?.grant ?? 0 }
    this.belong(disk.durable.epochs.present)
    this.snapshots = new CoreSnapshots(
      {
        id,
        disk,
        others: () => (this.others.length > 0 ? this.others : world.founders.filter((node) => node !== id)),
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

  private get isVoter(): boolean {
    return this.epoch.membership.voters.includes(this.id)
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
    this.belong(durable.epochs.present)
    this.learningUntil = 0
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
        this.mailbox.push({ from: this.id, message: { _tag: "Install", slot: snapshot.slot, at: snapshot.at } })
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

  // Epochs

  /** Its roles get the members and quorums of this epoch. */
  private belong(epoch: Epoch.Epoch): void {
    const { id, world } = this
    const { lease, preferred, sizes } = world.setting
    const { learners, voters } = epoch.membership
    const quorums = world.steps.quorums(epoch.membership)
    const priority = (node: NodeId.NodeId) => (node === preferred ? 1 : 0)
    this.epoch = epoch
    this.options = { self: id, quorums, learners, ...sizes, ...(lease && { lease: lease.terms }) }
    this.electionOptions = { self: id, quorums, priority }
    this.others = voters.filter((node) => node !== id)
  }

  /** Proposer and election begin anew; whoever led goes first, so that nobody waits for an election. */
  private enter(epoch: Epoch.Epoch): void {
    const led = this.election.leader.node
    this.world.trace.event(this.name, "enters", epoch.number, () => `enters epoch ${epoch.number}`)
    this.resign(Ballot.zero)
    this.belong(epoch)
    this.proposer = Proposer.initial(Ballot.zero)
    this.election = Election.initial(Ballot.zero)
    this.asked.clear()
    this.audible.clear()
    for (const node of this.others) this.audible.add(node)
    // Whoever was waited for belongs to the epoch that is over.
    if (this.roundIsOver) this.tell(() => this.endRound())
    if (!Epoch.begins(epoch, this.id, led)) return
    this.tell(() => {
      if (this.epoch === epoch) this.propose({ _tag: "Campaign", above: Ballot.zero })
    })
  }

  /** Asks another node what is chosen, unless it waits for an answer already. */
  private catchUp(from: NodeId.NodeId): void {
    const { network, now, setting } = this.world
    if (now() < this.learningUntil) return
    this.learningUntil = now() + setting.silence
    const { chunk } = this.options
    network.send(this.id, from, {
      kind: "learn",
      message: { _tag: "Learn", after: this.acceptor.chosenThrough, bytes: chunk }
    })
  }

  /** Nobody sends to a node that has no vote what it lacks, unless it learns, and then may have stopped to. */
  private poll(): void {
    const { founders, seeded } = this.world
    const from = this.others.length > 0 ? this.others : founders.filter((node) => node !== this.id)
    if (from.length > 0) this.catchUp(seeded.pick(from))
  }

  /** Ends the epoch with a change, if it leads and may. */
  change(wanted: Membership.Membership): boolean {
    const { judge, now, steps } = this.world
    if (this.life === 0 || this.handing !== undefined || now() < this.pausedUntil) return false
    const next = steps.change(this.proposer, this.epoch, { expect: this.epoch.number, wanted }, this.options)
    if (Either.isLeft(next) || this.proposer._tag !== "Leading") return false
    judge.happened(Membership.equals(next.right, wanted) ? "a change is proposed" : "nodes learn before they vote")
    const entry = Entry.stopSign(Math.floor(now()), this.epoch.number, next.right)
    this.proposed.set(this.proposer.log.through + 1, { entry, waiting: [] })
    this.perform(() => this.propose({ _tag: "Propose", entries: [entry] }))
    return true
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
    if (envelope.kind === "late") return envelope.epoch > this.epoch.number ? this.catchUp(peer) : undefined
    if ("epoch" in envelope && envelope.kind !== "fetchSnapshot") {
      const verdict = this.world.steps.judge(this.epoch.number, envelope.epoch)
      if (verdict === "behind") return this.catchUp(peer)
      if (verdict === "late") {
        this.world.judge.happened("a message of an epoch that is over does nothing")
        if (envelope.kind === "heard" || envelope.kind === "proposer") return
        return this.world.network.send(this.id, from, { kind: "late", epoch: this.epoch.number })
      }
    }
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
        this.mailbox.push({ from: peer, epoch: envelope.epoch, message })
        return this.accept()
      }
      case "learn":
        this.mailbox.push({ from: peer, message: envelope.message })
        return this.accept()
      case "lesson": {
        const { message } = envelope
        this.learningUntil = 0
        if (message._tag === "Unlearnable") return this.snapshots.pull(peer)
        this.mailbox.push({ from: peer, message })
        return this.accept()
      }
      case "proposer":
        return this.propose({ _tag: "Receive", from: peer, message: envelope.message })
      case "fetchSnapshot":
        return this.snapshots.serve(peer, envelope.epoch, envelope.ballot)
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
    const asked: Array<Asked> = []
    const writes: Array<Durable.Write> = []
    let teacher: NodeId.NodeId | undefined
    for (const { epoch = this.epoch.number, from, message } of inputs) {
      // The epoch may have ended since it came.
      const late = this.world.steps.judge(state.epochs.present.number, epoch) !== "obey"
      if (late && !isOfAnyEpoch(message)) continue
      const next = this.world.steps.acceptor(state, message, this.acceptorOptions, this.clock())
      state = next.state
      for (const action of next.actions) {
        if (action._tag === "Persist") writes.push(action.write)
        else asked.push({ from, epoch, action })
      }
      if (message._tag === "Learned" && message.entries.length > 0) teacher = from
    }
    /** There is more to be had from there, unless that was all. */
    const goOn = () => {
      if (teacher !== undefined) this.catchUp(teacher)
    }
    if (writes.length === 0) {
      this.accepted(state, asked)
      return goOn()
    }
    this.persist(writes, () => {
      this.accepted(state, asked)
      goOn()
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
  private accepted(state: Acceptor.State, asked: ReadonlyArray<Asked>): void {
    this.acceptor = state
    this.isDurable()
    for (const { action, epoch, from } of asked) {
      this.point()
      if (action._tag === "Reply") this.reply(from, epoch, action.message)
      else if (action._tag === "Teach") this.teach(from, action.message)
      else if (action._tag === "ReadChosen") {
        const { bytes, lesson, slots } = action
        const entries = this.disk.read(lesson.after, Math.min(slots, this.world.setting.replay))
        if (entries !== undefined) this.teach(from, { ...lesson, entries: Acceptor.atMost(entries, bytes) })
      } else if (action._tag === "Read") {
        const { after, ballot, bytes } = action.fetch
        // Trimmed meanwhile, it stays unanswered, and is asked for elsewhere.
        const entries = this.disk.read(after, this.world.setting.replay)
        if (entries === undefined) continue
        this.reply(from, epoch, { _tag: "Fetched", ballot, after, entries: Acceptor.atMost(entries, bytes) })
      } else if (action._tag === "Pull") this.snapshots.pull(action.source)
    }
    for (const { action } of asked) {
      if (action._tag === "Enter" && action.epoch === state.epochs.present) this.enter(action.epoch)
      // A newer one may have taken its place by now.
      if (action._tag === "Restore" && this.snapshotAt(action.slot) !== undefined) {
        this.learn({ _tag: "Restored", slot: action.slot })
      }
      if (action._tag !== "Deliver") continue
      this.point()
      this.learn({ _tag: "Chosen", after: action.after, entries: action.entries })
    }
  }

  private reply(to: NodeId.NodeId, epoch: number, message: Message.ToProposer): void {
    if (message._tag === "Promise") {
      this.tellIn(epoch, () => this.propose({ _tag: "Observe", ballot: message.ballot }))
      this.tellIn(epoch, () => this.elect({ _tag: "Observe", ballot: message.ballot }))
    }
    if (to === this.id) this.tellIn(epoch, () => this.propose({ _tag: "Receive", from: to, message }))
    else this.world.network.send(this.id, to, { kind: "proposer", epoch, message })
  }

  /** What belongs to an epoch is of no use to the proposer and the election of the next one. */
  private tellIn(epoch: number, run: () => void): void {
    this.tell(() => {
      if (this.epoch.number === epoch) run()
    })
  }

  private teach(to: NodeId.NodeId, message: Message.Learned | Message.Unlearnable): void {
    this.world.network.send(this.id, to, { kind: "lesson", message })
  }

  /** What an acceptor says is what its journal says, but for `chosenThrough`, which may be forgotten. */
  private isDurable(): void {
    const { acceptedBallot, acceptedThrough, epochs, promised, trimmedThrough } = Acceptor.durable(this.acceptor)
    const { durable } = this.disk
    if (
      epochs === durable.epochs &&
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
      this.tellIn(this.epoch.number, () => this.elect({ _tag: "Claim", ...claim }))
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
            judge.spoke(this.id, this.life, this.epoch.number, action.message.ballot)
            network.send(this.id, action.to, { kind: "acceptor", epoch: this.epoch.number, message: action.message })
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
      this.mailbox.push({ from: this.id, epoch: this.epoch.number, message })
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
    const message: Message.TakeOver = { _tag: "TakeOver", ballot }
    this.world.network.send(this.id, to, { kind: "takeOver", epoch: this.epoch.number, message })
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
            this.world.network.send(this.id, to, { kind: "ask", epoch: this.epoch.number, message: action.message })
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
      if (action._tag !== "Reply") continue
      this.world.network.send(this.id, from, { kind: "heard", epoch: this.epoch.number, message: action.message })
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
    if (this.isVoter) this.elect({ _tag: "Tick" })
    else this.poll()
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
