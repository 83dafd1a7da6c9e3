/** One replica as a process of its own, composed as any user would. */
import { NodeRuntime } from "@effect/platform-node"
import { SqliteJournal } from "@synod/journal"
import { Replica, ReplicaConfig, Socket } from "@synod/replica"
import { Effect, Layer, Logger, LogLevel, Schema } from "effect"
import * as Child from "./Child.js"
import { cluster, replicaConfig, ReplicaSettings } from "./Settings.js"
import { Texts, TextsLive } from "./Texts.js"

const { file, members, node } = Schema.decodeUnknownSync(Schema.parseJson(ReplicaSettings))(process.argv[2])

// Whoever started it is gone.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"))

const TextsReplica = Replica.layer(Texts).pipe(
  Layer.provide([TextsLive, Socket.layer({ cluster, node, members }), SqliteJournal.layer({ filename: file })]),
  Layer.provide(Layer.succeed(ReplicaConfig.ReplicaConfig, replicaConfig))
)

Effect.flatMap(Replica.Replica, (replica) => Effect.zipRight(Effect.logInfo("runs"), replica.stopped)).pipe(
  Effect.provide(TextsReplica),
  Effect.ensuring(Effect.logInfo("has ended")),
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))),
  Logger.withMinimumLogLevel(LogLevel.Info),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
Child.isUp()
