/**
 * The wire over TCP: ready-made protocols for `RpcServer` and `RpcClient`.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as ClientProtocol from "./ClientProtocol.js"
import type * as Connection from "./Connection.js"
import type * as Direct from "./Direct.js"
import * as ServerProtocol from "./ServerProtocol.js"

/**
 * A server can't listen where it should.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenError extends Data.TaggedError("ListenError")<{
  readonly host: string
  readonly port: number
  /** The system's code, such as `EADDRINUSE`. */
  readonly code: string
}> {
  override get message(): string {
    return `Can't listen on ${formatAddress(this.host, this.port)}: ${listenReasons.get(this.code) ?? this.code}.`
  }
}

const listenReasons: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the port is in use"],
  ["EACCES", "this user may not use the port"],
  ["EADDRNOTAVAIL", "this machine doesn't have that address"],
  ["ENOTFOUND", "the host is unknown"],
  ["ERR_SOCKET_BAD_PORT", "there is no such port"]
])

/**
 * Where the server of {@link serverLayer} listens: with the port that the system chose, if it was asked for port 0.
 *
 * @since 0.1.0
 * @category tags
 */
export class Address extends Context.Tag("@synod/wire/Tcp/Address")<
  Address,
  {
    readonly host: string
    readonly port: number
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions extends ServerProtocol.Options {
  readonly host: string
  /** 0: whichever is free, see {@link Address}. */
  readonly port: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ClientOptions extends ClientProtocol.Options {
  readonly host: string
  readonly port: number
}

/**
 * Listens, and serves whichever `RpcServer` runs on the protocol. When the scope closes, the server stops accepting,
 * tells its clients, and has closed every connection within {@link closeGrace}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serverProtocol = (
  options: ServerOptions
): Effect.Effect<
  { readonly protocol: ServerProtocol.ServerProtocol["protocol"]; readonly address: Address["Type"] },
  ListenError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const server = yield* ServerProtocol.make(options)
    const sockets = new Set<Net.Socket>()
    const listener = Net.createServer({ noDelay: true })
    listener.on("connection", (socket) => {
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
      const events = server.accept(connection(socket))
      attach(socket, events)
    })
    yield* Effect.acquireRelease(listen(listener, options), () => close(listener, sockets, server.closeAll))
    const address = listener.address() as Net.AddressInfo
    return { protocol: server.protocol, address: { host: address.address, port: address.port } }
  })

/**
 * {@link serverProtocol} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const serverLayer = (options: ServerOptions): Layer.Layer<RpcServer.Protocol | Address, ListenError> =>
  Layer.scopedContext(
    Effect.map(serverProtocol(options), ({ address, protocol }) =>
      Context.make(RpcServer.Protocol, protocol).pipe(Context.add(Address, address))
    )
  )

/**
 * Keeps a connection to one server; see {@link ClientProtocol.make}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientProtocol = (
  options: ClientOptions
): Effect.Effect<RpcClient.Protocol["Type"] & Direct.Sending, never, Scope.Scope> =>
  ClientProtocol.make({
    ...options,
    server: formatAddress(options.host, options.port),
    connect: connect(options)
  })

/**
 * {@link clientProtocol} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const clientLayer = (options: ClientOptions): Layer.Layer<RpcClient.Protocol> =>
  Layer.scoped(RpcClient.Protocol, clientProtocol(options))

/**
 * How long clients get to hear that a server closes, in milliseconds, before their connections are torn down.
 *
 * @since 0.1.0
 * @category constants
 */
export const closeGrace = 100

const listen = (listener: Net.Server, options: ServerOptions): Effect.Effect<void, ListenError> =>
  Effect.async<void, ListenError>((resume) => {
    const onError = (error: NodeJS.ErrnoException): void =>
      resume(
        Effect.fail(new ListenError({ host: options.host, port: options.port, code: error.code ?? error.message }))
      )
    listener.once("error", onError)
    listener.once("listening", () => {
      listener.off("error", onError)
      // What can fail from here on is accepting one connection (no descriptor left, say): its client tries again.
      listener.on("error", () => undefined)
      resume(Effect.void)
    })
    try {
      listener.listen({ host: options.host, port: options.port })
    } catch (error) {
      // A port that can't be.
      onError(error as NodeJS.ErrnoException)
    }
  })

const close = (
  listener: Net.Server,
  sockets: ReadonlySet<Net.Socket>,
  closeAll: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    listener.close(() => Deferred.unsafeDone(closed, Exit.void))
    yield* closeAll
    yield* Effect.interruptible(Effect.timeoutOption(Deferred.await(closed), closeGrace))
    for (const socket of sockets) socket.destroy()
    yield* Deferred.await(closed)
  })

const connect =
  (options: ClientOptions): ClientProtocol.Connect =>
  (events) =>
    Effect.acquireRelease(
      Effect.try({
        try: () => Net.createConnection({ host: options.host, port: options.port, noDelay: true }),
        catch: (error) => ({ message: error instanceof Error ? error.message : String(error) })
      }),
      (socket) =>
        Effect.sync(() => {
          // What the last turn wrote may still leave, if the server reads it soon.
          if (socket.writableLength === 0 || socket.connecting) socket.destroy()
          else socket.setTimeout(closeGrace, () => socket.destroy()).destroySoon()
        })
    ).pipe(
      Effect.flatMap((socket) =>
        Effect.async<Connection.Connection, { readonly message: string }>((resume) => {
          let opened = false
          attach(socket, {
            ...events,
            onClose: (why) => {
              if (opened) events.onClose(why)
              else resume(Effect.fail({ message: `connecting failed (${why ?? "closed"}).` }))
            }
          })
          socket.once("connect", () => {
            opened = true
            resume(Effect.succeed(connection(socket)))
          })
        })
      )
    )

/** Bytes that the system hands over at most at once, in Node. A chunk of so many has probably more behind it. */
const fullChunk = 64 * 1024

const attach = (socket: Net.Socket, events: Connection.Events): void => {
  let why: string | undefined
  socket.on("data", (chunk: Buffer) => {
    events.onData(chunk)
    if (chunk.length < fullChunk) return
    // Node would read on, up to 2 MiB, before it looks at other connections: a heartbeat must not wait for all of that.
    socket.pause()
    setImmediate(() => socket.resume())
  })
  socket.on("drain", events.onDrain)
  socket.on("error", (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message
  })
  socket.on("close", () => events.onClose(why))
}

const connection = (socket: Net.Socket): Connection.Connection => ({
  peer: formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0),
  write: (bytes) => socket.write(bytes),
  end: () => socket.end(),
  destroy: () => socket.destroy()
})

const formatAddress = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
