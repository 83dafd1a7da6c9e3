/**
 * The learner of a node of the core tier, and the machine that it feeds.
 *
 * @internal
 */
import { Learner, Slot } from "@synod/paxos"
import type { Entry } from "@synod/paxos"
import * as Machine from "./coreMachine.js"
import type { CoreRequests } from "./coreRequests.js"
import type { CoreSnapshots } from "./coreSnapshots.js"
import type { Self } from "./coreSelf.js"
import type { World } from "./coreWorld.js"

/** What a node lends its learner. @internal */
export interface Host extends Self {
  readonly requests: CoreRequests
  readonly snapshots: CoreSnapshots
}

/** @internal */
export class CoreLearner {
  private state!: Learner.State
  private machine!: Machine.Machine

  constructor(
    private readonly host: Host,
    private readonly world: World
  ) {}

  get applied(): Slot.Slot {
    return this.state.appliedThrough
  }

  /** A life begins, with the newest snapshot that the log joins on to. */
  begin(snapshot: Machine.Snapshot | undefined): void {
    const { disk, id, snapshots } = this.host
    const lacks = snapshot === undefined && disk.durable.trimmedThrough > 0
    this.state = lacks ? Learner.waiting : Learner.initial(snapshot?.slot ?? Slot.zero)
    this.machine = snapshot === undefined ? Machine.make() : Machine.copy(snapshot.machine)
    if (snapshot !== undefined) this.world.judge.restored(id, snapshot)
    snapshots.begin(this.applied)
  }

  /** Goes on with what is chosen, behind this slot at least. */
  goOn(after: Slot.Slot): void {
    if (this.state === Learner.waiting) this.host.snapshots.rebuild()
    this.take({ _tag: "Chosen", after, entries: [] })
  }

  take(input: Learner.Input): void {
    const { life, requests } = this.host
    const { actions, state } = this.world.steps.learner(this.state, input)
    this.state = state
    for (const action of actions) {
      switch (action._tag) {
        case "Apply":
          life.point()
          this.apply(action.slot, action.entry)
          break
        case "Restore":
          this.restore(action.slot)
          break
        case "Read":
          this.read(action.after)
          break
      }
    }
    requests.answerReads()
  }

  private read(after: Slot.Slot): void {
    const { disk, life, snapshots } = this.host
    const { judge, setting } = this.world
    judge.happened("a learner reads what it missed from the journal")
    life.later(setting.sync, () => {
      const entries = disk.read(after, setting.replay)
      if (entries === undefined) snapshots.rebuild()
      else this.take({ _tag: "Read", after, entries })
    })
  }

  /** Goes on from the machine of a snapshot. */
  private restore(through: Slot.Slot): void {
    const { disk, id, name, requests } = this.host
    const { judge, trace } = this.world
    const snapshot = disk.snapshots.find(({ slot }) => slot === through)
    if (snapshot === undefined) return judge.fail("whole snapshots", `${name} lacks the snapshot of slot ${through}`)
    judge.restored(id, snapshot)
    this.machine = Machine.copy(snapshot.machine)
    trace.event(name, "restores", through, () => `goes on from the snapshot of slot ${through}`)
    requests.restored(through)
  }

  private apply(slot: number, entry: Entry.Entry): void {
    const { id, name, requests, snapshots } = this.host
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
    trace.event(name, "applies", digest, () => `applies slot ${slot}: ${commands.map(Machine.format).join(" ")}`)
    judge.applied(id, slot, entry, fresh, digest)
    snapshots.applied(slot, () => Machine.copy(this.machine))
    requests.applied(slot, entry, answers)
  }
}
