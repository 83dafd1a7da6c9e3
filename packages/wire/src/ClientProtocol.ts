/**
 * The client's end of the wire: an `RpcClient.Protocol` that keeps one connection to one server.
 *
 * ```
 *            open                          first answer
 *  waiting ───────► greeting (Ping sent) ───────────────► connected ──► requests
 *     ▲                    │ refused, silent                  │ lost, silent, goodbye
 *     └──── 10, 20, 40, 80, 80 … ms ◄──────┴──────────────────┘ every outstanding request fails
 * ```
 *
 * A request is sent only while connected and fails at once otherwise: nothing waits here for a connection, so that
 * whoever retries decides how long and with whom.
 *
 * @since 0.1.0
 */
import type * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type * as Connection from "./Connection.js"
import type * as Direct from "./Direct.js"
import { Disconnected, type DisconnectedReason, Unsendable } from "./Disconnected.js"
import * as Frame from "./Frame.js"
import * as inbox from "./internal/inbox.js"
import type { Outbox } from "./internal/outbox.js"
import * as session from "./internal/session.js"
import * as Message from "./Message.js"
import * as ServerProtocol from "./ServerProtocol.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Frames are sent and taken as of this cluster. */
  readonly cluster: string
  /** The longest body that is read or written, in bytes. Default: {@link Frame.defaultMaxBytes}. The same on all ends. */
  readonly maxFrameBytes?: number | undefined
  /**
   * How many bytes of requests may wait to be sent; a request over it fails at once. Default:
   * {@link ServerProtocol.defaultMaxQueuedBytes}.
   */
  readonly maxQueuedBytes?: number | undefined
  /** The pause before the first attempt to reconnect; it doubles with each that fails. Default: 10 milliseconds. */
  readonly reconnectMin?: Duration.DurationInput | undefined
  /**
   * The longest pause between attempts. Default: 80 milliseconds, so that a server that returns is in use again within 100.
   */
  readonly reconnectMax?: Duration.DurationInput | undefined
  /**
   * The pause after a server refused this client for good (another cluster or version): only a person can change that.
   * Default: 1 second.
   */
  readonly refusedPause?: Duration.DurationInput | undefined
  /** How long a server may take to accept a connection and to answer the first ping. Default: 1 second. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * How long a server may be silent at most before it is given up; half way it is sent a ping. Default: 4 seconds.
   */
  readonly keepAlive?: Duration.DurationInput | undefined
}

/**
 * Opens a connection and attaches `events` to it; closed with the scope.
 *
 * @since 0.1.0
 * @category models
 */
export type Connect = (
  events: Connection.Events
) => Effect.Effect<Connection.Connection, { readonly message: string }, Scope.Scope>

