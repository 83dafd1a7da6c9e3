/**
 * Effects that end in time, many of them by one timer: `Effect.timeout` takes two fibers and a timer for each, which is more
 * than all else that a client does for a request.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"

/**
 * @since 0.1.0
 * @category models
 */
export interface Timeouts {
  /** The effect; interrupted after so many milliseconds, and `expired` in its place. */
  readonly within: <A, E, B, F>(
    effect: Effect.Effect<A, E>,
    millis: number,
    expired: () => Effect.Effect<B, F>
  ) => Effect.Effect<A | B, E | F>
}

interface Running {
  /** When its time is up, in milliseconds since 1970. */
  readonly until: number
  readonly expire: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Timeouts, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const runFork = yield* FiberSet.makeRuntime()
  /** By no order: only the timer looks at all of them. */
  const running = new Set<Running>()
  let timer: { readonly at: number; readonly fiber: Fiber.RuntimeFiber<void> } | undefined

  const look = Effect.sync(() => {
    timer = undefined
    const now = clock.unsafeCurrentTimeMillis()
    let next = Infinity
    for (const one of running) {
      if (one.until <= now) one.expire()
      else next = Math.min(next, one.until)
    }
    if (next < Infinity) wait(next, now)
  })

  const wait = (until: number, now: number): void => {
    timer?.fiber.unsafeInterruptAsFork(FiberId.none)
    timer = { at: until, fiber: runFork(Effect.zipRight(clock.sleep(Duration.millis(until - now)), look)) }
  }

  return {
    within: <A, E, B, F>(effect: Effect.Effect<A, E>, millis: number, expired: () => Effect.Effect<B, F>) =>
      Effect.async<A | B, E | F>((resume) => {
        const now = clock.unsafeCurrentTimeMillis()
        const fiber = runFork(effect)
        const one: Running = {
          until: now + millis,
          expire: () => {
            running.delete(one)
            resume(expired())
            fiber.unsafeInterruptAsFork(FiberId.none)
          }
        }
        running.add(one)
        fiber.addObserver((exit) => {
          if (running.delete(one)) resume(exit)
        })
        // The timer of requests that have ended goes on, for the next ones: most take the same time.
        if (timer === undefined || timer.at > one.until) wait(one.until, now)
        return Effect.suspend(() => {
          running.delete(one)
          return Fiber.interrupt(fiber)
        })
      })
  }
})
