/**
 * The judge of a run: sees every write of every journal and every application, and knows from the votes alone what is
 * chosen, before any learner does. It shares no code with what it judges but the comparison of ballots and of entries.
 *
 * @internal
 */
import { Ballot, Durable, Entry, Membership } from "@synod/paxos"
import type { NodeId, Quorum } from "@synod/paxos"
import * as Either from "effect/Either"
import * as BallotBox from "../BallotBox.js"
import { Violation } from "../Violation.js"
import * as Machine from "./coreMachine.js"

/** What a node's journal should hold. */
interface Journal {
  state: Durable.Durable
  readonly log: Array<Entry.Entry>
}

/** @internal */
export class CoreJudge {
  /** What an accept quorum has accepted at one ballot, by slot. */
  readonly chosen: ReadonlyArray<Entry.Entry>
  /** Applied by somebody through this slot. */
  appliedThrough = 0
  /** What should happen in some run: how often it did. */
  readonly sometimes = new Map<string, number>()
  /** What is bounded: the longest that it took, in election timeouts. */
  readonly slowest = new Map<string, number>()
  private readonly box: BallotBox.BallotBox
  private readonly journals = new Map<NodeId.NodeId, Journal>()
  private readonly digests: Array<number> = []
  private readonly submitted = new Set<number>()
  /** The slot in which each command was performed. */
  private readonly performed = new Map<number, number>()
  /** The life of a node in which each ballot was first sent. */
  private readonly owners = new Map<string, number>()
  /** The memberships of the epochs that have begun; that of epoch n is at n - 1. */
  readonly memberships: Array<Membership.Membership> = []
  private readonly systems: Array<Quorum.QuorumSystem> = []

  constructor(
    founders: Membership.Membership,
    private readonly now: () => number
  ) {
    this.begins(founders)
    const chosen = this.choose.bind(this)
    this.box = BallotBox.make({ quorums: (epoch) => this.quorums(epoch), chosen })
    this.chosen = this.box.chosen
    for (const node of founders.voters) {
      this.journals.set(node, { state: Durable.founded(founders), log: [] })
    }
  }

  /** What a founder's journal holds at first. */
  founded(node: NodeId.NodeId): Durable.Durable {
    return this.journals.get(node)?.state ?? Durable.initial
  }

  /** The number of the newest epoch, which began when the stop sign before it was chosen. */
  get epoch(): number {
    return this.memberships.length
  }

  /** Those of an epoch. */
  quorums(epoch: number): Quorum.QuorumSystem {
    return this.systems[epoch - 1] ?? this.fail("epochs begin behind stop signs", `epoch ${epoch} has not begun`)
  }

  private begins(membership: Membership.Membership): void {
    const system = Membership.make(membership)
    if (Either.isLeft(system)) return this.fail("safe quorums", system.left.message)
    this.memberships.push(membership)
    this.systems.push(system.right)
  }

  happened(what: string): void {
    this.sometimes.set(what, (this.sometimes.get(what) ?? 0) + 1)
  }

  took(what: string, timeouts: number): void {
    this.slowest.set(what, Math.max(timeouts, this.slowest.get(what) ?? 0))
  }

  submit(command: Machine.Command): void {
    this.submitted.add(Machine.keyOf(command))
  }

  wasPerformed(command: Machine.Command): boolean {
    return this.performed.has(Machine.keyOf(command))
  }

  /** A ballot leaves its node. Lives are numbered through the whole run. */
  spoke(node: NodeId.NodeId, life: number, epoch: number, ballot: Ballot.Ballot): void {
    const key = `${epoch} ${Ballot.format(ballot)}`
    const owner = this.owners.get(key)
    if (owner === undefined) this.owners.set(key, life)
    else if (owner !== life) {
      this.fail("unique ballots", `n${node} uses ballot ${Ballot.format(ballot)} again after a restart`)
    }
  }

  /**
   * What these steps asked for is durable, in one write: `journal` is what the disk holds now. The judge keeps a journal of
   * its own, so that it sees each step and not only what all of them together left.
   */
  wrote(
    node: NodeId.NodeId,
    asked: ReadonlyArray<Durable.Write>,
    journal: { readonly durable: Durable.Durable; readonly entries: ReadonlyArray<Entry.Entry> }
  ): void {
    const known = this.journals.get(node) ?? { state: Durable.initial, log: [] }
    this.journals.set(node, known)
    for (const write of asked) this.step(node, known, write)
    const { durable, entries } = journal
    const same =
      durable === known.state && entries.length === known.log.length && entries.length === durable.acceptedThrough
    const trimmed = durable.trimmedThrough === durable.acceptedThrough
    if (!same || (!trimmed && entries.at(-1) !== known.log.at(-1))) {
      this.fail("whole journals", `the journal of n${node} is not what its acceptor asked for`)
    }
  }