/**
 * A protocol that connects, and connects again, for as long as its scope is open. Made once the first attempt has ended,
 * well or not, so that requests that follow find the server if it is there.
 *
 * Several `RpcClient`s may run on it and share the connection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options & {
    /** The server's name in errors: `host:port`. */
    readonly server: string
    readonly connect: Connect
  }
): Effect.Effect<RpcClient.Protocol["Type"] & Direct.Sending, never, Scope.Scope> =>
  Effect.gen(function* () {
    const settings: session.Settings = {
      server: options.server,
      format: { cluster: Frame.clusterTag(options.cluster), maxBytes: options.maxFrameBytes ?? Frame.defaultMaxBytes },
      connectTimeout: Duration.decode(options.connectTimeout ?? "1 second"),
      keepAlive: Duration.decode(options.keepAlive ?? "4 seconds"),
      connect: options.connect
    }
    const maxQueuedBytes = options.maxQueuedBytes ?? ServerProtocol.defaultMaxQueuedBytes
    const reconnectMin = Duration.toMillis(options.reconnectMin ?? "10 millis")
    const reconnectMax = Duration.toMillis(options.reconnectMax ?? "80 millis")
    const refusedPause = Duration.toMillis(options.refusedPause ?? "1 second")
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    let handlers: ReadonlyArray<(message: FromServerEncoded) => Effect.Effect<void>> = []

    /** Each handler knows its own requests and passes over the rest. What is still to be done, if anything is. */
    const handleAll = (message: FromServerEncoded): Effect.Effect<void> | undefined => {
      let rest: Effect.Effect<void> | undefined
      for (const handle of handlers) {
        const effect = handle(message)
        if (effect !== Effect.void) rest = rest === undefined ? effect : Effect.zipRight(rest, effect)
      }
      return rest
    }

    // One inbox for all connections in turn: the end of one comes after its last response and before those of the next.
    const responses = inbox.make<FromServerEncoded>({
      handle: (message) => {
        if (message._tag !== "Chunk") return handleAll(message)
        // It may wait for the reader of its stream, and others must not wait with it. The server sends no more of the stream
        // until this chunk is acknowledged, so it stays in order.
        const rest = handleAll(message)
        if (rest !== undefined) run(rest)
        return undefined
      },
      onFailure: (cause) => Effect.logError(`A response of ${options.server} can't be handled.`, cause),
      run
    })

    let connected: Outbox | undefined
    let why = new Disconnected({
      server: options.server,
      reason: "Unreachable",
      detail: "no attempt to connect has ended yet.",
      sent: false
    })
    let pause = reconnectMin
    let reported: DisconnectedReason | undefined
    const attempted = yield* Deferred.make<void>()

    const attempt = Effect.gen(function* () {
      const error = yield* Effect.flip(
        session.run(settings, {
          onConnected: (outbox) => {
            connected = outbox
            pause = reconnectMin
            reported = undefined
            Deferred.unsafeDone(attempted, Exit.void)
          },
          onDisconnected: (error) => {
            connected = undefined
            why = error
          },
          onMessage: responses.push,
          onMessages: responses.drain
        })
      )
      why = error
      // After every attempt, since `RpcClient` keeps a request that failed to be sent until it hears of this.
      responses.push({ _tag: "ClientProtocolError", error: clientError(error) }, 0)
      responses.drain()
      yield* Deferred.succeed(attempted, undefined)
      const refused = error.reason === "OtherCluster" || error.reason === "OtherVersion"
      if (refused && reported !== error.reason) {
        reported = error.reason
        yield* Effect.logWarning(error.message)
      }
      yield* Effect.sleep(refused ? refusedPause : pause)
      pause = Math.min(2 * pause, reconnectMax)
    })
    yield* Effect.forkScoped(Effect.interruptible(Effect.forever(attempt)))
    yield* Deferred.await(attempted)

    const sendNow: Direct.Sending["sendNow"] = (request) => {
      if (connected === undefined) return clientError(unsent(why))
      let frame: Uint8Array
      try {
        frame = Message.encodeFromClient(settings.format, request)
      } catch (cause) {
        return unsendable(options.server, cause instanceof Error ? cause.message : String(cause))
      }
      if (connected.bytes() + frame.length > maxQueuedBytes) {
        return unsendable(options.server, `${maxQueuedBytes} bytes wait to be sent.`)
      }
      connected.push(frame)
      return undefined
    }

    return {
      run: (handler) =>
        Effect.suspend(() => {
          handlers = [...handlers, handler]
          return Effect.onExit(Effect.never, () =>
            Effect.sync(() => {
              handlers = handlers.filter((other) => other !== handler)
            })
          )
        }),
      send: (request) =>
        Effect.suspend(() => {
          const isConnected = connected !== undefined
          const error = sendNow(request)
          if (error === undefined) return Effect.void
          // A turn of the event loop later: a caller that tries again without a pause would keep the loop from reconnecting.
          return isConnected ? Effect.fail(error) : Effect.zipRight(Effect.sleep(Duration.zero), Effect.fail(error))
        }),
      sendNow,
      supportsAck: true,
      supportsTransferables: false
    }
  })

const clientError = (cause: Disconnected | Unsendable): RpcClientError =>
  new RpcClientError({ reason: "Protocol", message: cause.message, cause })

const unsent = ({ detail, reason, server }: Disconnected): Disconnected =>
  new Disconnected({ server, reason, detail, sent: false })

const unsendable = (server: string, detail: string): RpcClientError => clientError(new Unsendable({ server, detail }))
