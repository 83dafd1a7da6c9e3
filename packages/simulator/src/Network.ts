/**
 * The network of a simulated world: both ends of `@effect/rpc`'s `Protocol`, joined by links that lose, repeat, delay,
 * reorder and corrupt messages. Messages are really encoded, as frames of `@synod/wire`, and checked when they arrive.
 *
 * ```
 *   RpcClient ──► connect(…) ── frame ──► link (faults, latency) ── frame ──► listen(…) ──► RpcServer
 *             ◄──            ◄── frame ──                        ◄── frame ──          ◄──
 * ```
 *
 * A connection behaves as one of TCP does towards those who wait on it: it ends when the other process ends, when bytes
 * arrive that are no frame, and when nothing was heard for {@link keepAlive} though something was lost.
 *
 * @since 0.1.0
 */
import type * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import type * as RpcServer from "@effect/rpc/RpcServer"
import { type Direct, Disconnected, Frame, Message } from "@synod/wire"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Counts, Rates } from "./Fault.js"
import * as Link from "./Link.js"
import * as Tell from "./internal/tell.js"
import type { Partition } from "./Partition.js"
import type { Process } from "./Process.js"
import type { World } from "./World.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Network {
  /** What a replica's server runs on, until its process ends. */
  readonly listen: (process: Process, node: number) => Effect.Effect<RpcServer.Protocol["Type"] & Direct.Answering>
  /** What a client of the replica `to` runs on. */
  readonly connect: (process: Process, to: number) => RpcClient.Protocol["Type"] & Direct.Sending
  /** Which links carry messages between replicas from now on. Links of clients are never cut. */
  readonly cut: (partition: Partition) => void
  /** Holds back what goes over a link, for so many milliseconds. */
  readonly clog: (from: number, to: number, milliseconds: number) => void
  /** From now on messages meet with these faults. */
  readonly setRates: (rates: Rates) => void
}

/**
 * How long a connection may be silent after something on it was lost, before its ends give it up, in milliseconds; that of
 * `@synod/wire`.
 *
 * @since 0.1.0
 * @category constants
 */
export const keepAlive = 4_000

/** How long it takes to learn that nobody listens, in milliseconds. */
const refusal = 1

interface Server {
  readonly process: Process
  readonly node: number
  readonly connections: Map<number, Connection>
  readonly clientIds: Set<number>
  readonly disconnects: Mailbox.Mailbox<number>
  receive: ((clientId: number, message: FromClientEncoded) => void) | undefined
}

interface ClientEnd {
  readonly process: Process
  readonly to: number
  receive: Array<(message: FromServerEncoded) => void>
  connection: Connection | undefined
}