  private step(node: NodeId.NodeId, known: Journal, { after, entries, state }: Durable.Write): void {
    const before = known.state
    const { log } = known
    if (state.epochs !== before.epochs) this.enters(node, known, state)
    for (const ballot of ["promised", "acceptedBallot"] as const) {
      if (state.epochs.present.number !== before.epochs.present.number) continue
      if (!Ballot.lessThan(state[ballot], before[ballot])) continue
      const fall = `from ${Ballot.format(before[ballot])} to ${Ballot.format(state[ballot])}`
      this.fail("ballots never fall", `${ballot} of n${node} falls ${fall}`)
    }
    this.trim(node, known, state.trimmedThrough)
    if (log.length > after && log[after] !== entries[0]) this.happened("a suffix that was never chosen is replaced")
    log.length = after
    for (const entry of entries) log.push(entry)
    if (log.length < before.chosenThrough) {
      this.fail(
        "no log shrinks",
        `the log of n${node} ends at ${log.length}, and slot ${before.chosenThrough} was chosen`
      )
    }
    known.state = state
    const wrong = this.box.record(node, state, log)
    if (wrong !== undefined) this.fail(wrong.property, wrong.sentence)
    for (let slot = before.chosenThrough; slot < state.chosenThrough; slot++) {
      const chosen = this.chosen[slot]
      if (chosen === undefined || !Entry.equals(chosen, log[slot]!)) {
        this.fail("agreement", `n${node} takes slot ${slot + 1} for chosen, and it is not, or otherwise`)
      }
    }
  }

  /** A node goes from one epoch to a later one, never back, and to none that has not begun. */
  private enters(node: NodeId.NodeId, known: Journal, { epochs: { present } }: Durable.Durable): void {
    const { number } = known.state.epochs.present
    if (present.number < number) this.fail("epochs follow each other", `n${node} goes back to epoch ${present.number}`)
    if (present.number === number) return
    const sign = this.chosen[present.after - 1]
    const follows =
      present.after === 0 ? present.number === 1 : sign?._tag === "StopSign" && sign.epoch + 1 === present.number
    const membership = this.memberships[present.number - 1]
    if (!follows || membership === undefined || !Membership.equals(membership, present.membership)) {
      this.fail(
        "epochs begin behind stop signs",
        `n${node} enters epoch ${present.number} behind slot ${present.after}`
      )
    }
    this.happened(
      present.number === number + 1 ? "a node enters an epoch" : "a node skips epochs by a snapshot, or joins"
    )
  }

  /** A snapshot may take the place only of what is chosen, also where the log held something else, or nothing. */
  private trim(node: NodeId.NodeId, { log, state }: Journal, through: number): void {
    if (through === state.trimmedThrough) return
    if (through > this.chosen.length) {
      this.fail("only what is chosen is trimmed", `n${node} trims slot ${through}, which is not chosen`)
    }
    this.happened(through > state.chosenThrough ? "a snapshot takes the place of a log" : "a log is trimmed")
    for (let i = state.chosenThrough; i < through; i++) log[i] = this.chosen[i]!
  }

  private choose(slot: number, entry: Entry.Entry, voters: ReadonlySet<NodeId.NodeId>, ballot: Ballot.Ballot): void {
    if (entry._tag === "StopSign") {
      if (entry.epoch !== this.epoch)
        this.fail("one stop sign an epoch", `slot ${slot} ends epoch ${entry.epoch} again`)
      this.begins(entry.membership)
      this.happened("an epoch ends")
    }
    if (!voters.has(ballot.node as NodeId.NodeId)) this.happened("a slot is chosen before its leader's own vote")
    for (const command of Machine.decode(entry)) {
      if (!this.submitted.has(Machine.keyOf(command))) {
        this.fail(
          "only what was submitted",
          `${Machine.format(command)} is chosen for slot ${slot}, and nobody asked for it`
        )
      }
    }
  }

  /** The machine of a node has applied a slot, all before it applied already. */
  applied(
    node: NodeId.NodeId,
    slot: number,
    entry: Entry.Entry,
    fresh: ReadonlyArray<Machine.Command>,
    digest: number
  ): void {
    const chosen = this.chosen[slot - 1]
    if (chosen === undefined) this.fail("agreement", `n${node} applies slot ${slot}, which is not chosen`)
    else if (!Entry.equals(chosen, entry)) this.fail("agreement", `n${node} applies to slot ${slot} what is not chosen`)
    for (const command of fresh) {
      const key = Machine.keyOf(command)
      const first = this.performed.get(key)
      if (first === undefined) this.performed.set(key, slot)
      else if (first !== slot) {
        this.fail("applied at most once", `n${node} performs ${Machine.format(command)} in slots ${first} and ${slot}`)
      }
    }
    const known = (this.digests[slot - 1] ??= digest)
    if (known !== digest) this.fail("equal digests", `n${node} differs from others after slot ${slot}`)
    this.appliedThrough = Math.max(this.appliedThrough, slot)
  }

  /** The machine of a node goes on from a snapshot. */
  restored(node: NodeId.NodeId, { machine, slot }: Machine.Snapshot): void {
    this.happened("a machine goes on from a snapshot")
    if (this.digests[slot - 1] === machine.digest) return
    this.fail(
      "equal digests",
      `n${node} goes on from a snapshot of slot ${slot} that differs from what others had then`
    )
  }

  /** A client was told in which slot its command was performed. */
  answered(command: Machine.Command, slot: number | undefined): void {
    const performed = this.performed.get(Machine.keyOf(command))
    if (slot !== undefined && performed === slot) return
    const where = performed === undefined ? "nowhere" : `in slot ${performed}`
    this.fail(
      "true answers",
      `${Machine.format(command)} is answered for slot ${slot ?? "?"}, and was performed ${where}`
    )
  }

  /** A client was given the state after `slot`; when it asked, all through `floor` was applied by somebody. */
  read(command: Machine.Command, slot: number, floor: number): void {
    if (slot >= floor) return
    this.fail(
      "fresh reads",
      `${Machine.format(command)} reads slot ${slot}, and slot ${floor} was applied before it was asked`
    )
  }

  /** Ends the run. */
  fail(property: string, sentence: string): never {
    throw new Violation({ property, sentence, time: this.now() })
  }
}
