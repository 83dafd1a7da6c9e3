/**
 * The server's end of the wire: an `RpcServer.Protocol` over connections that something else accepts.
 *
 * ```
 *  connection ──chunks──► Decoder ──frames──► inbox ──one by one──► RpcServer ──► handlers
 *       ▲                    │ bad frame                                              │
 *       └──── one write a turn ◄──────────── outbox ◄──────── replies ◄───────────────┘
 * ```
 *
 * One client can't harm another: what is wrong with a connection closes that connection, with a {@link Message.Goodbye}
 * that says why and one line in the log.
 *
 * @since 0.1.0
 */
import type * as RpcServer from "@effect/rpc/RpcServer"
import type { FromClientEncoded } from "@effect/rpc/RpcMessage"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as Connection from "./Connection.js"
import type * as Direct from "./Direct.js"
import * as Frame from "./Frame.js"
import * as inbox from "./internal/inbox.js"
import * as outbox from "./internal/outbox.js"
import * as Message from "./Message.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Only frames of this cluster are taken. */
  readonly cluster: string
  /** The longest body that is read or written, in bytes. Default: {@link Frame.defaultMaxBytes}. The same on all ends. */
  readonly maxFrameBytes?: number | undefined
  /**
   * How many bytes may wait for one client, replies for it to read or requests to be begun, each; a client over it is cut
   * off. Default: {@link defaultMaxQueuedBytes}.
   */
  readonly maxQueuedBytes?: number | undefined
  /**
   * How long a client that was told why it is cut off has to read that before its connection is torn down. Default: 1
   * second.
   */
  readonly linger?: Duration.DurationInput | undefined
  /**
   * How long a client may be silent at most before its connection is closed: for machines that went without a word, since a client
   * that lives sends pings. Default: 1 minute.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
}

/**
 * 16 MiB: more than a client that reads at all ever has waiting, and little enough that a hundred that don't are no harm.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultMaxQueuedBytes = 16 * 1024 * 1024

/**
 * @since 0.1.0
 * @category models
 */
export interface ServerProtocol {
  readonly protocol: RpcServer.Protocol["Type"] & Direct.Answering
  /** Takes over a connection that has just opened. */
  readonly accept: (connection: Connection.Connection) => Connection.Events
  /** Says goodbye to every client; their connections end once they have read it. */
  readonly closeAll: Effect.Effect<void>
}

interface Client {
  readonly id: number
  readonly connection: Connection.Connection
  readonly inbox: inbox.Inbox<FromClientEncoded>
  readonly outbox: outbox.Outbox
  /** The message that is being handed over, and the fiber that does so. */
  handing: { readonly message: FromClientEncoded; readonly fiber: Fiber.RuntimeFiber<unknown, unknown> } | undefined
  /** Looks at the connection since anything came from it. */
  silent: number
  closing: boolean
}

// How many looks at a silent connection it takes to close it.
const looks = 4

