/**
 * Runs handlers to their end at once, in a world where time stands still at the slot's, chance is seeded by the
 * command's place in the log, and there is no environment to read.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRefs from "effect/FiberRefs"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type * as Scheduler from "effect/Scheduler"
import { AgreedClock } from "./agreedClock.js"
import { AgreedRandom } from "./agreedRandom.js"

/**
 * Steps a handler may take before it is stopped, so that a handler which never ends can't hold up every replica for
 * ever. A million steps take about a tenth of a second; handlers take some ten.
 */
export const MAX_STEPS = 1_000_000

/** Why a handler did not come to an end of its own. */
export type Unfinished = "asynchronous" | "endless"

export class HandlerRuntime {
  private readonly clock = new AgreedClock()
  readonly random = new AgreedRandom()
  private readonly runtime: Runtime.Runtime<never>

  /** Loggers and other settings are those of the app. */
  constructor(app: Runtime.Runtime<never>) {
    const services = pipe(
      FiberRefs.get(app.fiberRefs, DefaultServices.currentServices),
      Option.getOrElse(() => DefaultServices.liveServices),
      Context.add(Clock.Clock, this.clock),
      Context.add(Random.Random, this.random),
      Context.add(ConfigProvider.ConfigProvider, ConfigProvider.fromMap(new Map()))
    )
    this.runtime = pipe(
      Runtime.make({
        context: Context.empty(),
        runtimeFlags: RuntimeFlags.disable(Runtime.defaultRuntimeFlags, RuntimeFlags.RuntimeMetrics),
        fiberRefs: app.fiberRefs
      }),
      Runtime.setFiberRef(DefaultServices.currentServices, services)
    )
  }

  /** What the handlers that follow will see: the time of a slot, and chance for the command at `index` in it. */
  moveTo(slot: number, time: number, index: number): void {
    this.clock.now = time
    this.random.seed(slot, index)
  }

  run<A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> | Unfinished {
    if (Exit.isExit(effect)) return effect as Exit.Exit<A, E>
    const scheduler = new HandlerScheduler()
    const fiber = Runtime.runFork(this.runtime, effect, { scheduler })
    scheduler.drain()
    const exit = fiber.unsafePoll()
    if (exit !== null) {
      scheduler.close()
      return exit
    }
    const unfinished = scheduler.exhausted ? "endless" : "asynchronous"
    // Interrupted here and now, with its finalizers, under a fresh budget. What resists, in an uninterruptible wait or
    // loop, is left without a scheduler and so never takes another step.
    scheduler.steps = 0
    fiber.unsafeInterruptAsFork(FiberId.none)
    scheduler.drain()
    scheduler.close()
    return unfinished
  }
}

/** Runs the fibers of one handler on the spot, in the order they ask, within a budget of steps. */
class HandlerScheduler implements Scheduler.Scheduler {
  steps = 0
  private tasks: Array<Scheduler.Task> = []
  private closed = false

  get exhausted(): boolean {
    return this.steps > MAX_STEPS
  }

  /** Asked before every step; a fiber yields only when the budget is spent. */
  shouldYield(): number | false {
    return ++this.steps > MAX_STEPS ? 0 : false
  }

  scheduleTask(task: Scheduler.Task): void {
    if (!this.closed) this.tasks.push(task)
  }

  drain(): void {
    while (!this.exhausted) {
      const task = this.tasks.shift()
      if (task === undefined) return
      task()
    }
  }

  close(): void {
    this.closed = true
    this.tasks = []
  }
}
