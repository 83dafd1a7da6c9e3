/**
 * All replicas of a cluster in one process, each with its own journal file: for development, tests and demonstrations, and for
 * apps that want durable copies on several disks. Replicas can be killed and started again, join and leave.
 *
 * @since 0.1.0
 */
import { Admin, Bounds, Client, type ClientConfig, type ClientRpcs, Endpoint } from "@synod/client"
import { Journal, JournalError, SqliteJournal } from "@synod/journal"
import { NodeId, QuorumSpec } from "@synod/paxos"
import type { Quorum } from "@synod/paxos"
import type { Caller, Executor, Machine, StateMachine } from "@synod/state-machine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Founding from "./Founding.js"
import { type Peer, Peers } from "./Peers.js"
import * as Replica from "./Replica.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The cluster's name; a journal of another one is refused. Default: `in-process`. */
  readonly cluster?: string
  /** How many replicas, 1 to 9. Default: 3. */
  readonly replicas?: number
  /** Which sets of replicas decide. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
  /** Bounds of the client. */
  readonly client?: Partial<ClientConfig.ClientConfig>
  /**
   * What stands between two replicas, or between the client (`undefined`) and one: for tests that cut, delay or repeat.
   * Default: nothing.
   */
  readonly between?: (from: NodeId.NodeId | undefined, to: NodeId.NodeId, peer: Peer) => Peer
}

/**
 * Why a replica doesn't start.
 *
 * @since 0.1.0
 * @category errors
 */
export type StartError =
  | JournalError.OpenError
  | JournalError.JournalError
  | Founding.Refused
  | Quorum.QuorumsMiss
  | Quorum.QuorumsUnusable
  | Bounds.ConfigRefused
  | Machine.MachineFailed
  | Replica.ReplicaStopped

/**
 * The cluster, for whoever starts, stops and watches replicas.
 *
 * @since 0.1.0
 * @category tags
 */
export class InProcess extends Context.Tag("@synod/replica/InProcess")<
  InProcess,
  {
    /** All that were ever started, the founders first. */
    readonly nodes: ReadonlyArray<NodeId.NodeId>
    /**
     * Starts a replica under a new node, which learns what is chosen and waits until a change of membership names it.
     */
    readonly join: (node: NodeId.NodeId) => Effect.Effect<void, StartError>
    /** Asks for other members. Those that are new must have been started with `join`; those that left still run. */
    readonly admin: Admin.Admin
    /** Stops a replica's actors and closes its journal, without a word to the others. */
    readonly kill: (node: NodeId.NodeId) => Effect.Effect<void>
    /** Starts a replica from its journal; does nothing if it runs. */
    readonly start: (node: NodeId.NodeId) => Effect.Effect<void, StartError>
    /** Has a replica hand over the lead; false if it doesn't lead, or leads on. */
    readonly handOver: (node: NodeId.NodeId) => Effect.Effect<boolean>
    /** What a replica says of itself; fails when it doesn't run. */
    readonly status: (node: NodeId.NodeId) => Effect.Effect<ClientRpcs.Status, Endpoint.Unreachable>
    /** The digest of a replica's state; fails when it doesn't run. */
    readonly digest: (node: NodeId.NodeId) => Effect.Effect<ClientRpcs.Digest, Endpoint.Unreachable>
  }
>() {}

/**
 * Replicas with journals in files, and a client of theirs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string>(
  machine: StateMachine.Runnable<Name>,
  options: Options & {
    /** Where the journals are, one file a replica; made if it doesn't exist. */
    readonly directory: string
  }
): Layer.Layer<Caller.Id<Name> | InProcess, StartError, Executor.Id<Name>> =>
  Layer.unwrapEffect(
    Effect.map(makeDirectory(options.directory), (directory) =>
      layerJournals(machine, {
        ...options,
        journal: (node, cluster) =>
          Layer.scoped(
            Journal.Journal,
            SqliteJournal.make({ filename: Path.join(directory, `replica-${node}.sqlite`), cluster, node })
          )
      })
    )
  )

