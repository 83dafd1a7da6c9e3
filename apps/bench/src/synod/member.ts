/** A process of Synod's: a replica with a client of its own, or a client alone. */
import { Client } from "@synod/client"
import { SqliteJournal } from "@synod/journal"
import { Replica, Socket } from "@synod/replica"
import { Effect, Layer, Logger, LogLevel, Runtime, Schema } from "effect"
import { Flood, flood } from "./Flood.js"
import { Load, run } from "../Load.js"
import * as Worker from "../Worker.js"
import { KeyValue, KeyValueLive, puts } from "./KeyValue.js"
import { cluster, Settings } from "./Settings.js"

const settings = Schema.decodeUnknownSync(Settings)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)
/** Calls that wait in each client of the open loop: what two requests hold, so that the rest is refused and not kept. */
const floodWaiting = 512

const decodeFlood = Schema.decodeUnknownSync(Flood)

const measuring = Effect.gen(function* () {
  const put = yield* puts
  const runPromise = Runtime.runPromise(yield* Effect.runtime<never>())
  return { measure: (argument: unknown) => runPromise(run(load(argument), put)), put, runPromise }
})

const client = Effect.gen(function* () {
  const { measure, put, runPromise } = yield* measuring
  const clientLayer = Client.layer(KeyValue, { cluster, servers: settings.members, config: { waiting: floodWaiting } })
  Worker.serve({
    measure,
    put: () => runPromise(put),
    flood: (argument: unknown) => runPromise(flood(decodeFlood(argument), clientLayer))
  })
  return yield* Effect.never
}).pipe(Effect.provide(Client.layer(KeyValue, { cluster, servers: settings.members })))

const replica = ({ file, node }: { readonly file: string; readonly node: number }) =>
  Effect.gen(function* () {
    const { measure, runPromise } = yield* measuring
    const { status, stopped } = yield* Replica.Replica
    Worker.serve({
      measure,
      leads: () => runPromise(Effect.map(status, ({ phase }) => phase === "Leading")),
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
        ])
      )
    )
  )

const logging = Layer.merge(
  Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
  Logger.minimumLogLevel(LogLevel.Warning)
)

Effect.runFork(
  (settings.replica === undefined ? client : replica(settings.replica)).pipe(
    Effect.tapErrorCause((cause) => Effect.logError(cause)),
    Effect.provide(logging)
  )
).addObserver(() => process.exit(1))
