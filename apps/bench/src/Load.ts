/**
 * A closed loop: so many callers, each with one command under way, first to get warm and then measured.
 */
import { Effect, Schema } from "effect"
import { performance } from "node:perf_hooks"

export const Load = Schema.Struct({
  /** Commands, or linearizable reads. */
  operation: Schema.Literal("put", "get"),
  /** Callers; each makes its next command when it has the answer to the last. */
  inFlight: Schema.Int.pipe(Schema.positive()),
  /** Seconds that are not measured. */
  warmUp: Schema.NonNegative,
  /** Seconds that are. */
  seconds: Schema.Positive
})

export type Load = typeof Load.Type

export const Sample = Schema.Struct({
  commandsPerSecond: Schema.Number,
  /** Of the commands that began and ended in the time that was measured. */
  p50Millis: Schema.Number,
  p99Millis: Schema.Number
})

export type Sample = typeof Sample.Type

export interface Recorder {
  /** Milliseconds on the clock that {@link ended} takes. */
  readonly now: () => number
  /** A command that began at `since` has its answer; answers whether to make another. */
  readonly ended: (since: number) => boolean
  readonly sample: () => Sample
}

export const recorder = (load: Load): Recorder => {
  const begin = performance.now() + 1000 * load.warmUp
  const end = begin + 1000 * load.seconds
  let latencies = new Float64Array(1 << 16)
  let count = 0
  return {
    now: () => performance.now(),
    ended: (since) => {
      const now = performance.now()
      if (since >= begin && now <= end) {
        if (count === latencies.length) {
          const larger = new Float64Array(2 * count)
          larger.set(latencies)
          latencies = larger
        }
        latencies[count++] = now - since
      }
      return now < end
    },
    sample: () => {
      const sorted = latencies.subarray(0, count).sort()
      const quantile = (q: number) => (count === 0 ? 0 : sorted[Math.min(count - 1, Math.floor(count * q))]!)
      return { commandsPerSecond: count / load.seconds, p50Millis: quantile(0.5), p99Millis: quantile(0.99) }
    }
  }
}

/** Runs the load with callers that are fibers; the first command that fails ends it. */
export const run = <E, R>(load: Load, command: Effect.Effect<unknown, E, R>): Effect.Effect<Sample, E, R> =>
  Effect.gen(function* () {
    const { ended, now, sample } = recorder(load)
    const caller = Effect.suspend(() => {
      let since = now()
      let more = true
      return Effect.whileLoop({
        while: () => more,
        body: () => command,
        step: () => {
          more = ended(since)
          since = now()
        }
      })
    })
    yield* Effect.all(
      Array.from({ length: load.inFlight }, () => caller),
      { concurrency: "unbounded", discard: true }
    )
    return sample()
  })
