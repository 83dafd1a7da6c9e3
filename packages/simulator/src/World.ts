/**
 * A world in one synchronous loop: processes whose fibers run one task at a time, in an order that the seed decides, and
 * a clock that jumps to whatever is to happen next.
 *
 * ```
 *   runnable tasks of all processes ──► one of them, by the seed ──► runs until it waits
 *        ▲                                                              │ sleeps, sends, writes
 *        └────── when none is left: time jumps to the next ◄── agenda ◄─┘
 * ```
 *
 * Nothing in it takes real time, real chance or real I/O: whatever reaches for them is a violation that names it
 * (see `Guard`).
 *
 * @since 0.1.0
 */
import * as Agenda from "./internal/agenda.js"
import * as Process from "./Process.js"
import * as Seeded from "./Seeded.js"
import * as Trace from "./Trace.js"
import { Violation } from "./Violation.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface World {
  readonly seed: number
  /** Chance for the world's own choices; parts of it take a fork. */
  readonly seeded: Seeded.Seeded
  /** Milliseconds since the world began. */
  readonly now: () => number
  readonly trace: Trace.Trace
  /** Starts a process; one that crashed is started again as a new one. */
  readonly process: (name: string, options?: Process.Options) => Process.Process
  /** Does something after so many milliseconds; the answer cancels it. */
  readonly after: (milliseconds: number, what: () => void) => () => void
  /** Runs until that time, in milliseconds since the world began, or until `enough` says so. Throws a {@link Violation}. */
  readonly run: (until: number, enough?: () => boolean) => void
  /** Ends the run with a violation at the next task; the first one counts. */
  readonly violate: (property: string, sentence: string) => void
}

/**
 * Tasks that may run without time going on: past it something turns in a circle and never waits.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTasksAtOnce = 200_000

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: { readonly seed: number; readonly readable?: boolean }): World => {
  const seeded = Seeded.make(options.seed, "world")
  const order = seeded.fork("scheduler")
  const agenda = Agenda.make<() => void>()
  const runnable: Array<Process.Task> = []
  let now = 0
  let started = 0
  let violation: Violation | undefined
  const trace = Trace.make({ now: () => now, readable: options.readable ?? false })

  const violate = (property: string, sentence: string): void => {
    violation ??= new Violation({ property, sentence, time: now })
  }

  const after = (milliseconds: number, what: () => void): (() => void) => {
    const entry = agenda.add(now + Math.max(0, milliseconds), what)
    return () => {
      entry.cancelled = true
    }
  }

  /** Runs what can run now, in an order that the seed decides. */
  const drain = (): void => {
    for (let ran = 0; runnable.length > 0; ran++) {
      if (ran > maxTasksAtOnce) {
        const names = [...new Set(runnable.map((task) => task.process.name))].join(", ")
        violate("progress", `${names} ran ${maxTasksAtOnce} tasks without waiting for anything`)
      }
      if (violation !== undefined) throw violation
      const index = runnable.length === 1 ? 0 : order.below(runnable.length)
      const task = runnable[index]!
      runnable[index] = runnable[runnable.length - 1]!
      runnable.pop()
      task.process.perform(task.run)
    }
  }

  return {
    seed: options.seed,
    seeded,
    now: () => now,
    trace,
    process: (name, processOptions) =>
      Process.make({
        name,
        now: () => now,
        after,
        seed: `${options.seed} ${name} ${started++}`,
        enqueue: (task) => void runnable.push(task),
        ...processOptions
      }),
    after,
    violate,
    run: (until, enough) => {
      for (;;) {
        drain()
        if (violation !== undefined) throw violation
        if (enough?.() === true) return
        const next = agenda.peek()
        if (next === undefined || next.time > until) {
          now = Math.max(now, until)
          return
        }
        agenda.take()
        now = next.time
        next.what()
      }
    }
  }
}
