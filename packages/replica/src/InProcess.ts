/**
 * All replicas of a cluster in one process, each with its own journal file: for development, tests and demonstrations, and for
 * apps that want durable copies on several disks. Replicas can be killed and started again.
 *
 * @since 0.1.0
 */
import { Client, type ClientConfig, type ClientRpcs, Endpoint } from "@synod/client"
import { JournalError, SqliteJournal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import type { Quorum } from "@synod/paxos"
import type { Caller, Executor, StateMachine } from "@synod/state-machine"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Peer, Peers } from "./Peers.js"
import * as Replica from "./Replica.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where the journals are, one file a replica; made if it doesn't exist. */
  readonly directory: string
  /** The cluster's name; a journal of another one is refused. Default: `in-process`. */
  readonly cluster?: string
  /** How many replicas. Default: 3. */
  readonly replicas?: number
  /** Bounds of the client. */
  readonly client?: Partial<ClientConfig.ClientConfig>
}

/**
 * The cluster, for whoever starts, stops and watches replicas.
 *
 * @since 0.1.0
 * @category tags
 */
export class InProcess extends Context.Tag("@synod/replica/InProcess")<InProcess, {
  readonly nodes: ReadonlyArray<NodeId.NodeId>
  /** Stops a replica's actors and closes its journal, without a word to the others. */
  readonly kill: (node: NodeId.NodeId) => Effect.Effect<void>
  /** Starts a replica from its journal; does nothing if it runs. */
  readonly start: (
    node: NodeId.NodeId
  ) => Effect.Effect<void, JournalError.OpenError | JournalError.JournalError | Quorum.QuorumsUnusable>
  /** What a replica says of itself; fails when it doesn't run. */
  readonly status: (node: NodeId.NodeId) => Effect.Effect<ClientRpcs.Status, Endpoint.Unreachable>
  /** The digest of a replica's state; fails when it doesn't run. */
  readonly digest: (node: NodeId.NodeId) => Effect.Effect<ClientRpcs.Digest, Endpoint.Unreachable>
}>() {}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string>(
  machine: Pick<StateMachine.StateMachine<Name, any, any, any>, "executor" | "caller">,
  options: Options
): Layer.Layer<
  Caller.Id<Name> | InProcess,
  JournalError.OpenError | JournalError.JournalError | Quorum.QuorumsUnusable,
  Executor.Id<Name>
> =>
  Layer.scopedContext(Effect.gen(function*() {
    const executor = yield* machine.executor
    const outer = yield* Effect.scope
    const cluster = options.cluster ?? "in-process"
    const nodes = Array.from({ length: options.replicas ?? 3 }, (_, i) => NodeId.make(i + 1))
    const served = new Map<NodeId.NodeId, Peer>()
    const scopes = new Map<NodeId.NodeId, Scope.CloseableScope>()

    const directory = Path.resolve(options.directory)
    yield* Effect.try({
      try: () => Fs.mkdirSync(directory, { recursive: true }),
      catch: (cause) =>
        new JournalError.JournalUnopenable({ filename: directory, reason: cause instanceof Error ? cause.message : String(cause) })
    })

    const via = <A, E>(node: NodeId.NodeId, ask: (peer: Peer) => Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
        const peer = served.get(node)
        return peer === undefined
          ? Effect.fail(new Endpoint.Unreachable({ reason: `node ${node} does not run`, sent: false }))
          : ask(peer)
      })
    const peerOf = (node: NodeId.NodeId): Peer => ({
      acceptor: (message) => via(node, (peer) => peer.acceptor(message)),
      heartbeat: (message) => via(node, (peer) => peer.heartbeat(message)),
      client: {
        submit: (envelope) => via(node, (peer) => peer.client.submit(envelope)),
        query: (queries, consistency) => via(node, (peer) => peer.client.query(queries, consistency)),
        status: via(node, (peer) => peer.client.status),
        digest: via(node, (peer) => peer.client.digest)
      }
    })
    const peers = new Map(nodes.map((node) => [node, peerOf(node)]))

    const start = (node: NodeId.NodeId) =>
      Effect.gen(function*() {
        if (scopes.has(node)) return
        const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
        scopes.set(node, scope)
        const filename = Path.join(directory, `replica-${node}.sqlite`)
        const network = Layer.succeed(Peers, {
          cluster,
          self: node,
          members: nodes,
          peer: (other) => peers.get(other)!,
          serve: (replica) =>
            Effect.acquireRelease(
              Effect.sync(() => served.set(node, replica)),
              () => Effect.sync(() => served.delete(node))
            )
        })
        yield* Layer.build(Layer.merge(network, SqliteJournal.layer({ filename, cluster, node }))).pipe(
          Effect.flatMap((context) => Effect.provide(Replica.make(executor), context)),
          Scope.extend(scope),
          Effect.onError(() => kill(node))
        )
      })

    const kill = (node: NodeId.NodeId) =>
      Effect.suspend(() => {
        const scope = scopes.get(node)
        scopes.delete(node)
        return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
      })

    yield* Effect.forEach(nodes, start, { discard: true })
    const endpoints = new Map(nodes.map((node) => [node as number, peers.get(node)!.client]))
    const caller = yield* Client.make(endpoints, options.client)
    return Context.make(machine.caller, caller).pipe(
      Context.add(InProcess, {
        nodes,
        start,
        kill,
        status: (node) => peers.get(node)!.client.status,
        digest: (node) => peers.get(node)!.client.digest
      })
    )
  }))
