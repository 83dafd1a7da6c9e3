/**
 * A client: one operation after another, each retried at another node, under the same name, until it is answered or given
 * up.
 *
 * @internal
 */
import type { Seeded } from "../Seeded.js"
import type { Agenda } from "./agenda.js"
import type { CoreJudge } from "./coreJudge.js"
import { nameOf, type Address, type Envelope } from "./coreMessage.js"
import type { CoreNetwork } from "./coreNetwork.js"
import type { Setting } from "./coreSetting.js"
import type { CoreTrace } from "./coreTrace.js"

/** How often a read is content with a lease. */
const leased = 0.7

/** The pause before a refused operation is sent again, in milliseconds. */
const pause = 20

interface Operation {
  readonly kind: "submit" | "read"
  readonly sequence: number
  readonly leased: boolean
  readonly until: number
  /** What was applied by somebody when it was asked. */
  readonly floor: number
  /** Counts what is waited for: an earlier timer has nothing to say. */
  attempt: number
}

/** @internal */
export class CoreClient {
  answers = 0
  private operation: Operation | undefined
  private sequence = 0
  private target: Address
  private over = false

  constructor(
    readonly address: Address,
    private readonly world: {
      readonly now: () => number
      readonly agenda: Agenda<() => void>
      readonly seeded: Seeded
      readonly setting: Setting
      readonly network: CoreNetwork
      readonly judge: CoreJudge
      readonly trace: CoreTrace
      readonly members: ReadonlyArray<Address>
    }
  ) {
    this.target = world.seeded.pick(world.members)
    this.rest()
  }

  /** Asks for nothing more. */
  stop(): void {
    this.over = true
    this.operation = undefined
  }

  get(envelope: Envelope): void {
    const { judge } = this.world
    const { operation } = this
    if (operation === undefined || !("sequence" in envelope) || envelope.sequence !== operation.sequence) return
    if (envelope.kind === "answer") {
      const command = { client: this.address, sequence: operation.sequence }
      if (operation.kind === "submit") judge.answered(command, envelope.slot)
      else judge.read(command, envelope.slot ?? 0, operation.floor)
      this.answers++
      this.rest()
    } else if (envelope.kind === "notLeader") {
      this.target = envelope.leader ?? this.another()
      this.after(pause * (1 + this.world.seeded.next()), operation)
    }
  }

  private rest(): void {
    const { agenda, now, seeded, setting } = this.world
    this.operation = undefined
    if (!this.over) agenda.add(now() + 2 * setting.think * seeded.next(), () => this.begin())
  }

  private begin(): void {
    const { judge, now, seeded, setting } = this.world
    if (this.over) return
    this.operation = {
      kind: seeded.chance(setting.reads) ? "read" : "submit",
      sequence: ++this.sequence,
      leased: seeded.chance(leased),
      until: now() + setting.deadline,
      floor: judge.appliedThrough,
      attempt: 0
    }
    if (this.operation.kind === "submit") judge.submit({ client: this.address, sequence: this.sequence })
    this.send(this.operation)
  }

  private send(operation: Operation): void {
    const { kind, leased, sequence } = operation
    this.world.network.send(this.address, this.target, { kind, client: this.address, sequence, leased })
    this.after(this.world.setting.attempt, operation)
  }

  /** Goes on with the operation, if nothing else happened to it until then. */
  private after(milliseconds: number, operation: Operation): void {
    const { agenda, now } = this.world
    const attempt = ++operation.attempt
    const refused = milliseconds < this.world.setting.attempt
    agenda.add(now() + milliseconds, () => {
      if (this.operation !== operation || operation.attempt !== attempt) return
      if (now() >= operation.until) return this.giveUp(operation)
      if (!refused) this.target = this.another()
      this.send(operation)
    })
  }

  private giveUp({ kind, sequence }: Operation): void {
    const { judge, trace } = this.world
    if (kind === "submit") judge.happened("the outcome of a command stays unknown to its client")
    trace.event(nameOf(this.address), "gives up", sequence, () => `gives up #${sequence}`)
    this.rest()
  }

  private another(): Address {
    const { members } = this.world
    return members[(members.indexOf(this.target) + 1) % members.length]!
  }
}
