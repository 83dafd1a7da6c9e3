/**
 * A simulated process: its fibers, its clock and its chance. It can stand still, and it can end between any two tasks,
 * without a word to anyone, as a real one does that is killed.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scheduler from "effect/Scheduler"

/**
 * @since 0.1.0
 * @category models
 */
export interface Process {
  readonly name: string
  readonly alive: () => boolean
  /** Starts an effect in this process. What becomes of it is told to nobody; it ends with the process at the latest. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>
  /** Runs a task of this process: now, or once it goes on, or never. */
  readonly perform: (run: () => void) => void
  /** Ends it at once: no finalizer runs, nothing more is said. */
  readonly crash: () => void
  /** Lets it stand still for so many milliseconds; timers that expire meanwhile fire when it goes on. */
  readonly pause: (milliseconds: number) => void
  /** Moves its wall clock by so many milliseconds; timers that run are not touched. */
  readonly jump: (milliseconds: number) => void
  /** Called when it crashes. */
  readonly onCrash: (what: () => void) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How fast its clock runs; 1.1 is a tenth too fast. Default: 1. */
  readonly rate?: number
  /** Steps a fiber may take before others get their turn. Default: 2,048, as outside. */
  readonly maxSteps?: number
}

/**
 * The time at which every world begins, in milliseconds since 1970: 1 January 2026, 00:00 UTC.
 *
 * @since 0.1.0
 * @category constants
 */
export const epoch = 1_767_225_600_000

/**
 * @since 0.1.0
 * @category models
 */
export interface Task {
  readonly process: Process
  readonly run: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options & {
    readonly name: string
    /** World time. */
    readonly now: () => number
    readonly after: (milliseconds: number, what: () => void) => () => void
    /** What its chance comes from; no two processes of a world have the same. */
    readonly seed: string
    readonly enqueue: (task: Task) => void
  }
): Process => {
  const { after, enqueue, maxSteps = 2048, now, rate = 1 } = options
  const random = Random.make(options.seed)
  const started = now()
  let alive = true
  let paused = false
  let resumes = 0
  let offset = 0
  const backlog: Array<() => void> = []
  const mourners: Array<() => void> = []

  const perform = (run: () => void): void => {
    if (!alive) return
    if (paused) backlog.push(run)
    else run()
  }

  const scheduler: Scheduler.Scheduler = {
    scheduleTask: (run) => {
      if (alive) enqueue({ process, run })
    },
    shouldYield: (fiber) => (fiber.currentOpCount > maxSteps ? 0 : false)
  }

  const millis = (): number => Math.floor(epoch + started + offset + (now() - started) * rate)
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: millis,
    unsafeCurrentTimeNanos: () => BigInt(Math.round((now() - started) * rate * 1_000)) * 1_000n,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanos: Effect.sync(() => clock.unsafeCurrentTimeNanos()),
    sleep: (duration) =>
      Effect.async((resume) => {
        if (!Duration.isFinite(duration)) return
        const cancel = after(Duration.toMillis(duration) / rate, () => perform(() => resume(Effect.void)))
        return Effect.sync(cancel)
      })
  }

  const services = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    effect.pipe(Effect.withClock(clock), Effect.withRandom(random))

  const process: Process = {
    name: options.name,
    alive: () => alive,
    fork: (effect) => Effect.runFork(services(effect), { scheduler, immediate: false }),
    perform,
    crash: () => {
      if (!alive) return
      alive = false
      backlog.length = 0
      for (const mourn of mourners) mourn()
    },
    pause: (milliseconds) => {
      paused = true
      resumes = Math.max(resumes, now() + milliseconds)
      const goOn = (): void => {
        if (now() < resumes) return
        paused = false
        for (const run of backlog.splice(0)) enqueue({ process, run })
      }
      after(milliseconds, goOn)
    },
    jump: (milliseconds) => {
      offset += milliseconds
    },
    onCrash: (what) => void mourners.push(what)
  }
  return process
}
