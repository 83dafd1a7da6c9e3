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
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Connection from "./Connection.js"
import * as Frame from "./Frame.js"
import * as inbox from "./internal/inbox.js"
import * as outbox from "./internal/outbox.js"
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
   * How long a server may be silent before it is given up; half way it is sent a ping. Default: 4 seconds.
   */
  readonly keepAlive?: Duration.DurationInput | undefined
}

/**
 * There is no connection to the server. It is the `cause` of the `RpcClientError` that requests fail with.
 *
 * `reason`: what the server said when it closed the connection, or a frame of its that couldn't be read
 * ({@link Message.GoodbyeReason}); `Unreachable`: no connection could be made; `Silent`: the server doesn't answer; `Lost`:
 * the connection went without a word.
 *
 * @since 0.1.0
 * @category errors
 */
export class Disconnected extends Data.TaggedError("Disconnected")<{
  /** The server, as `host:port`. */
  readonly server: string
  readonly reason: Message.GoodbyeReason | "Unreachable" | "Silent" | "Lost"
  /** A sentence about the reason. */
  readonly detail: string
}> {
  override get message(): string {
    return `There is no connection to ${this.server}: ${this.detail}`
  }
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
): Effect.Effect<RpcClient.Protocol["Type"], never, Scope.Scope> =>
  Effect.gen(function*() {
    const format: Message.Format = {
      cluster: Frame.clusterTag(options.cluster),
      maxBytes: options.maxFrameBytes ?? Frame.defaultMaxBytes
    }
    const maxQueuedBytes = options.maxQueuedBytes ?? ServerProtocol.defaultMaxQueuedBytes
    const reconnectMin = Duration.toMillis(options.reconnectMin ?? "10 millis")
    const reconnectMax = Duration.toMillis(options.reconnectMax ?? "80 millis")
    const refusedPause = Duration.toMillis(options.refusedPause ?? "1 second")
    const connectTimeout = Duration.decode(options.connectTimeout ?? "1 second")
    const tick = Duration.times(Duration.decode(options.keepAlive ?? "4 seconds"), 1 / ticks)
    const ping = Message.encodeFromClient(format, { _tag: "Ping" })
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const handlers = new Set<(message: FromServerEncoded) => Effect.Effect<void>>()

    const handle = (message: FromServerEncoded): Effect.Effect<void> =>
      handlers.size === 1
        ? handlers.values().next().value!(message)
        : Effect.forEach(handlers, (handler) => handler(message), { discard: true })

    const disconnected = (reason: Disconnected["reason"], detail: string): Disconnected =>
      new Disconnected({ server: options.server, reason, detail })

    let connected: outbox.Outbox | undefined
    let failure = clientError(disconnected("Unreachable", "no attempt to connect has ended yet."))

    // One connection, from the attempt to its end, which is always a failure. `onGreeted` runs once requests can be sent.
    const session = (onGreeted: () => void): Effect.Effect<never, Disconnected> =>
      Effect.scoped(Effect.gen(function*() {
        const closed = yield* Deferred.make<never, Disconnected>()
        const greeted = yield* Deferred.make<void>()
        let silent = 0
        let out: outbox.Outbox | undefined

        const close = (reason: Disconnected["reason"], detail: string): void => {
          if (connected === out) connected = undefined
          Deferred.unsafeDone(closed, Exit.fail(disconnected(reason, detail)))
        }

        const responses = inbox.make<FromServerEncoded>({ handle, run })
        const decoder = Frame.makeDecoder({
          cluster: format.cluster,
          maxBytes: format.maxBytes,
          onFrame: (kind, value, bytes) => {
            const message = Message.decodeFromServer(kind, value)
            if (Either.isLeft(message)) return message.left
            switch (message.right._tag) {
              case "Pong":
                Deferred.unsafeDone(greeted, Exit.void)
                break
              case "Goodbye":
                close(message.right.reason, `the server closed it: ${message.right.message}`)
                break
              default:
                responses.push(message.right, bytes)
            }
            return undefined
          }
        })

        const open = Effect.gen(function*() {
          const connection = yield* Effect.mapError(
            options.connect({
              onData: (chunk) => {
                silent = 0
                const error = decoder.push(chunk)
                responses.drain()
                if (Option.isSome(error)) {
                  close(error.value.reason._tag, `the server sent what can't be read: ${error.value.message}`)
                }
              },
              onDrain: () => out?.onDrain(),
              onClose: (why) => close("Lost", why === undefined ? "it ended." : `it broke (${why}).`)
            }),
            (error) => disconnected("Unreachable", error.message)
          )
          const opened = outbox.make(connection)
          out = opened
          // Requests of the last turn still leave when the scope closes.
          yield* Effect.addFinalizer(() => Effect.sync(opened.flush))
          opened.push(ping)
          yield* Effect.raceFirst(Deferred.await(greeted), Deferred.await(closed))
          return opened
        })

        const opened = yield* Effect.timeoutFail(open, {
          duration: connectTimeout,
          onTimeout: () => disconnected("Silent", `no answer within ${Duration.format(connectTimeout)}.`)
        })
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            connected = opened
            onGreeted()
          }),
          () => Effect.sync(() => {
            connected = undefined
          })
        )

        // Counts ticks and not time, so that a process that was itself stopped doesn't blame the server.
        const listen = Effect.delay(
          Effect.suspend(() => {
            silent++
            if (silent === ticks / 2) opened.push(ping)
            return silent <= ticks ? Effect.void : Effect.fail(disconnected("Silent", "the server doesn't answer any more."))
          }),
          tick
        )
        return yield* Effect.raceFirst(Deferred.await(closed), Effect.forever(listen))
      }))

    const firstAttempt = yield* Deferred.make<void>()
    let pause = reconnectMin
    let reported: Disconnected["reason"] | undefined
    const attempt = Effect.gen(function*() {
      const error = yield* Effect.flip(session(() => {
        pause = reconnectMin
        reported = undefined
        Deferred.unsafeDone(firstAttempt, Exit.void)
      }))
      failure = clientError(error)
      // After every attempt, since `RpcClient` keeps a request that failed to be sent until it hears of this.
      yield* handle({ _tag: "ClientProtocolError", error: failure })
      yield* Deferred.succeed(firstAttempt, undefined)
      const refused = error.reason === "OtherCluster" || error.reason === "OtherVersion"
      if (refused && reported !== error.reason) {
        reported = error.reason
        yield* Effect.logWarning(error.message)
      }
      yield* Effect.sleep(refused ? refusedPause : pause)
      pause = Math.min(2 * pause, reconnectMax)
    })
    yield* Effect.forkScoped(Effect.interruptible(Effect.forever(attempt)))
    yield* Deferred.await(firstAttempt)

    return RpcClient.Protocol.of({
      run: (handler) =>
        Effect.suspend(() => {
          handlers.add(handler)
          return Effect.onExit(Effect.never, () => Effect.sync(() => handlers.delete(handler)))
        }),
      send: (request) =>
        Effect.suspend(() => {
          if (connected === undefined) return Effect.fail(failure)
          let frame: Uint8Array
          try {
            frame = Message.encodeFromClient(format, request)
          } catch (cause) {
            return Effect.fail(unsendable(options.server, cause))
          }
          if (connected.bytes() + frame.length > maxQueuedBytes) {
            return Effect.fail(unsendable(options.server, new Error(`${maxQueuedBytes} bytes wait to be sent`)))
          }
          connected.push(frame)
          return Effect.void
        }),
      supportsAck: true,
      supportsTransferables: false
    })
  })

// How many looks at a silent connection it takes to give it up.
const ticks = 4

const clientError = (cause: Disconnected): RpcClientError =>
  new RpcClientError({ reason: "Protocol", message: cause.message, cause })

const unsendable = (server: string, cause: unknown): RpcClientError =>
  new RpcClientError({
    reason: "Protocol",
    message: `A request to ${server} can't be sent: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause
  })