interface Connection {
  readonly id: number
  readonly client: ClientEnd
  readonly server: Server
  readonly request: Link.Link
  readonly response: Link.Link
  open: boolean
  /** When anything last came over it. */
  heard: number
  /** Ids of requests count from 1 on each connection, so that what is sent does not depend on what else runs. */
  readonly ids: { next: number; readonly sent: Map<string, string>; readonly own: Map<string, string> }
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  world: World,
  options: { readonly cluster: string; readonly maxFrameBytes: number; readonly counts: Counts }
): Network => {
  const format: Message.Format = { cluster: Frame.clusterTag(options.cluster), maxBytes: options.maxFrameBytes }
  const links = Link.make(world, options.counts)
  const servers = new Map<number, Server>()
  let nextConnection = 1

  const drop = (connection: Connection, reason: "Lost" | "Silent" | "BadChecksum"): void => {
    if (!connection.open) return
    connection.open = false
    const { client, server } = connection
    server.connections.delete(connection.id)
    server.clientIds.delete(connection.id)
    if (client.connection === connection) client.connection = undefined
    world.trace.event(client.process.name, "disconnected", () => `from ${server.node}: ${reason}`)
    client.process.perform(() => {
      const error = clientError(client.to, reason, true)
      for (const receive of client.receive) receive({ _tag: "ClientProtocolError", error })
    })
    server.process.perform(() => server.disconnects.unsafeOffer(connection.id))
  }

  /** An end is gone: the other one hears of it, at once or when it has listened in vain for long enough. */
  const hangUp = (connection: Connection): void => {
    const heard = !links.isCut(connection.request) && !links.isCut(connection.response)
    world.after(heard ? links.latency() : keepAlive, () => drop(connection, heard ? "Lost" : "Silent"))
  }

  /** Something on this connection did not arrive. */
  const suspect = (connection: Connection): void => {
    const since = world.now()
    world.after(keepAlive, () => {
      if (connection.heard <= since) drop(connection, "Silent")
    })
  }

  const transmit = (
    connection: Connection,
    link: Link.Link,
    from: Process,
    to: Process,
    frame: Uint8Array,
    tell: () => string,
    arrive: (kind: number, value: unknown) => boolean
  ): void => {
    if (!from.alive()) return
    world.trace.event(from.name, "sends", () => `${link.to}: ${tell()}`, frame)
    links.send(link, frame, {
      lost: () => suspect(connection),
      arrived: (bytes) =>
        to.perform(() => {
          if (!connection.open) return
          connection.heard = world.now()
          const read = Frame.makeDecoder({
            ...format,
            onFrame: (kind, value) => (arrive(kind, value) ? undefined : { _tag: "Malformed", detail: "no message" })
          }).push(bytes)
          if (Option.isSome(read)) drop(connection, "BadChecksum")
        })
    })
  }

  const toServer = (connection: Connection, message: FromClientEncoded): void => {
    const { client, server } = connection
    transmit(
      connection,
      connection.request,
      client.process,
      server.process,
      Message.encodeFromClient(format, numbered(connection, message)),
      () => Tell.fromClient(message),
      (kind, value) =>
        Either.match(Message.decodeFromClient(kind, value), {
          onLeft: () => false,
          onRight: (received) => {
            server.receive?.(connection.id, received)
            return true
          }
        })
    )
  }

  const toClient = (connection: Connection, message: Message.FromServer): void => {
    const { client, server } = connection
    transmit(
      connection,
      connection.response,
      server.process,
      client.process,
      Message.encodeFromServer(format, message),
      () => Tell.fromServer(message),
      (kind, value) =>
        Either.match(Message.decodeFromServer(kind, value), {
          onLeft: () => false,
          onRight: (received) => {
            const known = received._tag === "Goodbye" ? undefined : named(connection, received)
            if (known !== undefined) for (const receive of client.receive) receive(known)
            return true
          }
        })
    )
  }

  const connected = (client: ClientEnd): Connection | undefined => {
    if (client.connection !== undefined) return client.connection
    const server = servers.get(client.to)
    if (server === undefined || !server.process.alive() || server.receive === undefined) return undefined
    const connection: Connection = {
      id: nextConnection++,
      client,
      server,
      request: links.between(client.process.name, server.process.name),
      response: links.between(server.process.name, client.process.name),
      open: true,
      heard: world.now(),
      ids: { next: 1, sent: new Map(), own: new Map() }
    }
    if (links.isCut(connection.request) || links.isCut(connection.response)) return undefined
    client.connection = connection
    server.connections.set(connection.id, connection)
    server.clientIds.add(connection.id)
    client.process.onCrash(() => connection.open && hangUp(connection))
    return connection
  }

  const listen: Network["listen"] = (process, node) =>
    Effect.gen(function* () {
      const server: Server = {
        process,
        node,
        connections: new Map(),
        clientIds: new Set(),
        disconnects: yield* Mailbox.make<number>(),
        receive: undefined
      }
      servers.set(node, server)
      process.onCrash(() => {
        for (const connection of server.connections.values()) hangUp(connection)
      })
      const sendNow: Direct.Answering["sendNow"] = (clientId, response) => {
        const connection = server.connections.get(clientId)
        if (connection !== undefined && response._tag !== "ClientProtocolError") toClient(connection, response)
      }
      return {
        run: (f) =>
          Effect.flatMap(Effect.runtime<never>(), (runtime) => {
            const fork = forker(runtime)
            server.receive = (clientId, message) => fork(f(clientId, message))
            return Effect.onExit(Effect.never, () =>
              Effect.sync(() => {
                server.receive = undefined
                for (const connection of server.connections.values()) hangUp(connection)
              })
            )
          }),
        disconnects: server.disconnects,
        send: (clientId, response) => Effect.sync(() => sendNow(clientId, response)),
        sendNow,
        end: (clientId) =>
          Effect.sync(() => {
            const connection = server.connections.get(clientId)
            if (connection !== undefined) hangUp(connection)
          }),
        clientIds: Effect.sync(() => server.clientIds),
        initialMessage: Effect.succeedNone,
        supportsAck: true,
        supportsTransferables: false,
        supportsSpanPropagation: true
      }
    })

  const connect: Network["connect"] = (process, to) => {
    const client: ClientEnd = { process, to, receive: [], connection: undefined }
    const sendNow: Direct.Sending["sendNow"] = (message) => {
      const connection = connected(client)
      if (connection === undefined) return clientError(to, "Unreachable", false)
      toServer(connection, message)
      return undefined
    }
    return {
      run: (handler) =>
        Effect.flatMap(Effect.runtime<never>(), (runtime) => {
          const fork = forker(runtime)
          const receive = (message: FromServerEncoded): void => fork(handler(message))
          client.receive = [...client.receive, receive]
          return Effect.onExit(Effect.never, () =>
            Effect.sync(() => {
              client.receive = client.receive.filter((other) => other !== receive)
            })
          )
        }),
      send: (message) =>
        Effect.suspend(() => {
          const error = sendNow(message)
          return error === undefined ? Effect.void : Effect.delay(Effect.fail(error), refusal)
        }),
      sendNow,
      supportsAck: true,
      supportsTransferables: false
    }
  }

  return { listen, connect, cut: links.cut, clog: links.clog, setRates: links.setRates }
}

