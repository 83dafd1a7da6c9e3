/**
 * Replicas that reach each other through Maelstrom's network: each message of `@effect/rpc` is a frame of `@synod/wire`, with
 * its checksum, in base64.
 *
 * ```
 *  peer(n2).acceptor(…) ─► RpcClient ─ frame ─► {"src":"n1","dest":"n2","body":{"type":"synod","side":"server",…}}
 *                             ▲                                      │ n2: RpcServer ─► its replica
 *                             └──────── {…"side":"client",…} ◄───────┘
 * ```
 *
 * There are no connections: a message arrives or doesn't, and a replica gives up by itself what is not answered. A node that
 * starts anew may number its requests as before, so every message names the start that it belongs to, and replies to an
 * earlier one are dropped.
 */
import { RpcClient, RpcServer } from "@effect/rpc"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import { NodeId, QuorumSpec } from "@synod/paxos"
import { type Peers, PeerServer } from "@synod/replica"
import { Frame, Message as Wire } from "@synod/wire"
import { Effect, Either, Layer, Mailbox, Option, Random, Schema } from "effect"
import type { Scope } from "effect"
import type { Body } from "./Message.js"

/** The cluster's name, in journals and frames. */
export const cluster = "maelstrom"

const Frames = Schema.Struct({
  type: Schema.Literal("synod"),
  /** Who is to read it: the server of requests, or the client that waits for the reply. */
  side: Schema.Literal("server", "client"),
  /** The start of the client. */
  start: Schema.String.pipe(Schema.maxLength(32)),
  /** In base64. */
  frame: Schema.String
})

const decodeFrames = Schema.decodeUnknownEither(Frames)

export interface Network {
  readonly peers: Peers.Peers["Type"]
  /** A body of type `synod` from another node; in vain, with a sentence, if it is none. */
  readonly receive: (src: string, body: Body) => Effect.Effect<void, string>
}

export const make = (options: {
  readonly self: string
  /** The names of all nodes; the same on each of them, in any order. */
  readonly names: ReadonlyArray<string>
  /** The longest frame, in bytes. */
  readonly maxFrameBytes: number
  readonly send: (dest: string, body: typeof Frames.Type) => Effect.Effect<void>
}): Effect.Effect<Network, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sorted = [...options.names].sort()
    const ids = new Map(sorted.map((name, i) => [name, NodeId.make(i + 1)]))
    const format: Wire.Format = { cluster: Frame.clusterTag(cluster), maxBytes: options.maxFrameBytes }
    const start = String(yield* Random.nextIntBetween(1, Number.MAX_SAFE_INTEGER))

    const send = (dest: string, side: "server" | "client", of: string, frame: Uint8Array) =>
      options.send(dest, { type: "synod", side, start: of, frame: Buffer.from(frame).toString("base64") })

    const links = new Map<string, Link>()
    const peers = new Map<NodeId.NodeId, Peers.Peer>()
    for (const [name, id] of ids) {
      if (name === options.self) continue
      const link = makeLink((request) => send(name, "server", start, Wire.encodeFromClient(format, request)))
      links.set(name, link)
      peers.set(id, yield* Effect.provideService(PeerServer.client(), RpcClient.Protocol, link.protocol))
    }
    const server = yield* makeServer((name, of, response) =>
      send(name, "client", of, Wire.encodeFromServer(format, response))
    )

    const receive = (src: string, body: Body): Effect.Effect<void, string> =>
      Effect.gen(function* () {
        const link = links.get(src)
        if (link === undefined) return yield* Effect.fail(`${src} is no other node of the cluster`)
        const {
          frame,
          side,
          start: of
        } = yield* Either.mapLeft(decodeFrames(body), () => "a frame has a side and a start")
        if (side === "server") {
          yield* server.receive(src, of, yield* read(format, frame, Wire.decodeFromClient))
        } else if (of === start) {
          const response = yield* read(format, frame, Wire.decodeFromServer)
          if (response._tag !== "Goodbye") yield* link.receive(response)
        }
      })

    return {
      peers: {
        cluster,
        self: ids.get(options.self)!,
        beginning: {
          _tag: "Found",
          membership: { voters: Array.from(ids.values()), learners: [], quorums: QuorumSpec.majority }
        },
        peer: (id) => peers.get(id)!,
        enter: () => Effect.void,
        serve: (replica) =>
          Effect.asVoid(
            Layer.build(Layer.provide(PeerServer.layer(replica), Layer.succeed(RpcServer.Protocol, server.protocol)))
          )
      },
      receive
    }
  })

