/**
 * What clients ask of a node of the core tier: commands become slots when it leads, and are answered when its own entry is
 * applied there; reads wait until a quorum has confirmed the ballot, or until a leased slot is applied.
 *
 * ```
 *   submit ──► waiting ── drain ──► proposed, by slot ── applied ──► answer
 *   read ────► readers ── drain ──► confirming ── Confirmed ──► confirmed ── applied ──► answer
 *   leased ───────────────────────────────────────────────────► confirmed
 * ```
 *
 * @internal
 */
import { Entry, Proposer } from "@synod/paxos"
import type { Ballot } from "@synod/paxos"
import * as Machine from "./coreMachine.js"
import type { Address } from "./coreMessage.js"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** Who waits for the answer to a command or a read: clients, who retry, are told at most once. @internal */
export interface Waiting extends Machine.Command {
  readonly from: Address
}

/** What a proposer lends the requests. @internal */
export interface Host extends Self {
  readonly proposer: () => Proposer.State
  readonly propose: (input: Proposer.Input) => void
  readonly isHandingOver: () => boolean
  readonly leader: () => Ballot.Ballot["node"]
  readonly applied: () => number
}

/** @internal */
export class CoreRequests {
  private waiting: Array<Waiting> = []
  private proposed = new Map<number, { readonly entry: Entry.Entry; readonly waiting: ReadonlyArray<Waiting> }>()
  private readers: Array<Waiting> = []
  private confirming: { readonly round: number; readonly readers: ReadonlyArray<Waiting> } | undefined
  /** Reads that may be answered once a slot is applied, and if they rely on it, while the lease holds. */
  private confirmed: Array<Waiting & { readonly slot: number; readonly leased: boolean }> = []

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {}

  /** A life begins. */
  begin(): void {
    this.waiting = []
    this.proposed = new Map()
    this.readers = []
    this.confirming = undefined
    this.confirmed = []
  }

  /** There is something to propose, or to have confirmed. */
  get areWaiting(): boolean {
    return this.waiting.length > 0 || this.readers.length > 0
  }

  /** The proposer is at none of them. */
  get areIdle(): boolean {
    return this.confirming === undefined && this.proposed.size === 0
  }

  serve(kind: "submit" | "read" | "leased", waiting: Waiting): void {
    const { life } = this.host
    if (this.host.proposer()._tag !== "Leading") return this.refuse(waiting)
    const slot = kind === "leased" ? this.leased() : undefined
    if (slot !== undefined) {
      this.world.judge.happened("a read relies on a lease")
      this.confirmed.push({ ...waiting, slot, leased: true })
      life.hesitate()
      return life.later(0, () => this.answerReads())
    }
    if (kind === "submit") this.waiting.push(waiting)
    else this.readers.push(waiting)
    this.drain()
  }

  /** Makes slots of what waits, and has the ballot confirmed if reads wait. */
  drain(): void {
    const { isHandingOver, life, propose, proposer } = this.host
    if (!this.areWaiting) return
    if (proposer()._tag !== "Leading") return this.refuseAll()
    if (isHandingOver()) return
    const entries = this.batches()
    if (entries.length > 0) propose({ _tag: "Propose", entries })
    const leader = proposer()
    if (this.readers.length === 0 || leader._tag !== "Leading" || !Proposer.mayConfirm(leader)) return
    this.confirming = { round: leader.confirm.asked + 1, readers: this.readers }
    this.readers = []
    propose({ _tag: "Confirm", now: life.clock() })
  }

  /** As many entries as there is room for. */
  private batches(): ReadonlyArray<Entry.Entry> {
    const { now, setting } = this.world
    const leader = this.host.proposer()
    const entries: Array<Entry.Entry> = []
    if (leader._tag !== "Leading") return entries
    let room = Proposer.capacity(leader, this.host.place().proposer)
    for (; room > 0 && this.waiting.length > 0; room--) {
      const waiting = this.waiting.splice(0, setting.batch)
      const entry = Machine.encode(Math.floor(now()), waiting)
      entries.push(entry)
      this.proposes(leader.log.through + entries.length, entry, waiting)
    }
    return entries
  }

  /** These wait for an entry to be applied in this slot. */
  proposes(slot: number, entry: Entry.Entry, waiting: ReadonlyArray<Waiting>): void {
    this.proposed.set(slot, { entry, waiting })
  }

  confirm({ confirm, slot }: Extract<Proposer.Action, { readonly _tag: "Confirmed" }>): void {
    if (this.confirming === undefined || this.confirming.round > confirm) return
    this.world.judge.happened("a ballot is confirmed for reads")
    for (const reader of this.confirming.readers) this.confirmed.push({ ...reader, slot, leased: false })
    this.confirming = undefined
    this.answerReads()
  }

  // Answers

  /** An entry is applied, with these answers to its commands. */
  applied(slot: number, entry: Entry.Entry, answers: ReadonlyArray<number | undefined>): void {
    const expected = this.proposed.get(slot)
    if (expected === undefined) return
    this.proposed.delete(slot)
    // Somebody else's entry took the slot: whoever waits asks again.
    if (!Entry.equals(expected.entry, entry)) return expected.waiting.forEach((one) => this.refuse(one))
    expected.waiting.forEach(({ from, sequence }, i) => {
      if (answers[i] !== undefined) this.answer(from, sequence, answers[i])
    })
  }

  /** Whoever waits for a slot that a snapshot covers asks again. */
  restored(through: number): void {
    for (const [slot, { waiting }] of this.proposed) {
      if (slot > through) continue
      this.proposed.delete(slot)
      waiting.forEach((one) => this.refuse(one))
    }
  }

  answerReads(): void {
    if (this.confirmed.length === 0) return
    const applied = this.host.applied()
    const ready = this.confirmed.filter(({ slot }) => slot <= applied)
    if (ready.length === 0) return
    this.confirmed = this.confirmed.filter(({ slot }) => slot > applied)
    for (const { client, from, leased, sequence } of ready) {
      if (leased && this.leased() === undefined) {
        this.world.judge.happened("a lease ends before the read that relies on it is answered")
        this.host.life.tell(() => this.serve("read", { from, client, sequence }))
        continue
      }
      this.answer(from, sequence, applied)
    }
  }

  /** The slot that the lease covers, while it holds. */
  private leased(): number | undefined {
    const { life, place, proposer } = this.host
    return Proposer.leased(proposer(), place().proposer, life.clock())
  }

  private answer(to: Address, sequence: number, slot: number): void {
    this.world.network.send(this.host.id, to, { kind: "answer", sequence, slot })
  }

  // Refusals

  /** The lead is lost: nobody knows what becomes of what was proposed. */
  resign(): void {
    for (const { waiting } of this.proposed.values()) waiting.forEach((one) => this.refuse(one))
    this.proposed = new Map()
    this.refuseAll()
  }

  private refuseAll(): void {
    const refused = [...this.waiting, ...this.readers, ...(this.confirming?.readers ?? [])]
    this.waiting = []
    this.readers = []
    this.confirming = undefined
    for (const one of refused) this.refuse(one)
  }

  private refuse({ from, sequence }: Waiting): void {
    const node = this.host.leader()
    const leader = node === 0 || node === this.host.id ? undefined : node
    this.world.network.send(this.host.id, from, { kind: "notLeader", sequence, leader })
  }
}
