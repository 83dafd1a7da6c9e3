/**
 * Counts answered commands, draws them as a bar, wakes whoever waits for one, and knows the longest pause between two.
 */
import { Clock, Effect } from "effect"

export interface Progress {
  readonly step: Effect.Effect<void>
  /** Waits until so many commands have been answered. */
  readonly reached: (count: number) => Effect.Effect<void>
  /** Waits for the next answer. */
  readonly next: Effect.Effect<void>
  /** From now on, the longest pause between two answers is looked for. */
  readonly watch: Effect.Effect<void>
  /** The longest pause since then, in milliseconds. */
  readonly longestPause: () => number
  /** Milliseconds from the first answer to the last. */
  readonly elapsed: () => number
}

export const make = (total: number): Progress => {
  const waiters = new Set<{ readonly count: number; readonly resume: () => void }>()
  let done = 0
  let first = 0
  let last = 0
  let drawn = 0
  let pause = 0

  const draw = (now: number): void => {
    if (done < total && now - drawn < interval) return
    drawn = now
    const share = done / total
    const bar = "█".repeat(Math.floor(share * width)).padEnd(width, "░")
    const rate = last > first ? Math.round(done / ((last - first) / 1000)) : 0
    const line = `  ${bar} ${Math.floor(share * 100)} %  ${done.toLocaleString("en-GB")} of ${total.toLocaleString(
      "en-GB"
    )}  ${rate.toLocaleString("en-GB")} commands/s`
    if (process.stdout.isTTY) process.stdout.write(`\r${line} `)
    else if (done === total || share >= quarter) {
      quarter += 0.25
      process.stdout.write(`${line}\n`)
    }
  }
  let quarter = 0.25

  const reached = (count: number): Effect.Effect<void> =>
    Effect.async((resume) => {
      if (done >= count) return resume(Effect.void)
      waiters.add({ count, resume: () => resume(Effect.void) })
    })

  return {
    step: Effect.clockWith((clock) =>
      Effect.sync(() => {
        const now = clock.unsafeCurrentTimeMillis()
        if (done++ === 0) first = now
        else pause = Math.max(pause, now - last)
        last = now
        draw(last)
        for (const waiter of waiters) {
          if (done < waiter.count) continue
          waiters.delete(waiter)
          waiter.resume()
        }
      })
    ),
    reached,
    next: Effect.suspend(() => reached(done + 1)),
    watch: Effect.map(Clock.currentTimeMillis, (now) => {
      pause = 0
      last = now
    }),
    longestPause: () => pause,
    elapsed: () => last - first
  }
}

const width = 30
/** Milliseconds between drawings. */
const interval = 50
