/**
 * The life of a node of the core tier: turns, timers, a clock that drifts, pauses, and crashes between any two actions.
 *
 * ```
 *   messages, timers ──► perform: one turn, and what its parts tell each other in it
 *                           │ while it stands still      │ at a point
 *                           ▼                            ▼
 *                        backlog ── goes on ──► perform  it stops: whatever was to happen later in this life does not
 * ```
 *
 * @internal
 */
import type { Rates } from "../Fault.js"
import { lasts } from "./coreSetting.js"
import type { World } from "./coreWorld.js"

/** Thrown in a turn: the node's memory is gone. */
class Stopped {
  constructor(readonly why: string) {}
}

/** A write takes long: for crashes it counts as so many actions. */
const actionsPerWrite = 5

/** How often a leader stands still before it answers from a lease, as a share of the rate of pauses. */
const worstMoment = 0.3

/** What the parts of a node may tell each other in one turn: past it they turn in a circle. */
const maxLocal = 10_000

/** What a node lends its life. @internal */
export interface Host {
  readonly name: string
  /** Its memory is gone. */
  readonly stopped: () => void
}

/** @internal */
export class CoreLife {
  /** Of this life, among those of all nodes; 0 while the node is down. */
  number = 0
  private pausedUntil = 0
  /** What came while it stood still. */
  private backlog: Array<() => void> = []
  /** What its parts have to tell each other in this turn. */
  private local: Array<() => void> = []
  private inTurn = false
  /** How fast its clock runs. */
  private pace = 1

  constructor(
    private readonly host: Host,
    private readonly world: World,
    private rates: Rates
  ) {}

  get isUp(): boolean {
    return this.number !== 0
  }

  get isPaused(): boolean {
    return this.world.now() < this.pausedUntil
  }

  begin(number: number): void {
    const { counts, seeded } = this.world
    this.number = number
    this.pausedUntil = 0
    this.backlog = []
    this.local = []
    this.pace = 1
    if (!seeded.chance(this.rates.skew ?? 0)) return
    counts.fired("skew")
    this.pace = 0.9 + 0.2 * seeded.next()
  }

  /** Its memory is gone, and it says nothing more. */
  stop(why: string): void {
    if (!this.isUp) return
    this.world.trace.event(this.host.name, "stops", 0, () => `stops: ${why}`)
    this.number = 0
    this.host.stopped()
  }

  // Pauses

  /** Stands still, and goes on with old timers. */
  pause(milliseconds: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.world.now() + milliseconds)
    this.meanwhile(milliseconds, () => this.goOn())
  }

  /** Stands still at the worst moment, perhaps: it relies on the time, and is about to say so. */
  hesitate(): void {
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
    if (!this.isUp || this.isPaused) return
    const { backlog } = this
    this.backlog = []
    if (backlog.length > 0) {
      this.world.trace.event(this.host.name, "goes on", backlog.length, () => "goes on after a pause")
    }
    for (const run of backlog) this.perform(run)
  }

  // Time

  /** The node's own clock: it drifts, and goes on while the node stands still. */
  clock(): number {
    return this.world.now() / this.pace
  }

  /** How long a time by the node's own clock takes in truth. */
  lasting(milliseconds: number): number {
    return milliseconds * this.pace
  }

  /** A turn one heartbeat later by the node's own clock, more or less. */
  afterHeartbeat(run: () => void): void {
    const { heartbeat, jitter } = this.world.setting
    this.later(this.lasting(heartbeat * (1 + jitter * (this.world.seeded.next() - 0.5))), run)
  }

  /** A turn later in this life, by the world's clock. */
  later(milliseconds: number, run: () => void): void {
    this.meanwhile(milliseconds, () => this.perform(run))
  }

  /** Happens later in this life, by the world's clock, even while the node stands still. */
  meanwhile(milliseconds: number, run: () => void): void {
    const { number } = this
    this.world.agenda.add(this.world.now() + milliseconds, () => {
      if (this.number === number) run()
    })
  }

  // Turns

  /** One turn: with all that follows from it inside the node, unless it crashes on the way. */
  perform(run: () => void): void {
    if (!this.isUp) return
    if (this.isPaused) return void this.backlog.push(run)
    if (this.inTurn) return this.world.judge.fail("one turn at a time", `${this.host.name} takes a turn in a turn`)
    this.inTurn = true
    try {
      run()
      for (let i = 0; i < this.local.length; i++) {
        if (i > maxLocal)
          this.world.judge.fail("progress", `the parts of ${this.host.name} have no end of telling each other`)
        this.local[i]!()
      }
      this.local.length = 0
    } catch (stopped) {
      if (!(stopped instanceof Stopped)) throw stopped
      this.stop(stopped.why)
    } finally {
      this.inTurn = false
    }
  }

  /** Does something in this turn, behind what is to be done already. */
  tell(run: () => void): void {
    this.local.push(run)
  }

  // Crashes

  /** Ends the turn, and this life. */
  fail(why: string): never {
    throw new Stopped(why)
  }

  /** A place between two actions. */
  point(): void {
    if (!this.mayCrash(1)) return
    this.world.counts.fired("crash")
    this.fail("crashes")
  }

  /** A write is under way for so long. */
  writing(milliseconds: number): void {
    if (!this.mayCrash(actionsPerWrite)) return
    this.meanwhile(milliseconds * this.world.seeded.next(), () => {
      this.world.counts.fired("crash")
      this.stop("crashes in the middle of a write")
    })
  }

  private mayCrash(actions: number): boolean {
    return this.world.seeded.chance(actions * (this.rates.crash ?? 0))
  }
}
