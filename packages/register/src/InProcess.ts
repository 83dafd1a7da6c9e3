/**
 * All members in one process, each with its own file: for development, tests, and apps that want durable copies on several disks.
 * Members can be killed and started again.
 *
 * @since 0.1.0
 */
import { Bounds, Endpoint } from "@synod/client"
import type { JournalError } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import type { Quorum, QuorumSpec, RegisterMessage } from "@synod/paxos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Path from "node:path"
import * as Cluster from "./Cluster.js"
import * as Member from "./Member.js"
import type { Peer } from "./Peer.js"
import * as RegisterConfig from "./RegisterConfig.js"
import * as Registers from "./Registers.js"
import * as RegisterStore from "./RegisterStore.js"
import * as SqliteRegisterStore from "./SqliteRegisterStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The cluster's name; a store of another one is refused. Default: `in-process`. */
  readonly cluster?: string
  /** How many members, 1 to 9. Default: 3. */
  readonly members?: number
  /** Which sets of members decide. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
  /**
   * What stands between a proposer, a member's or that of the client (`undefined`), and a member: for tests that cut, delay or repeat.
   * Default: nothing.
   */
  readonly between?: (from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peer) => Peer
}

/**
 * Why members don't start.
 *
 * @since 0.1.0
 * @category errors
 */
export type StartError = JournalError.OpenError | Quorum.QuorumsMiss | Quorum.QuorumsUnusable | Bounds.ConfigRefused

/**
 * The members, for whoever starts, stops and asks them.
 *
 * @since 0.1.0
 * @category tags
 */
export class InProcess extends Context.Tag("@synod/register/InProcess")<
  InProcess,
  {
    readonly nodes: ReadonlyArray<NodeId.NodeId>
    /** Stops a member and closes its store, without a word to the others. */
    readonly kill: (node: NodeId.NodeId) => Effect.Effect<void>
    /** Starts a member from its store; does nothing if it runs. */
    readonly start: (node: NodeId.NodeId) => Effect.Effect<void, StartError>
    /** The registers, by the proposer of a member; fails when it doesn't run. */
    readonly registers: (node: NodeId.NodeId) => Effect.Effect<Registers.Service, Endpoint.Unreachable>
  }
>() {}

/**
 * Members with files, and a client with a proposer of its own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options & {
    /** Where the files are, one a member. It must exist. */
    readonly directory: string
  }
): Layer.Layer<Registers.Registers | InProcess, StartError> =>
  layerStores({
    ...options,
    store: (node, cluster) =>
      SqliteRegisterStore.layer({ filename: Path.join(options.directory, `registers-${node}.sqlite`), cluster, node })
  })

/**
 * Members with stores in memory, which outlive a `kill`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (options: Options = {}): Layer.Layer<Registers.Registers | InProcess, StartError> => {
  const disks = new Map<NodeId.NodeId, RegisterStore.MemoryDisk>()
  const store = (node: NodeId.NodeId) =>
    Layer.unwrapEffect(
      Effect.gen(function* () {
        const disk = disks.get(node) ?? (yield* RegisterStore.makeMemoryDisk)
        disks.set(node, disk)
        return RegisterStore.layerMemoryDisk(disk)
      })
    )
  return layerStores({ ...options, store })
}

/**
 * Members with stores of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStores = (
  options: Options & {
    readonly store: (
      node: NodeId.NodeId,
      cluster: string
    ) => Layer.Layer<RegisterStore.RegisterStore, JournalError.OpenError>
  }
): Layer.Layer<Registers.Registers | InProcess, StartError> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      yield* RegisterConfig.checked
      const outer = yield* Effect.scope
      const environment = yield* Effect.context<never>()
      const { members } = yield* Bounds.check(
        "cluster",
        { members: options.members ?? 3 },
        { members: Bounds.count(1, 9) }
      )
      const nodes = Array.from({ length: members }, (_, i) => NodeId.make(i + 1))
      const cluster = yield* Cluster.make(options.cluster ?? "in-process", nodes, options.quorums)
      const running = new Map<NodeId.NodeId, Member.Member>()
      const scopes = new Map<NodeId.NodeId, Scope.CloseableScope>()
      const changing = yield* Effect.makeSemaphore(1)

      const via = <A, E>(node: NodeId.NodeId, ask: (member: Member.Member) => Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
          const member = running.get(node)
          return member === undefined
            ? Effect.fail(new Endpoint.Unreachable({ reason: `node ${node} does not run`, sent: false }))
            : ask(member)
        })
      const { between = (_from, _to, peer) => peer } = options
      const from = (node: NodeId.NodeId | undefined): ReadonlyMap<NodeId.NodeId, Peer> =>
        new Map(
          nodes.map((to) => {
            const direct: Peer = (message: RegisterMessage.ToAcceptor) =>
              via(to, ({ acceptor }) => acceptor.ask(message))
            return [to, between(node, to, direct)]
          })
        )

      const stop = (node: NodeId.NodeId): Effect.Effect<void> =>
        Effect.suspend(() => {
          const scope = scopes.get(node)
          scopes.delete(node)
          running.delete(node)
          return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
        })

      const start = (node: NodeId.NodeId): Effect.Effect<void, StartError> =>
        Effect.gen(function* () {
          if (running.has(node)) return
          const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
          scopes.set(node, scope)
          yield* Layer.build(options.store(node, cluster.identity)).pipe(
            Effect.flatMap((store) => Effect.provide(Member.make({ self: node, cluster, others: from(node) }), store)),
            Effect.tap((member) => running.set(node, member)),
            Scope.extend(scope),
            Effect.onError(() => stop(node))
          )
        }).pipe(Effect.provide(environment))

      yield* Effect.forEach(nodes, start, { discard: true })
      const registers = yield* Registers.make({
        self: Registers.client,
        quorums: cluster.quorums,
        peers: from(undefined)
      })
      return Context.make(Registers.Registers, registers).pipe(
        Context.add(InProcess, {
          nodes,
          kill: (node) => changing.withPermits(1)(stop(node)),
          start: (node) => changing.withPermits(1)(start(node)),
          registers: (node) => via(node, ({ registers }) => Effect.succeed(registers))
        })
      )
    })
  )
