/**
 * Every connection between two processes goes through a proxy here, so that each direction between them can be cut, held up
 * and healed alone.
 *
 * ```
 *   replica 1 ──────► proxy 1→2 ──────► replica 2        bytes from 1 to 2: way 1→2
 *             ◄────────────────────────                  bytes back:        way 2→1
 * ```
 *
 * A cut loses nothing by itself: as with TCP, what was sent waits, and arrives late or never.
 */
import { Data, Effect, Runtime, type Scope, Stream } from "effect"
import * as Net from "node:net"
import { host } from "./Settings.js"

/** A replica by its node, or a client process by its name. */
export type Party = number | string

export interface Network {
  /** The port at which `from` finds the replica. */
  readonly port: (from: Party, to: number) => number
  /** Nothing goes from the one to the other until it is healed. */
  readonly cut: (from: Party, to: Party) => Effect.Effect<void>
  /** Lets through what was cut. */
  readonly mend: (from: Party, to: Party) => Effect.Effect<void>
  /** What goes from the one to the other takes so many milliseconds longer; 0 to end that. */
  readonly slow: (from: Party, to: Party, milliseconds: number) => Effect.Effect<void>
  /** Breaks the connections between the two, as a router does that forgets them. */
  readonly reset: (a: Party, b: Party) => Effect.Effect<void>
  readonly heal: Effect.Effect<void>
}

/** One direction between two parties. */
interface Way {
  readonly open: Effect.Latch
  delay: number
}

class Broken extends Data.TaggedError("Broken")<{ readonly cause: unknown }> {}

/** Proxies from each of the parties to each of the replicas, which listen where `targets` says, by node. */
export const make = (
  parties: ReadonlyArray<Party>,
  targets: ReadonlyMap<number, number>
): Effect.Effect<Network, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ways = new Map<string, Way>()
    const way = (from: Party, to: Party): Way => {
      const name = `${from}→${to}`
      const known = ways.get(name)
      if (known !== undefined) return known
      const made: Way = { open: Effect.unsafeMakeLatch(true), delay: 0 }
      ways.set(name, made)
      return made
    }
    const ports = new Map<string, number>()
    const connections = new Map<string, Set<Net.Socket>>()
    for (const [node, target] of targets) {
      for (const party of parties) {
        if (party === node) continue
        const name = `${party}→${node}`
        const sockets = new Set<Net.Socket>()
        connections.set(name, sockets)
        ports.set(name, yield* proxy({ target, forth: way(party, node), back: way(node, party), sockets }))
      }
    }
    const each = (change: (way: Way) => Effect.Effect<unknown>) =>
      Effect.forEach(ways.values(), change, { discard: true })
    return {
      port: (from, to) => ports.get(`${from}→${to}`)!,
      cut: (from, to) => Effect.asVoid(way(from, to).open.close),
      mend: (from, to) => Effect.asVoid(way(from, to).open.open),
      slow: (from, to, milliseconds) => Effect.sync(() => void (way(from, to).delay = milliseconds)),
      reset: (a, b) =>
        Effect.sync(() => {
          for (const name of [`${a}→${b}`, `${b}→${a}`]) {
            for (const socket of connections.get(name) ?? []) socket.resetAndDestroy()
          }
        }),
      heal: each((way) => Effect.suspend(() => ((way.delay = 0), way.open.open)))
    }
  })

const proxy = (options: {
  readonly target: number
  readonly forth: Way
  readonly back: Way
  readonly sockets: Set<Net.Socket>
}): Effect.Effect<number, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { back, forth, sockets, target } = options
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const held = (socket: Net.Socket) =>
      Effect.acquireRelease(
        Effect.sync(() => void sockets.add(socket)),
        () => Effect.sync(() => (sockets.delete(socket), socket.destroy()))
      )
    const carryBoth = (incoming: Net.Socket) =>
      Effect.gen(function* () {
        yield* held(incoming)
        // A connection is made by messages both ways.
        yield* forth.open.await
        yield* back.open.await
        const outgoing = Net.createConnection({ host, port: target, noDelay: true, allowHalfOpen: true })
        // What goes wrong shows in the reading and the writing.
        outgoing.on("error", () => undefined)
        yield* held(outgoing)
        yield* Effect.all([carry(incoming, outgoing, forth), carry(outgoing, incoming, back)], {
          concurrency: "unbounded"
        })
      }).pipe(Effect.scoped, Effect.ignore)
    const server = yield* Effect.acquireRelease(
      Effect.async<Net.Server>((resume) => {
        const server = Net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
          socket.on("error", () => undefined)
          fork(carryBoth(socket))
        })
        server.listen(0, host, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    return (server.address() as Net.AddressInfo).port
  })

/** Moves bytes, and in the end their end. */
const carry = (from: Net.Socket, to: Net.Socket, way: Way) =>
  Stream.fromAsyncIterable(from as AsyncIterable<Uint8Array>, (cause) => new Broken({ cause })).pipe(
    Stream.runForEach((bytes) =>
      Effect.zipRight(
        Effect.suspend(() => (way.delay > 0 ? Effect.sleep(way.delay) : Effect.void)),
        Effect.zipRight(way.open.await, write(to, bytes))
      )
    ),
    Effect.zipRight(Effect.sync(() => void to.end()))
  )

const write = (socket: Net.Socket, bytes: Uint8Array) =>
  Effect.async<void, Broken>((resume) => {
    socket.write(bytes, (error) => resume(error ? new Broken({ cause: error }) : Effect.void))
  })