/** Does what is still to be done about a message, if anything is. */
const forker = (runtime: Runtime.Runtime<never>) => {
  const fork = Runtime.runFork(runtime)
  return (rest: Effect.Effect<void>): void => {
    if (rest !== Effect.void) fork(rest, { immediate: false })
  }
}

/** The message with the id that its request has on this connection. */
const numbered = ({ ids }: Connection, message: FromClientEncoded): FromClientEncoded => {
  switch (message._tag) {
    case "Request": {
      const id = String(ids.next++)
      ids.sent.set(message.id, id)
      ids.own.set(id, message.id)
      return { ...message, id }
    }
    case "Ack":
    case "Interrupt":
      return { ...message, requestId: ids.sent.get(message.requestId) ?? "0" }
    default:
      return message
  }
}

/** The message with the id that its request has at the client; nothing for one that was answered before. */
const named = (
  { ids }: Connection,
  message: Exclude<Message.FromServer, Message.Goodbye>
): FromServerEncoded | undefined => {
  if (message._tag !== "Exit" && message._tag !== "Chunk") return message
  const requestId = ids.own.get(message.requestId)
  if (requestId === undefined) return undefined
  if (message._tag === "Exit") {
    ids.own.delete(message.requestId)
    ids.sent.delete(requestId)
  }
  return { ...message, requestId }
}

const details = {
  Lost: "the connection was lost.",
  Silent: "it does not answer.",
  BadChecksum: "bytes that are no frame came from it.",
  Unreachable: "connecting failed."
} as const

const clientError = (node: number, reason: keyof typeof details, sent: boolean): RpcClientError => {
  const cause = new Disconnected.Disconnected({ server: `node ${node}`, reason, detail: details[reason], sent })
  return new RpcClientError({ reason: "Protocol", message: cause.message, cause })
}
