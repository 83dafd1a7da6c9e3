/**
 * The acceptor of a node of the core tier, its mailbox, and its journal: what is asked for is written first, then said, and
 * then handed on.
 *
 * ```
 *   proposers, learners ──► mailbox ── all of it ──► steps ──► disk ──► replies ──► Enter, Restore, Deliver
 *   one that knows more ◄── Learn ── catchUp ◄── whoever lacks something
 * ```
 *
 * @internal
 */
import { Acceptor, Ballot } from "@synod/paxos"
import type { Durable, Election, Epoch, Learner, Message, NodeId, Proposer, Slot } from "@synod/paxos"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What a node lends its acceptor. @internal */
export interface Host extends Self {
  readonly propose: (input: Proposer.Input) => void
  readonly elect: (input: Election.Input) => void
  readonly learn: (input: Learner.Input) => void
  /** An epoch has begun. */
  readonly enter: (epoch: Epoch.Epoch) => void
  /** Asks a node for its snapshot. */
  readonly pull: (source: NodeId.NodeId) => void
}

interface Received {
  readonly from: NodeId.NodeId
  readonly epoch: number | undefined
  readonly message: Acceptor.Input
}

/** What an input asked for, in the epoch in which it came. */
interface Asked {
  readonly from: NodeId.NodeId
  readonly epoch: number
  readonly action: Acceptor.Action
}

/** What is chosen, and what is on the own disk, is so in any epoch. */
const isOfAnyEpoch = ({ _tag }: Acceptor.Input): boolean =>
  _tag === "Learn" || _tag === "Learned" || _tag === "Install" || _tag === "Trim" || _tag === "Applied"

/** @internal */
export class CoreAcceptor {
  state!: Acceptor.State
  /** Inputs that wait for the disk; messages of proposers with their epoch. */
  private mailbox: Array<Received> = []
  private writing = false
  /** Until when an answer is waited for that tells what is chosen. */
  private learningUntil = 0
  private readonly options: Acceptor.Options

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {
    const { lease, sizes } = world.setting
    this.options = { keep: sizes.keep, grant: lease?.grant ?? 0 }
  }

  /** A life begins, with what the disk holds. */
  begin(): void {
    const { disk, life } = this.host
    const { durable, entries } = disk
    const granted = life.clock() + (this.options.grant ?? 0)
    this.state = Acceptor.recover(durable, entries.slice(durable.chosenThrough), granted)
    this.mailbox = []
    this.writing = false
    this.learningUntil = 0
  }

  // Inputs

  /** Takes it at once, unless the disk is busy. */
  get(from: NodeId.NodeId, message: Acceptor.Input, epoch?: number): void {
    this.mailbox.push({ from, epoch, message })
    this.accept()
  }

  /** Something of this node, for later in this turn. */
  tell(message: Acceptor.Input, epoch?: number): void {
    this.mailbox.push({ from: this.host.id, epoch, message })
    this.host.life.tell(() => this.accept())
  }

