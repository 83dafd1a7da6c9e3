/**
 * A member of the registers tier: its acceptors, on a disk that takes time to sync. As in production it takes all that has come, steps
 * through it, commits once, and then speaks.
 *
 * @internal
 */
import { RegisterAcceptor } from "@synod/paxos"
import type { NodeId, RegisterMessage } from "@synod/paxos"
import type { Counts, Rates } from "../Fault.js"
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import type { RegisterJudge } from "./registerJudge.js"

/** @internal */
export interface Letter {
  readonly message: RegisterMessage.ToAcceptor
  readonly reply: (message: RegisterMessage.ToProposer) => void
}

/** The last state of each register is what is written. A vote that is followed by another one in the same turn was given all the same. */
type Changed = ReadonlyMap<string, ReadonlyArray<RegisterAcceptor.State>>

/** A slow disk takes so many times as long. */
const slowness = 100

/** @internal */
export class RegisterNode {
  isUp = true
  private readonly disk = new Map<string, RegisterAcceptor.State>()
  /** When what is decided was written, of those that are known to be. */
  private readonly since = new Map<string, number>()
  private memory = new Map<string, RegisterAcceptor.State>()
  private inbox: Array<Letter> = []
  /** What is being synced. */
  private underWay: Changed | undefined
  private life = 0
  private slowUntil = 0

  constructor(
    readonly id: NodeId.NodeId,
    private readonly world: {
      readonly now: () => number
      readonly agenda: Agenda<() => void>
      readonly seeded: Seeded
      readonly counts: Counts
      readonly judge: RegisterJudge
      /** In milliseconds; a write takes once to four times that. */
      readonly sync: number
      readonly rates: () => Rates
      /** How long a register is kept after it was decided, in milliseconds; undefined: for ever. */
      readonly age: number | undefined
      /** It lost its memory. */
      readonly crashed: (node: RegisterNode) => void
    }
  ) {}

  get(letter: Letter): void {
    if (!this.isUp) return
    this.inbox.push(letter)
    if (this.underWay === undefined) this.turn()
  }

  slow(milliseconds: number): void {
    this.slowUntil = this.world.now() + milliseconds
  }

  crash(): void {
    if (!this.isUp) return
    const { rates, seeded } = this.world
    this.isUp = false
    this.life++
    this.inbox = []
    this.memory = new Map()
    // What the system had not synced may have reached the disk or not.
    if (this.underWay !== undefined) {
      if (seeded.chance(rates().lostWrites ?? 0)) this.world.counts.fired("lostWrites")
      else this.synced(this.underWay)
    }
    this.underWay = undefined
    this.world.crashed(this)
  }

  start(): void {
    this.isUp = true
  }

  /** Holds anything of a register, on its disk. */
  holds(key: string): boolean {
    return this.disk.has(key)
  }

  /** Lets go of what was decided long ago, as the policy has it. */
  private forget(): void {
    const { age, judge, now } = this.world
    if (age === undefined) return
    for (const [key, since] of this.since) {
      if (now() - since < age) continue
      judge.forgets(this.id, key, this.disk.get(key) ?? RegisterAcceptor.initial)
      this.since.delete(key)
      this.disk.delete(key)
      this.memory.delete(key)
    }
  }

  private turn(): void {
    this.forget()
    const letters = this.inbox
    this.inbox = []
    const changed = new Map<string, Array<RegisterAcceptor.State>>()
    const replies: Array<() => void> = []
    for (const { message, reply } of letters) {
      const { key } = message
      const before = this.memory.get(key) ?? this.disk.get(key) ?? RegisterAcceptor.initial
      const { actions, state } = RegisterAcceptor.step(before, message, { forgets: this.world.age !== undefined })
      this.memory.set(key, state)
      for (const action of actions) {
        if (action._tag === "Persist") changed.set(key, [...(changed.get(key) ?? []), action.state])
        else replies.push(() => this.say(key, action.message, reply))
      }
    }
    this.reach(() => (changed.size === 0 ? this.speak(replies) : this.write(changed, replies)))
  }

  private write(changed: Changed, replies: ReadonlyArray<() => void>): void {
    const { agenda, now, seeded, sync } = this.world
    this.underWay = changed
    const quick = sync * (1 + 3 * seeded.next())
    const { life } = this
    agenda.add(now() + (now() < this.slowUntil ? quick * slowness : quick), () => {
      if (life !== this.life) return
      this.underWay = undefined
      this.synced(changed)
      this.reach(() => this.speak(replies))
    })
    this.reach(() => undefined)
  }

  private speak(replies: ReadonlyArray<() => void>): void {
    for (const reply of replies) reply()
    if (this.inbox.length > 0) this.turn()
  }

  private say(key: string, message: RegisterMessage.ToProposer, reply: Letter["reply"]): void {
    this.world.judge.says(this.id, key, message, this.disk.get(key) ?? RegisterAcceptor.initial)
    reply(message)
  }

  private synced(changed: Changed): void {
    for (const [key, states] of changed) {
      for (const state of states) {
        const before = this.disk.get(key) ?? RegisterAcceptor.initial
        this.disk.set(key, state)
        if (state.decided) this.since.set(key, this.world.now())
        this.world.judge.wrote(this.id, key, before, state)
      }
    }
  }

  /** A place where it may lose its memory. */
  private reach(then: () => void): void {
    if (!this.world.seeded.chance(this.world.rates().crash ?? 0)) return then()
    this.world.counts.fired("crash")
    this.crash()
  }
}
