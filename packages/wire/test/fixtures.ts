import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSchema from "@effect/rpc/RpcSchema"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Cause, Context, Deferred, Effect, Exit, Layer, Logger, Schedule, Schema, Scope, Stream } from "effect"
import * as Net from "node:net"
import { Frame, Message, RpcOptions, Tcp } from "../src/index.js"

export class Rpcs extends RpcGroup.make(
  Rpc.make("Echo", { payload: { bytes: Schema.Uint8ArrayFromSelf }, success: Schema.Uint8ArrayFromSelf }),
  Rpc.make("Note", { payload: { number: Schema.Number, padding: Schema.Uint8ArrayFromSelf } }),
  Rpc.make("Large", { payload: { bytes: Schema.Number }, success: Schema.Uint8ArrayFromSelf }),
  Rpc.make("Never"),
  Rpc.make("Die"),
  Rpc.make("Throw"),
  Rpc.make("Count", {
    payload: { to: Schema.Number },
    success: RpcSchema.Stream({ success: Schema.Number, failure: Schema.Never })
  }),
  Rpc.make("LargeChunk", { success: RpcSchema.Stream({ success: Schema.Uint8ArrayFromSelf, failure: Schema.Never }) })
) {}

export const cluster = "test"
export const format: Message.Format = { cluster: Frame.clusterTag(cluster), maxBytes: Frame.defaultMaxBytes }

/** What the handlers saw. */
export interface Seen {
  readonly notes: Array<number>
  /** How many calls of Never are in progress. */
  nevers: number
  /** Whether the stream of LargeChunk was ended by the server. */
  largeChunkEnded: boolean
}

const handlers = (seen: Seen) =>
  Rpcs.toLayer({
    Echo: ({ bytes }) => Effect.succeed(bytes),
    Note: ({ number }) =>
      Effect.sync(() => {
        seen.notes.push(number)
      }),
    Large: ({ bytes }) => Effect.sync(() => new Uint8Array(bytes)),
    Never: () =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          seen.nevers++
        }),
        () => Effect.never,
        () =>
          Effect.sync(() => {
            seen.nevers--
          })
      ),
    Die: () => Effect.die(new Error("the handler died")),
    Throw: (): Effect.Effect<void> => {
      throw new Error("the handler threw")
    },
    Count: ({ to }) => Stream.range(1, to).pipe(Stream.rechunk(10)),
    LargeChunk: () =>
      Stream.make(new Uint8Array(2 * Frame.defaultMaxBytes)).pipe(
        Stream.concat(Stream.never),
        Stream.ensuring(
          Effect.sync(() => {
            seen.largeChunkEnded = true
          })
        )
      )
  })

export interface Server {
  readonly host: string
  readonly port: number
  readonly seen: Seen
  /** The lines that were logged, at any level. */
  readonly logged: Array<string>
  readonly close: Effect.Effect<void>
}

/** A server in a scope of its own, which closes with the test's if not earlier. */
export const startServer = (
  options?: Partial<Tcp.ServerOptions>
): Effect.Effect<Server, Tcp.ListenError, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Seen = { notes: [], nevers: 0, largeChunkEnded: false }
    const logged: Array<string> = []
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const logger = Logger.make(({ message }) => {
      logged.push(String(message))
    })
    const layer = RpcServer.layer(Rpcs, RpcOptions.server).pipe(
      Layer.provide(handlers(seen)),
      Layer.provideMerge(Tcp.serverLayer({ host: "127.0.0.1", port: 0, cluster, ...options })),
      Layer.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    const context = yield* Layer.buildWithScope(layer, scope)
    const address = Context.get(context, Tcp.Address)
    return { ...address, seen, logged, close: Scope.close(scope, Exit.void) }
  })

export const clientOf = (
  server: { readonly host: string; readonly port: number },
  options?: Partial<Tcp.ClientOptions>
) =>
  RpcClient.make(Rpcs, RpcOptions.client).pipe(
    Effect.provideServiceEffect(
      RpcClient.Protocol,
      Tcp.clientProtocol({ host: server.host, port: server.port, cluster, ...options })
    )
  )

/** Waits until `condition` holds, and fails if that takes longer than 5 seconds. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("1 millis") }),
    Effect.timeoutFailCause({ duration: "5 seconds", onTimeout: () => Cause.die(`waited in vain until ${what}`) }),
    Effect.asVoid
  )

/** A socket without a protocol. */
export interface Raw {
  readonly socket: Net.Socket
  readonly send: (...frames: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
  /** The server's messages so far. */
  readonly received: Array<Message.FromServer>
  /** Waits until the connection is closed, and gives the last message. */
  readonly closed: Effect.Effect<Message.FromServer | undefined>
}

export const connectRaw = (server: Server): Effect.Effect<Raw, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.async<Net.Socket>((resume) => {
        const socket = Net.connect(server.port, server.host, () => resume(Effect.succeed(socket)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    const closed = yield* Deferred.make<void>()
    const received: Array<Message.FromServer> = []
    const decoder = Frame.makeDecoder({
      ...format,
      onFrame: (kind, value) => {
        const message = Message.decodeFromServer(kind, value)
        if (message._tag === "Left") return message.left
        received.push(message.right)
        return undefined
      }
    })
    socket.on("data", decoder.push)
    socket.on("error", () => undefined)
    socket.on("close", () => Deferred.unsafeDone(closed, Exit.void))
    return {
      socket,
      send: (...frames) => Effect.sync(() => socket.write(Buffer.concat(frames))),
      received,
      closed: Deferred.await(closed).pipe(
        Effect.timeout("5 seconds"),
        Effect.orDie,
        Effect.map(() => received.at(-1))
      )
    }
  })

export const request = (id: string, tag: string, payload?: unknown): Uint8Array =>
  Message.encodeFromClient(format, { _tag: "Request", id, tag, payload, headers: [] })

/** One turn of the real event loop. */
export const turn: Effect.Effect<void> = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})