/**
 * Replicas with journals in memory, which outlive a `kill`: for tests of one's own machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = <Name extends string>(
  machine: StateMachine.Runnable<Name>,
  options: Options = {}
): Layer.Layer<Caller.Id<Name> | InProcess, StartError, Executor.Id<Name>> => {
  const disks = new Map<NodeId.NodeId, Journal.MemoryDisk>()
  const journal = (node: NodeId.NodeId) =>
    Layer.unwrapEffect(
      Effect.gen(function* () {
        const disk = disks.get(node) ?? (yield* Journal.makeMemoryDisk)
        disks.set(node, disk)
        return Journal.layerMemoryDisk(disk)
      })
    )
  return layerJournals(machine, { ...options, journal })
}

/**
 * Replicas with journals of one's own. The layer of a journal may bring along other services for its replica, such as an
 * `Actor.Checkpoint`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerJournals = <Name extends string>(
  machine: StateMachine.Runnable<Name>,
  options: Options & {
    readonly journal: (node: NodeId.NodeId, cluster: string) => Layer.Layer<Journal.Journal, JournalError.OpenError>
  }
): Layer.Layer<Caller.Id<Name> | InProcess, StartError, Executor.Id<Name>> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const executor = yield* machine.executor
      const outer = yield* Effect.scope
      // With it come the configuration and whatever else replicas find in their environment, at each start alike.
      const environment = yield* Effect.context<never>()
      const cluster = options.cluster ?? "in-process"
      const { replicas } = yield* Bounds.check(
        "cluster",
        { replicas: options.replicas ?? 3 },
        {
          replicas: Bounds.count(1, 9)
        }
      )
      const nodes = Array.from({ length: replicas }, (_, i) => NodeId.make(i + 1))
      const founders = { voters: [...nodes], learners: [], quorums: options.quorums ?? QuorumSpec.majority }
      const served = new Map<NodeId.NodeId, Peer>()
      const running = new Map<NodeId.NodeId, Replica.Replica["Type"]>()
      const scopes = new Map<NodeId.NodeId, Scope.CloseableScope>()
      const changing = yield* Effect.makeSemaphore(1)

      const via = <A, E>(node: NodeId.NodeId, ask: (peer: Peer) => Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
          const peer = served.get(node)
          return peer === undefined
            ? Effect.fail(new Endpoint.Unreachable({ reason: `node ${node} does not run`, sent: false }))
            : ask(peer)
        })
      const direct = (node: NodeId.NodeId): Peer => ({
        acceptor: (sent, message, answer) => {
          const peer = served.get(node)
          if (peer !== undefined) return peer.acceptor(sent, message, answer)
          answer(undefined)
          return () => undefined
        },
        introduce: (introduction) => via(node, (peer) => peer.introduce(introduction)),
        heartbeat: (sent, message) => via(node, (peer) => peer.heartbeat(sent, message)),
        takeOver: (sent, message) => via(node, (peer) => peer.takeOver(sent, message)),
        learn: (message) => via(node, (peer) => peer.learn(message)),
        readSlot: (leased) => via(node, (peer) => peer.readSlot(leased)),
        snapshot: (message) => via(node, (peer) => peer.snapshot(message)),
        client: {
          submit: (envelope) => via(node, (peer) => peer.client.submit(envelope)),
          query: (queries, consistency) => via(node, (peer) => peer.client.query(queries, consistency)),
          follow: (request) => via(node, (peer) => peer.client.follow(request)),
          status: via(node, (peer) => peer.client.status),
          digest: via(node, (peer) => peer.client.digest)
        },
        admin: {
          change: (request) => via(node, (peer) => peer.admin.change(request)),
          status: via(node, (peer) => peer.admin.status)
        }
      })
      const { between = (_from, _to, peer) => peer } = options
      /** The others as one of them, or the client, reaches them. */
      const from = (self: NodeId.NodeId | undefined) => {
        const known = new Map<NodeId.NodeId, Peer>()
        return (node: NodeId.NodeId): Peer => {
          const peer = known.get(node) ?? between(self, node, direct(node))
          known.set(node, peer)
          return peer
        }
      }
      const outside = from(undefined)
      const clients = new Map(nodes.map((node) => [node as number, outside(node).client]))

      const stop = (node: NodeId.NodeId): Effect.Effect<void> =>
        Effect.suspend(() => {
          const scope = scopes.get(node)
          scopes.delete(node)
          return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
        })

      const start = (node: NodeId.NodeId): Effect.Effect<void, StartError> =>
        Effect.gen(function* () {
          if (served.has(node)) return
          // It may have stopped by itself, and still hold its journal.
          yield* stop(node)
          const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
          scopes.set(node, scope)
          const network = Layer.succeed(Peers, {
            cluster,
            self: node,
            beginning: founders.voters.includes(node)
              ? { _tag: "Found", membership: founders }
              : { _tag: "Join", seeds: nodes.filter((other) => other !== node) },
            peer: from(node),
            enter: () => Effect.void,
            serve: (replica) =>
              Effect.acquireRelease(
                Effect.sync(() => served.set(node, replica)),
                () => Effect.sync(() => served.delete(node))
              )
          })
          yield* Layer.build(Layer.merge(network, options.journal(node, cluster))).pipe(
            Effect.flatMap((context) => Effect.provide(Replica.make(executor), context)),
            Effect.tap(({ replica }) => running.set(node, replica)),
            Scope.extend(scope),
            Effect.onError(() => stop(node))
          )
        }).pipe(Effect.provide(environment))

      yield* Effect.forEach(nodes, start, { discard: true })
      // All run: one whose journal was lost says so now.
      yield* Effect.forEach([...running.values()], ({ begun }) => begun, { discard: true })
      const caller = yield* Client.make(clients, options.client)
      return Context.make(machine.caller, caller).pipe(
        Context.add(InProcess, {
          nodes,
          join: (node) =>
            changing.withPermits(1)(
              Effect.suspend(() => {
                if (!nodes.includes(node)) nodes.push(node)
                clients.set(node, outside(node).client)
                return start(node)
              })
            ),
          admin: Admin.make(() => new Map(nodes.map((node) => [node, outside(node).admin]))),
          start: (node) => changing.withPermits(1)(start(node)),
          kill: (node) => changing.withPermits(1)(stop(node)),
          handOver: (node) => Effect.suspend(() => running.get(node)?.handOver ?? Effect.succeed(false)),
          status: (node) => via(node, (peer) => peer.client.status),
          digest: (node) => via(node, (peer) => peer.client.digest)
        })
      )
    })
  )

const makeDirectory = (directory: string): Effect.Effect<string, JournalError.JournalUnopenable> => {
  const path = Path.resolve(directory)
  return Effect.try({
    try: () => {
      Fs.mkdirSync(path, { recursive: true })
      return path
    },
    catch: (cause) =>
      new JournalError.JournalUnopenable({
        filename: path,
        reason: cause instanceof Error ? cause.message : String(cause)
      })
  })
}
