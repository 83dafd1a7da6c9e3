/**
 * An open loop: commands come at a rate, whether or not those before them were answered, from several clients of this process.
 */
import type { Client } from "@synod/client"
import { Clock, Effect, Either, Layer, Schema } from "effect"
import { puts } from "./KeyValue.js"

export const Flood = Schema.Struct({
  /** Clients, each with a session and requests of its own. */
  clients: Schema.Int.pipe(Schema.positive()),
  /** Commands a second, from all of them. */
  rate: Schema.Positive,
  seconds: Schema.Positive
})

export type Flood = typeof Flood.Type

export const Flooded = Schema.Struct({
  /** Commands a second that were asked for. */
  offered: Schema.Number,
  /** Commands a second that were acknowledged. */
  acknowledged: Schema.Number,
  /** Those that ended otherwise, by what they ended with. */
  otherwise: Schema.Record({ key: Schema.String, value: Schema.Number }),
  /** Of those that were acknowledged. */
  p50Millis: Schema.Number,
  p99Millis: Schema.Number
})

export type Flooded = typeof Flooded.Type

/** Milliseconds between two bursts; each holds what is due since the last. */
const pause = 10

export const flood = ({ clients, rate, seconds }: Flood, layer: ReturnType<typeof Client.layer<"KeyValue">>) =>
  Effect.gen(function* () {
    const all = yield* Effect.forEach(Array.from({ length: clients }), () =>
      Effect.flatMap(Layer.build(Layer.fresh(layer)), (context) => Effect.provide(puts, context))
    )
    // Opens the sessions.
    for (const put of all) yield* put
    const latencies: Array<number> = []
    const otherwise = new Map<string, number>()
    const one = (put: (typeof all)[number]) =>
      Effect.gen(function* () {
        const since = yield* Clock.currentTimeMillis
        const outcome = yield* Effect.either(put)
        if (Either.isRight(outcome)) latencies.push((yield* Clock.currentTimeMillis) - since)
        else otherwise.set(outcome.left._tag, (otherwise.get(outcome.left._tag) ?? 0) + 1)
      })
    const begin = yield* Clock.currentTimeMillis
    let made = 0
    let last = begin
    let elapsed = 0
    while (elapsed < seconds * 1000) {
      yield* Effect.sleep(pause)
      const now = yield* Clock.currentTimeMillis
      // What this process has no time for isn't made up for: it would only keep answers from being read.
      const due = Math.round((rate * Math.min(now - last, pause)) / 1000)
      last = now
      for (let n = 0; n < due; n++) yield* Effect.forkScoped(one(all[made++ % clients]!))
      elapsed = now - begin
    }
    const sorted = [...latencies].sort((a, b) => a - b)
    const quantile = (q: number) => sorted[Math.floor(sorted.length * q)] ?? 0
    const flooded: Flooded = {
      offered: made / (elapsed / 1000),
      acknowledged: latencies.length / (elapsed / 1000),
      otherwise: Object.fromEntries(otherwise),
      p50Millis: quantile(0.5),
      p99Millis: quantile(0.99)
    }
    return flooded
  }).pipe(Effect.scoped)
