/**
 * Time that passes by itself, as fast as the event loop turns: a step of it a turn. `TestClock.adjust` waits for real time
 * at each step, and these tests take thousands.
 */
import { Clock, Duration, Effect, Scheduler } from "effect"

const step = 10

interface Sleeper {
  readonly wake: number
  readonly resume: (effect: Effect.Effect<void>) => void
}

const make = () => {
  let now = 0
  const sleepers = new Set<Sleeper>()
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleeper = { wake: now + Duration.toMillis(duration), resume }
        sleepers.add(sleeper)
        return Effect.sync(() => {
          sleepers.delete(sleeper)
        })
      })
  }
  const advance = () => {
    now += step
    for (const sleeper of [...sleepers].sort((a, b) => a.wake - b.wake)) {
      if (sleeper.wake > now) break
      sleepers.delete(sleeper)
      sleeper.resume(Effect.void)
    }
  }
  return { clock, advance }
}

/** A turn of the event loop: all that can go on without waiting has gone on. */
export const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/**
 * Runs an effect in virtual time. Fibers go on in microtasks only, so that nothing is left to do when a turn is over: the
 * default scheduler now and then waits for a timer, and much virtual time can pass until that fires.
 */
export const provide = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const { advance, clock } = make()
    const run = Effect.scoped(
      Effect.zipRight(
        Effect.forkScoped(Effect.forever(Effect.zipRight(turn, Effect.sync(advance)))),
        Effect.withClock(effect, clock)
      )
    )
    return Effect.withScheduler(run, new Scheduler.MixedScheduler(Number.POSITIVE_INFINITY))
  })
