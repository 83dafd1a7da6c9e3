/**
 * Connections to the other replicas, opened and closed as members come and go.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Peer, unreachable } from "./Peers.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Links {
  /** The one that was opened to that node, or one that can't be reached. */
  readonly peer: (node: NodeId.NodeId) => Peer
  /** Keeps these, by node, where their address is known, and no others. */
  readonly keep: (addresses: ReadonlyMap<NodeId.NodeId, string | undefined>) => Effect.Effect<void>
  /** That node says itself where it is: of use while nobody else has told. */
  readonly found: (node: NodeId.NodeId, address: string) => Effect.Effect<void>
}

interface Link {
  readonly address: string
  readonly peer: Peer
  readonly scope: Scope.CloseableScope
}

/** Nodes that may say where they are, beyond the members, before none is listened to any more. */
const mostFound = 64

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly connect: (address: string) => Effect.Effect<Peer, never, Scope.Scope>
}): Effect.Effect<Links, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const one = yield* Effect.makeSemaphore(1)
    const links = new Map<NodeId.NodeId, Link>()
    let kept = 0

    const open = (node: NodeId.NodeId, address: string) =>
      Effect.gen(function* () {
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const peer = yield* Scope.extend(options.connect(address), own)
        links.set(node, { address, peer, scope: own })
      })

    /** In the background: what is under way there is given up. */
    const close = (node: NodeId.NodeId) =>
      Effect.suspend(() => {
        const link = links.get(node)
        links.delete(node)
        return link === undefined ? Effect.void : Effect.forkIn(Scope.close(link.scope, Exit.void), scope)
      })

    return {
      peer: (node) => links.get(node)?.peer ?? unreachable(`nobody knows where node ${node} listens`),
      keep: (addresses) =>
        one.withPermits(1)(
          Effect.gen(function* () {
            kept = addresses.size
            for (const node of links.keys()) if (!addresses.has(node)) yield* close(node)
            for (const [node, address] of addresses) {
              if (address === undefined || links.get(node)?.address === address) continue
              yield* close(node)
              yield* open(node, address)
            }
          })
        ),
      found: (node, address) =>
        Effect.suspend(() => {
          const isOfUse = () => !links.has(node) && links.size < kept + mostFound
          return isOfUse()
            ? one.withPermits(1)(Effect.suspend(() => (isOfUse() ? open(node, address) : Effect.void)))
            : Effect.void
        })
    }
  })
