/**
 * How a replica learns what is chosen when no leader sends it: it is in an earlier epoch than others, or has no vote.
 *
 * ```
 *   catching up ── Learn(after) ──► peer
 *               ◄── Learned ────────         into the own acceptor; once durable: what comes behind that
 *               ◄── Unlearnable ────         the log begins later: a snapshot of that peer
 * ```
 *
 * @since 0.1.0
 */
import type { Acceptor, Message, NodeId } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { Peers } from "./Peers.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface CatchingUp {
  /** Learns from that node all that it knows; not while another one is asked. */
  readonly from: (node: NodeId.NodeId) => void
  /** What came last is durable. */
  readonly learned: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly acceptor: () => Acceptor.State
  readonly learn: (message: Message.Learned) => Effect.Effect<void>
  /** That node has a snapshot of what is lacking here. */
  readonly pull: (source: NodeId.NodeId) => void
}): Effect.Effect<CatchingUp, never, Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const peers = yield* Peers
    const { chunk, heartbeat, silence } = yield* ReplicaConfig
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const durable = yield* Effect.makeLatch(false)
    const patience = Duration.times(Duration.decode(heartbeat), silence)
    let asking = false

    const learnFrom = (node: NodeId.NodeId): Effect.Effect<void> =>
      Effect.suspend(() =>
        peers.peer(node).learn({ _tag: "Learn", after: options.acceptor().chosenThrough, bytes: chunk })
      ).pipe(
        Effect.timeout(patience),
        Effect.flatMap((lesson) => {
          if (lesson._tag === "Unlearnable") return Effect.sync(() => options.pull(node))
          if (lesson.entries.length === 0) return Effect.void
          durable.unsafeClose()
          // It may be of no use by then, and nothing is written: then it is not gone on with.
          return Effect.zipRight(options.learn(lesson), Effect.timeout(durable.await, patience)).pipe(
            Effect.zipRight(learnFrom(node))
          )
        }),
        Effect.ignore
      )

    return {
      from: (node) => {
        if (asking || node === peers.self) return
        asking = true
        runFork(
          Effect.ensuring(
            learnFrom(node),
            Effect.sync(() => (asking = false))
          ),
          { scope }
        )
      },
      learned: () => durable.unsafeOpen()
    }
  })