/** One frame, whole. */
const read = <A>(
  format: Wire.Format,
  base64: string,
  decode: (kind: number, value: unknown) => Either.Either<A, Frame.FrameReason>
): Either.Either<A, string> => {
  let message: A | undefined
  const decoder = Frame.makeDecoder({
    cluster: format.cluster,
    maxBytes: format.maxBytes,
    onFrame: (kind, value) => {
      const decoded = decode(kind, value)
      if (Either.isLeft(decoded)) return decoded.left
      message = decoded.right
      return undefined
    }
  })
  const error = decoder.push(Buffer.from(base64, "base64"))
  if (Option.isSome(error)) return Either.left(error.value.message)
  return message === undefined ? Either.left("a frame is incomplete") : Either.right(message)
}

interface Link {
  readonly protocol: RpcClient.Protocol["Type"]
  readonly receive: (response: FromServerEncoded) => Effect.Effect<void>
}

/** The way to one other node. */
const makeLink = (send: (request: FromClientEncoded) => Effect.Effect<void>): Link => {
  // Each of them knows its own requests and passes over the rest.
  const handlers = new Set<(response: FromServerEncoded) => Effect.Effect<void>>()
  return {
    receive: (response) => Effect.forEach(handlers, (handle) => handle(response), { discard: true }),
    protocol: RpcClient.Protocol.of({
      run: (handle) =>
        Effect.suspend(() => {
          handlers.add(handle)
          return Effect.onExit(Effect.never, () => Effect.sync(() => handlers.delete(handle)))
        }),
      send: (request) =>
        Effect.catchAllDefect(
          Effect.suspend(() => send(request)),
          (cause) => new RpcClientError({ reason: "Protocol", message: `It can't be sent: ${String(cause)}`, cause })
        ),
      supportsAck: true,
      supportsTransferables: false
    })
  }
}

/** The server of requests, whose clients are the starts of other nodes. */
const makeServer = (send: (name: string, start: string, response: Wire.FromServer) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const disconnects = yield* Mailbox.make<number>()
    /** The latest start of each node. */
    const current = new Map<string, { readonly id: number; readonly start: string }>()
    const clients = new Map<number, { readonly name: string; readonly start: string }>()
    const clientIds = new Set<number>()
    let nextId = 0
    let write: ((clientId: number, message: FromClientEncoded) => Effect.Effect<void>) | undefined

    const forget = (id: number): void => {
      clients.delete(id)
      clientIds.delete(id)
      disconnects.unsafeOffer(id)
    }

    const clientOf = (name: string, start: string): number => {
      const known = current.get(name)
      if (known?.start === start) return known.id
      if (known !== undefined) forget(known.id)
      const id = nextId++
      current.set(name, { id, start })
      clients.set(id, { name, start })
      clientIds.add(id)
      return id
    }

    const respond = (clientId: number, response: FromServerEncoded): Effect.Effect<void> => {
      const client = clients.get(clientId)
      if (client === undefined || response._tag === "ClientProtocolError") return Effect.void
      // A client takes it for the end of all its requests; without an answer that one counts as lost.
      if (response._tag === "Defect") return Effect.logWarning("A request can't be served.", response.defect)
      return Effect.catchAllDefect(
        Effect.suspend(() => send(client.name, client.start, response)),
        (cause) => Effect.logWarning("A reply can't be sent.", cause)
      )
    }

    return {
      receive: (name: string, start: string, message: FromClientEncoded): Effect.Effect<void> =>
        Effect.suspend(() => (write === undefined ? Effect.void : write(clientOf(name, start), message))),
      protocol: RpcServer.Protocol.of({
        run: (handle) =>
          Effect.suspend(() => {
            write = handle
            return Effect.onExit(Effect.never, () => Effect.sync(() => (write = undefined)))
          }),
        disconnects,
        send: respond,
        end: (clientId) => Effect.sync(() => forget(clientId)),
        clientIds: Effect.sync(() => clientIds),
        initialMessage: Effect.succeedNone,
        supportsAck: true,
        supportsTransferables: false,
        supportsSpanPropagation: true
      })
    }
  })
