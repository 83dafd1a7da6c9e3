/**
 * How a replica that belongs to no epoch finds out where it stands: it tells the others who it is, once a heartbeat, and hears who
 * they are, until it has founded a cluster with them, or a change of membership has named it.
 *
 * ```
 *   introducing ── Introduce(who I am) ──► peer       its founders, or whom it was told of
 *               ◄── who it is ────────────            any of them may know this node by another journal
 *        └── Note, Found ──► own acceptor
 * ```
 *
 * @since 0.1.0
 */
import type { Endpoint } from "@synod/client"
import { Founders } from "@synod/paxos"
import type { Acceptor, Incarnation, NodeId } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Founding from "./Founding.js"
import { Peers } from "./Peers.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Introducing {
  /** Who this replica is, by what is durable. */
  readonly own: () => Founders.Introduction
  /** Somebody has told who it is. */
  readonly hear: (introduction: Founders.Introduction) => void
  /** Who these nodes are, as far as they say so in time. */
  readonly ask: (nodes: ReadonlyArray<NodeId.NodeId>) => Effect.Effect<ReadonlyArray<Founders.Introduction>>
  /** What was noted is durable. */
  readonly noted: () => void
  /** Founders that have not said yet what they must. */
  readonly waitsFor: () => ReadonlyArray<NodeId.NodeId>
  /** Ends when the replica is in an epoch, or is refused. */
  readonly run: Effect.Effect<void, Founding.Refused>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  incarnation: Incarnation.Incarnation,
  options: {
    readonly acceptor: () => Acceptor.State
    readonly tell: (message: Acceptor.Local) => void
  }
): Effect.Effect<Introducing, never, Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const peers = yield* Peers
    const { heartbeat, jitter, silence } = yield* ReplicaConfig
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const { beginning, self } = peers
    const told = beginning._tag === "Found" ? beginning.membership : undefined
    const seeds = beginning._tag === "Found" ? beginning.membership.voters : beginning.seeds
    const patience = Duration.times(Duration.decode(heartbeat), silence)
    const said = new Map<NodeId.NodeId, Founders.Introduction>()
    const asking = new Set<NodeId.NodeId>()
    const news = Effect.unsafeMakeLatch(false)
    let refused: Founding.Refused | undefined
    let waitsFor: ReadonlyArray<NodeId.NodeId> = []

    const own = () => Founders.introduce({ node: self, incarnation }, options.acceptor().epochs, told)
    const isOutside = () => options.acceptor().epochs.present.number === 0

    /** What is to be noted takes the disk's time: only once it is durable is there something new to tell others. */
    const consider = (): void => {
      if (refused !== undefined || !isOutside()) return
      const introduction = own()
      const decision = Founders.decide(introduction, said)
      waitsFor = decision._tag === "Wait" ? decision.nodes : []
      if (decision._tag === "Wait") return
      const { membership } = introduction
      if (decision._tag === "Found") options.tell({ _tag: "Found" })
      else if (decision._tag === "Note" && membership !== undefined) {
        options.tell({ _tag: "Note", founding: { membership, incarnations: decision.incarnations } })
      } else {
        refused = Founding.refusal(introduction, decision)
        news.unsafeOpen()
      }
    }

    const hear = (introduction: Founders.Introduction): void => {
      if (introduction.node === self || !isOutside()) return
      said.set(introduction.node, introduction)
      consider()
    }

    const introduce = (node: NodeId.NodeId): Effect.Effect<Founders.Introduction | undefined, Endpoint.Unreachable> =>
      Effect.timeoutTo(
        Effect.suspend(() => peers.peer(node).introduce(own())),
        {
          duration: patience,
          onSuccess: (introduction): Founders.Introduction | undefined => introduction,
          onTimeout: () => undefined
        }
      )

    const visit = (node: NodeId.NodeId): void => {
      if (node === self || asking.has(node)) return
      asking.add(node)
      runFork(introduce(node), { scope }).addObserver((exit) => {
        asking.delete(node)
        if (exit._tag === "Success" && exit.value !== undefined) hear(exit.value)
      })
    }

    const pause = Effect.flatMap(Random.next, (random) =>
      Effect.sleep(Duration.times(Duration.decode(heartbeat), 1 + jitter * (random - 0.5)))
    )
    const run: Introducing["run"] = Effect.suspend(() => {
      if (refused !== undefined) return Effect.fail(refused)
      if (!isOutside()) return Effect.void
      news.unsafeClose()
      const nodes = options.acceptor().epochs.identity?.founding?.membership.voters ?? seeds
      for (const node of nodes) visit(node)
      return Effect.zipRight(Effect.raceFirst(news.await, pause), run)
    })

    return {
      own,
      hear,
      ask: (nodes) =>
        Effect.map(
          Effect.forEach(nodes, (node) => Effect.orElseSucceed(introduce(node), () => undefined), {
            concurrency: "unbounded"
          }),
          (all) => all.filter((introduction) => introduction !== undefined)
        ),
      noted: () => {
        consider()
        news.unsafeOpen()
      },
      waitsFor: () => waitsFor,
      run
    }
  })
