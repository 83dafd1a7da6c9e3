/**
 * The server. Alone without any setting; with REPLICA and MEMBERS one replica of several.
 */
import { HttpApiBuilder, HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { SqliteJournal } from "@synod/journal"
import { Replica, Single, Socket } from "@synod/replica"
import { Config, Console, Effect, Layer, Option } from "effect"
import { mkdirSync } from "node:fs"
import { createServer } from "node:http"
import { ApiLive } from "./Api.js"
import { Theatre, TheatreLive } from "./Theatre.js"

const Deployment = Layer.unwrapEffect(
  Effect.gen(function* () {
    const node = yield* Config.option(Config.integer("REPLICA"))
    const directory = yield* Config.withDefault(Config.nonEmptyString("DATA"), ".data/theatre")
    mkdirSync(directory, { recursive: true })
    return Option.match(node, {
      onNone: () =>
        Layer.merge(
          Single.layer({ cluster: "theatre" }),
          SqliteJournal.layer({ filename: `${directory}/single.sqlite` })
        ),
      onSome: (node) =>
        Layer.merge(
          Layer.unwrapEffect(
            Effect.map(Socket.members("MEMBERS"), (members) => Socket.layer({ cluster: "theatre", node, members }))
          ),
          SqliteJournal.layer({ filename: `${directory}/replica-${node}.sqlite` })
        )
    })
  })
)

const Server = Layer.unwrapEffect(
  Effect.map(Config.withDefault(Config.port("PORT"), 3000), (port) =>
    NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })
  )
)

HttpApiBuilder.serve().pipe(
  HttpServer.withLogAddress,
  Layer.provide(ApiLive),
  Layer.provide(Replica.layer(Theatre)),
  Layer.provide([TheatreLive, Deployment, Server]),
  Layer.launch,
  Effect.tapError((error) => Console.error("message" in error ? error.message : String(error))),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
