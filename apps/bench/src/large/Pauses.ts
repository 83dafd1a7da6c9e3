/**
 * `npm run bench -- --snapshot`: how long a replica with a large state stands still while it takes a snapshot and commands go on,
 * beside what it stands still without one. One replica in this process, whose state is a value of 100 MB.
 */
import { SqliteJournal } from "@synod/journal"
import { Replica, ReplicaConfig, Single } from "@synod/replica"
import { Clock, Console, Effect, Layer, Ref, Schedule } from "effect"
import * as Path from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Directory from "../Directory.js"
import { KeyValue, KeyValueLive, puts } from "../synod/KeyValue.js"

export interface Plan {
  readonly keys: number
  /** Of each value. */
  readonly bytes: number
  /** How long it is looked at without a snapshot. */
  readonly seconds: number
}

export interface Pause {
  readonly snapshot: boolean
  readonly seconds: number
  readonly commandsPerSecond: number
  /** How late the event loop came, in milliseconds. */
  readonly longest: number
  readonly p99: number
}

/** Callers of the closed loop: enough for a load, and few enough that a turn which serves them all is short. */
const callers = 16

/** And while the state is filled. */
const filling = 256

/** Slots after which the replica takes its snapshot. */
const soon = 200

/** Whether the snapshot is there is looked at so often. */
const often = Schedule.spaced("5 millis")

/** A replica on that file, which takes a snapshot after so many slots. */
const replica = (filename: string, slots: number) => {
  return Replica.layer(KeyValue).pipe(
    Layer.provide([KeyValueLive, SqliteJournal.layer({ filename }), Single.layer({ cluster: "pauses" })]),
    Layer.provide(
      Layer.succeed(ReplicaConfig.ReplicaConfig, {
        ...ReplicaConfig.defaults,
        snapshotSlots: slots,
        snapshotBytes: Number.MAX_SAFE_INTEGER
      })
    )
  )
}

/** Puts until `until` says so, and how late the event loop came meanwhile. */
const watched = <E, R>(
  put: Effect.Effect<unknown, E, R>,
  until: Effect.Effect<void, E, R>,
  snapshot: boolean
): Effect.Effect<Pause, E, R> =>
  Effect.gen(function* () {
    const done = yield* Ref.make(0)
    const caller = Effect.forever(
      Effect.zipRight(
        put,
        Ref.update(done, (count) => count + 1)
      )
    )
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const began = yield* Clock.currentTimeMillis
    delay.enable()
    yield* Effect.race(Effect.replicateEffect(caller, callers, { concurrency: "unbounded", discard: true }), until)
    delay.disable()
    const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
    return {
      snapshot,
      seconds,
      commandsPerSecond: (yield* Ref.get(done)) / seconds,
      longest: delay.max / 1e6,
      p99: delay.percentile(99) / 1e6
    }
  })

export const run = ({ bytes, keys, seconds }: Plan) =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const filename = Path.join(directory, "pauses.journal")
    yield* Console.log(`One replica, ${keys} values of ${bytes} bytes: they are put.`)
    const [without, slots] = yield* Effect.gen(function* () {
      const put = yield* puts(keys, bytes)
      const { status } = yield* Replica.Replica
      yield* Effect.replicateEffect(put, keys, { concurrency: filling, discard: true })
      const pause = yield* watched(put, Effect.sleep(`${seconds} seconds`), false)
      return [pause, (yield* status).chosenThrough] as const
    }).pipe(Effect.provide(replica(filename, Number.MAX_SAFE_INTEGER)))
    yield* tell(without)
    const during = yield* Effect.gen(function* () {
      const put = yield* puts(keys, bytes)
      const { status } = yield* Replica.Replica
      const taken = Effect.repeat(status, { until: ({ snapshotThrough }) => snapshotThrough > 0, schedule: often })
      return yield* watched(put, Effect.asVoid(taken), true)
      // It applies its log once more, and then so many slots that the state has to be kept.
    }).pipe(Effect.provide(replica(filename, slots + soon)))
    yield* tell(during)
    return [without, during]
  }).pipe(Effect.scoped)

const tell = ({ commandsPerSecond, longest, p99, seconds, snapshot }: Pause) =>
  Console.log(
    `${snapshot ? "while a snapshot is taken" : "without a snapshot"}, ${seconds.toFixed(1)} s: ` +
      `the event loop was late by ${longest.toFixed(0)} ms at most, ${p99.toFixed(1)} ms at the 99th percentile; ` +
      `${commandsPerSecond.toFixed(0)} commands/s`
  )