/**
 * A protocol without connections. One `RpcServer` runs on it at a time; until it does, requests wait, and when it stops
 * every client is told so at once, so that none takes the interruption of its handler for an answer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<ServerProtocol, never, Scope.Scope> =>
  Effect.gen(function* () {
    const format: Message.Format = {
      cluster: Frame.clusterTag(options.cluster),
      maxBytes: options.maxFrameBytes ?? Frame.defaultMaxBytes
    }
    const maxQueuedBytes = options.maxQueuedBytes ?? defaultMaxQueuedBytes
    const linger = Duration.decode(options.linger ?? "1 second")
    const idleTimeout = Duration.decode(options.idleTimeout ?? "1 minute")
    const pong = Message.encodeFromServer(format, { _tag: "Pong" })
    // Without the services that are at hand here: handlers have their own, and these would be merged in with each request.
    const run = yield* Effect.mapInputContext(
      FiberSet.makeRuntime<never, void, never>(),
      (context: Context.Context<Scope.Scope>) => Context.pick(Scope.Scope)(context)
    )
    const disconnects = yield* Mailbox.make<number>()
    const clients = new Map<number, Client>()
    const clientIds = new Set<number>()
    let nextId = 0
    let write: ((clientId: number, message: FromClientEncoded) => Effect.Effect<void>) | undefined

    const forget = (client: Client): void => {
      client.closing = true
      client.inbox.clear()
      if (!clients.delete(client.id)) return
      clientIds.delete(client.id)
      disconnects.unsafeOffer(client.id)
    }

    const endOnceEmpty = (client: Client): void => {
      if (client.outbox.bytes() === 0) client.connection.end()
    }

    const close = (client: Client, reason: Message.GoodbyeReason, message: string): void => {
      if (client.closing) return
      forget(client)
      // What waits for a client that doesn't read would only keep the reason from it.
      if (reason === "NotReading") client.outbox.clear()
      client.outbox.push(Message.encodeFromServer(format, { _tag: "Goodbye", reason, message }))
      client.outbox.flush()
      endOnceEmpty(client)
      run(
        Effect.delay(
          Effect.sync(() => client.connection.destroy()),
          linger
        )
      )
      if (reason !== "Closing") {
        run(Effect.logWarning(`Closed the connection of ${client.connection.peer}: ${message}`))
      }
    }

    const handOver = (client: Client, message: FromClientEncoded): Effect.Effect<void> | undefined => {
      if (write === undefined) return undefined
      const rest = write(client.id, message)
      if (rest === Effect.void) return undefined
      return Effect.withFiberRuntime((fiber) => {
        client.handing = { message, fiber }
        return rest
      })
    }

    const drain = (client: Client): void => {
      if (write !== undefined) client.inbox.drain()
    }

    const push = (client: Client, frame: Uint8Array): void => {
      client.outbox.push(frame)
      if (client.outbox.bytes() > maxQueuedBytes) {
        close(client, "NotReading", `${maxQueuedBytes} bytes wait for the client to read them.`)
      }
    }

    const failRequest = (client: Client, requestId: string, defect: unknown): void =>
      push(
        client,
        Message.encodeFromServer(format, {
          _tag: "Exit",
          requestId,
          exit: { _tag: "Failure", cause: { _tag: "Die", defect } }
        })
      )

    const send = (client: Client, response: Message.FromServer): void => {
      try {
        push(client, Message.encodeFromServer(format, response))
      } catch (cause) {
        if (response._tag !== "Chunk" && response._tag !== "Exit") throw cause
        const why = cause instanceof Error ? cause.message : String(cause)
        failRequest(client, response.requestId, `The reply can't be sent: ${why}`)
        if (response._tag === "Chunk") {
          // The client forgets a request that failed, so nobody would ask for the rest of the stream.
          client.inbox.push({ _tag: "Interrupt", requestId: response.requestId }, 0)
          drain(client)
        }
      }
    }

    const accept = (connection: Connection.Connection): Connection.Events => {
      const client: Client = {
        id: nextId++,
        connection,
        inbox: inbox.make({
          handle: (message) => handOver(client, message),
          onFailure: () => Effect.sync(() => close(client, "Malformed", "A message of the client can't be handled.")),
          run
        }),
        outbox: outbox.make(connection),
        handing: undefined,
        silent: 0,
        closing: false
      }
      clients.set(client.id, client)
      clientIds.add(client.id)
      const decoder = Frame.makeDecoder({
        cluster: format.cluster,
        maxBytes: format.maxBytes,
        onFrame: (kind, value, bytes) => {
          const message = Message.decodeFromClient(kind, value)
          if (Either.isLeft(message)) return message.left
          if (message.right._tag === "Ping") push(client, pong)
          else client.inbox.push(message.right, bytes)
          return undefined
        }
      })
      return {
        onData: (chunk) => {
          // Read on, or the system would answer the rest with a reset, and that can overtake the goodbye.
          if (client.closing) return
          client.silent = 0
          const error = decoder.push(chunk)
          drain(client)
          if (Option.isSome(error)) {
            close(client, error.value.reason._tag, error.value.message)
          } else if (client.inbox.bytes() > maxQueuedBytes) {
            close(client, "Overrun", `${maxQueuedBytes} bytes of requests wait to be begun.`)
          }
        },
        onDrain: () => {
          client.outbox.onDrain()
          if (client.closing) endOnceEmpty(client)
        },
        onClose: () => forget(client)
      }
    }

    const closeAll = Effect.sync(() => {
      for (const client of [...clients.values()]) close(client, "Closing", "The server shuts down.")
    })

    // Counts looks and not time, so that a process that was itself stopped doesn't blame its clients.
    const look = Effect.sync(() => {
      for (const client of [...clients.values()]) {
        if (++client.silent >= looks) close(client, "Idle", "It was silent for too long.")
      }
    })
    yield* Effect.forkScoped(
      Effect.interruptible(Effect.forever(Effect.delay(look, Duration.times(idleTimeout, 1 / looks))))
    )

    const protocol: ServerProtocol["protocol"] = {
      run: (f) =>
        Effect.suspend(() => {
          if (write !== undefined) return Effect.dieMessage("Two servers can't run on one ServerProtocol.")
          write = f
          for (const client of clients.values()) drain(client)
          return Effect.onExit(Effect.never, () => {
            write = undefined
            return closeAll
          })
        }),
      disconnects,
      send: (clientId, response) =>
        Effect.withFiberRuntime((fiber) => {
          const client = clients.get(clientId)
          if (client === undefined || response._tag === "ClientProtocolError") return Effect.void
          if (
            response._tag === "Defect" &&
            client.handing?.fiber === fiber &&
            client.handing.message._tag === "Request"
          ) {
            // `RpcServer` says so of a request that it doesn't know and of a handler that throws instead of making an
            // effect; a client would take a Defect for the end of all its requests.
            failRequest(client, client.handing.message.id, response.defect)
          } else {
            send(client, response)
          }
          return Effect.void
        }),
      sendNow: (clientId, response) => {
        const client = clients.get(clientId)
        if (client !== undefined && response._tag !== "ClientProtocolError") send(client, response)
      },
      end: (clientId) =>
        Effect.sync(() => {
          const client = clients.get(clientId)
          if (client !== undefined) close(client, "Closing", "The client has no more requests.")
        }),
      clientIds: Effect.sync(() => clientIds),
      initialMessage: Effect.succeedNone,
      supportsAck: true,
      supportsTransferables: false,
      supportsSpanPropagation: true
    }

    return { protocol, accept, closeAll }
  })
