/** A process of Synod's: a replica with a client of its own, or a client alone. */
import { Client, Endpoint } from "@synod/client"
import { SqliteJournal } from "@synod/journal"
import { Replica, ReplicaConfig, Socket } from "@synod/replica"
import { Effect, Layer, Logger, LogLevel, Runtime, Schema, Scope, Stream } from "effect"
import * as Insist from "../Insist.js"
import { Load, run } from "../Load.js"
import * as Worker from "../Worker.js"
import { gets, KeyValue, KeyValueLive, longestValue, puts, value } from "./KeyValue.js"
import { Pressure, press } from "./Pressure.js"
import { cluster, Settings } from "./Settings.js"

const settings = Schema.decodeUnknownSync(Settings)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)
const pressure = Schema.decodeUnknownSync(Pressure)

/** Keys that are in turn, unless the settings say otherwise. */
const keys = 10_000

/** Values that don't fit into what a client and a replica take by default. */
const large = (settings.valueBytes ?? 0) > 32 * 1024

/** A command with such a value, and an envelope around it, in bytes. */
const longest = longestValue + 4 * 1024

const Follow = Schema.Struct({ count: Schema.Int, node: Schema.Int })

type Follow = typeof Follow.Type

const decodeFollow = Schema.decodeUnknownSync(Follow)

const measuring = Effect.gen(function* () {
  let acknowledged = 0
  const put = Effect.map(
    yield* puts(settings.keys ?? keys, settings.valueBytes ?? value.length),
    () => void acknowledged++
  )
  const get = yield* gets(settings.keys ?? keys)
  const runPromise = Runtime.runPromise(yield* Effect.runtime<never>())
  return {
    measure: (argument: unknown) => {
      const asked = load(argument)
      return asked.operation === "put" ? runPromise(run(asked, put)) : runPromise(run(asked, get))
    },
    acknowledged: () => Promise.resolve(acknowledged),
    put,
    runPromise
  }
})

const client = Effect.gen(function* () {
  const { acknowledged, measure, put, runPromise } = yield* measuring
  const scope = yield* Scope.make()
  let shown = 0
  /** Follows from now on, each on its own, and asks the given replica first. */
  const follow = ({ count, node }: Follow) =>
    Effect.gen(function* () {
      const { [node]: nearest, ...others } = settings.members
      const endpoints = yield* Effect.forEach(
        [[String(node), nearest!] as const, ...Object.entries(others)],
        ([name, address]) =>
          Effect.map(Endpoint.tcp({ ...address, cluster }), (endpoint) => [Number(name), endpoint] as const)
      )
      const store = yield* Effect.provideServiceEffect(
        KeyValue.client,
        KeyValue.caller,
        Client.make(new Map(endpoints))
      )
      const one = Stream.runForEachChunk(store.applied(), (chunk) => Effect.sync(() => (shown += chunk.length)))
      for (let n = 0; n < count; n++) yield* Effect.forkIn(one, scope)
    }).pipe(Scope.extend(scope))
  Worker.serve({
    measure,
    acknowledged,
    // It finds the leader by itself.
    ...Insist.make(1, () => put),
    press: (argument: unknown) => runPromise(press(pressure(argument), settings)),
    follow: (argument: unknown) => runPromise(follow(decodeFollow(argument))),
    shown: () => Promise.resolve(shown)
  })
  return yield* Effect.never
}).pipe(
  Effect.provide(
    Client.layer(KeyValue, {
      ...{ cluster, servers: settings.members },
      config: large ? { command: longest, bytes: longest } : {}
    })
  )
)

const replica = ({ file, node }: NonNullable<Settings["replica"]>) =>
  Effect.gen(function* () {
    const { measure, runPromise } = yield* measuring
    const { status, stopped } = yield* Replica.Replica
    Worker.serve({
      measure,
      leads: () => runPromise(Effect.map(status, ({ phase }) => phase === "Leading")),
      status: () => runPromise(status),
      memory: () => Promise.resolve(process.memoryUsage.rss())
    })
    return yield* stopped
  }).pipe(
    Effect.provide(
      Replica.layer(KeyValue).pipe(
        Layer.provide([
          KeyValueLive,
          Socket.layer({ cluster, node, members: settings.members }),
          SqliteJournal.layer({ filename: file })
        ]),
        Layer.provide(
          Layer.succeed(ReplicaConfig.ReplicaConfig, {
            ...ReplicaConfig.defaults,
            ...(large ? { envelope: longest + 4 * 1024 } : {})
          })
        )
      )
    )
  )

const logging = Layer.merge(
  Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
  Logger.minimumLogLevel(settings.replica?.tells === true ? LogLevel.Info : LogLevel.Warning)
)

Effect.runFork(
  (settings.replica === undefined ? client : replica(settings.replica)).pipe(
    Effect.tapErrorCause((cause) => Effect.logError(cause)),
    Effect.provide(logging)
  )
).addObserver(() => process.exit(1))