  private accept(): void {
    if (this.writing || this.mailbox.length === 0) return
    const { life, place } = this.host
    const inputs = this.mailbox
    this.mailbox = []
    let { state } = this
    const asked: Array<Asked> = []
    const writes: Array<Durable.Write> = []
    let teacher: NodeId.NodeId | undefined
    for (const { epoch = place().epoch.number, from, message } of inputs) {
      // The epoch may have ended since it came.
      const late = this.world.steps.judge(state.epochs.present.number, epoch) !== "obey"
      if (late && !isOfAnyEpoch(message)) continue
      const next = this.world.steps.acceptor(state, message, this.options, life.clock())
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
    const { disk, life } = this.host
    life.point()
    const time = disk.begin(writes)
    if (typeof time === "string") return life.fail(`its disk ${time}`)
    this.writing = true
    life.writing(time)
    // The disk does its part even while the node stands still.
    life.meanwhile(time, () => {
      disk.end()
      life.perform(() => {
        this.writing = false
        then()
      })
    })
  }

  // What it asked for

  /** Everything is durable: now it may be said, and then handed on. */
  private accepted(state: Acceptor.State, asked: ReadonlyArray<Asked>): void {
    this.state = state
    this.isDurable()
    for (const one of asked) {
      this.host.life.point()
      this.say(one)
    }
    for (const { action } of asked) this.handOn(action)
  }

  private say({ action, epoch, from }: Asked): void {
    const { disk, pull } = this.host
    const { replay } = this.world.setting
    switch (action._tag) {
      case "Reply":
        return this.reply(from, epoch, action.message)
      case "Teach":
        return this.teach(from, action.message)
      case "ReadChosen": {
        const { bytes, lesson, slots } = action
        const entries = disk.read(lesson.after, Math.min(slots, replay))
        if (entries !== undefined) this.teach(from, { ...lesson, entries: Acceptor.atMost(entries, bytes) })
        return
      }
      case "Read": {
        const { after, ballot, bytes } = action.fetch
        // Trimmed meanwhile, it stays unanswered, and is asked for elsewhere.
        const entries = disk.read(after, replay)
        if (entries === undefined) return
        return this.reply(from, epoch, {
          _tag: "Fetched",
          ballot,
          after,
          entries: Acceptor.atMost(entries, bytes)
        })
      }
      case "Pull":
        return pull(action.source)
    }
  }

  private handOn(action: Acceptor.Action): void {
    const { enter, learn, life } = this.host
    if (action._tag === "Enter" && action.epoch === this.state.epochs.present) enter(action.epoch)
    // A newer one may have taken its place by now.
    if (action._tag === "Restore" && this.holds(action.slot)) learn({ _tag: "Restored", slot: action.slot })
    if (action._tag !== "Deliver") return
    life.point()
    learn({ _tag: "Chosen", after: action.after, entries: action.entries })
  }

  private holds(through: Slot.Slot): boolean {
    return this.host.disk.snapshots.some(({ slot }) => slot === through)
  }

  private reply(to: NodeId.NodeId, epoch: number, message: Message.ToProposer): void {
    const { elect, id, propose, tellIn } = this.host
    if (message._tag === "Promise") {
      tellIn(epoch, () => propose({ _tag: "Observe", ballot: message.ballot }))
      tellIn(epoch, () => elect({ _tag: "Observe", ballot: message.ballot }))
    }
    if (to === id) tellIn(epoch, () => propose({ _tag: "Receive", from: to, message }))
    else this.world.network.send(id, to, { kind: "proposer", epoch, message })
  }

  private teach(to: NodeId.NodeId, message: Message.Learned | Message.Unlearnable): void {
    this.world.network.send(this.host.id, to, { kind: "lesson", message })
  }

  /** What an acceptor says is what its journal says, but for `chosenThrough`, which may be forgotten. */
  private isDurable(): void {
    const { acceptedBallot, acceptedThrough, epochs, promised, trimmedThrough } = Acceptor.durable(this.state)
    const { durable } = this.host.disk
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
      `${this.host.name} is about to speak, and its journal lacks what it relies on`
    )
  }

  // Catching up

  /** Asks another node what is chosen, unless it waits for an answer already. */
  catchUp(from: NodeId.NodeId): void {
    const { network, now, setting } = this.world
    const { id, place } = this.host
    if (now() < this.learningUntil) return
    this.learningUntil = now() + setting.silence
    const message: Message.Learn = { _tag: "Learn", after: this.state.chosenThrough, bytes: place().proposer.chunk }
    network.send(id, from, { kind: "learn", message })
  }

  /** Nobody sends to a node that has no vote what it lacks, unless it learns, and then may have stopped to. */
  poll(): void {
    const { sources } = this.host.place()
    if (sources.length > 0) this.catchUp(this.world.seeded.pick(sources))
  }

  /** The answer. */
  taught(by: NodeId.NodeId, lesson: Message.Learned | Message.Unlearnable): void {
    this.learningUntil = 0
    if (lesson._tag === "Unlearnable") this.host.pull(by)
    else this.get(by, lesson)
  }
}
