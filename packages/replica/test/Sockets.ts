/** Replicas on real TCP, each in a scope of its own, and raw connections to them. */
import { Client, type ClientConfig } from "@synod/client"
import { Journal } from "@synod/journal"
import { Replica, Socket } from "@synod/replica"
import { Clock, Context, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import * as Net from "node:net"
import { Tally, TallyLive } from "./Tally.js"

export type Members = Readonly<Record<number, { readonly host: string; readonly port: number }>>

/** Ports that were free a moment ago. */
export const members = (count: number): Effect.Effect<Members> =>
  Effect.promise(async () => {
    const servers = await Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<Net.Server>((resolve) => {
            const server = Net.createServer()
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      )
    )
    const ports = servers.map((server) => (server.address() as Net.AddressInfo).port)
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    return Object.fromEntries(ports.map((port, i) => [i + 1, { host: "127.0.0.1", port }]))
  })

/** Waits until something holds, at most 20 seconds. */
export const until = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    const end = (yield* Clock.currentTimeMillis) + 20_000
    while (!(yield* condition)) {
      if ((yield* Clock.currentTimeMillis) > end) return yield* Effect.dieMessage(`waited in vain until ${what}`)
      yield* Effect.sleep("5 millis")
    }
  })

export interface Process {
  readonly replica: Replica.Replica["Type"]
  /** Warnings and errors. */
  readonly lines: Array<string>
  readonly kill: Effect.Effect<void>
}

/** A replica on its own disk; killed with the scope, if not before. */
export const start = (options: Socket.Options, disk: Journal.MemoryDisk) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) lines.push(String(message))
    })
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const context = yield* Layer.buildWithScope(
      Layer.scopedContext(
        Effect.map(Effect.flatMap(Tally.executor, Replica.make), ({ replica }) =>
          Context.make(Replica.Replica, replica)
        )
      ).pipe(
        Layer.provide([TallyLive, Socket.layer(options), Journal.layerMemoryDisk(disk)]),
        Layer.provide(Logger.replace(Logger.defaultLogger, logger))
      ),
      scope
    )
    const process: Process = {
      replica: Context.get(context, Replica.Replica),
      lines,
      kill: Scope.close(scope, Exit.void)
    }
    return process
  })

export const client = (cluster: string, servers: Members, config?: Partial<ClientConfig.ClientConfig>) =>
  Effect.flatMap(
    Layer.build(Client.layer(Tally, { cluster, servers, ...(config === undefined ? {} : { config }) })),
    (context) => Effect.provide(Tally.client, context)
  )

/** Sends bytes that are no request, and gives all that came back once the connection is closed. */
export const sendRaw = ({ host, port }: { readonly host: string; readonly port: number }, bytes: Uint8Array) =>
  Effect.async<Buffer>((resume) => {
    const socket = Net.connect(port, host, () => socket.write(bytes))
    const received: Array<Buffer> = []
    socket.on("data", (chunk) => received.push(chunk))
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(Buffer.concat(received))))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeout("5 seconds"), Effect.orDie)
