/**
 * One member a process, joined over TCP; and clients, which are no members and propose by themselves.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import type { Bounds } from "@synod/client"
import { NodeId } from "@synod/paxos"
import type { Quorum, QuorumSpec } from "@synod/paxos"
import { Tcp } from "@synod/wire"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Cluster from "./Cluster.js"
import * as Member from "./Member.js"
import * as Peer from "./Peer.js"
import * as RegisterConfig from "./RegisterConfig.js"
import * as Registers from "./Registers.js"
import type { RegisterStore } from "./RegisterStore.js"
import * as SqliteRegisterStore from "./SqliteRegisterStore.js"

/**
 * Where each member listens, by its number.
 *
 * @since 0.1.0
 * @category models
 */
export type Members = { readonly [node: number]: { readonly host: string; readonly port: number } }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The cluster's name. Whoever has another one, other members or other quorums is refused. */
  readonly cluster: string
  readonly members: Members
  /** Which sets of members decide; the same everywhere. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
}

/**
 * A number that no node can have, or a member that is not among them.
 *
 * @since 0.1.0
 * @category errors
 */
export class MembersRefused extends Data.TaggedError("MembersRefused")<{ readonly reason: string }> {
  override get message(): string {
    return `The members don't make a cluster: ${this.reason}.`
  }
}

/**
 * @since 0.1.0
 * @category errors
 */
export type StartError = Quorum.QuorumsMiss | Quorum.QuorumsUnusable | Bounds.ConfigRefused | MembersRefused

/**
 * A member on a file: listens where `members` says, keeps a connection to every other one, and has a proposer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options & { readonly node: number; readonly filename: string }) =>
  Layer.unwrapEffect(
    Effect.map(identify(options), ({ cluster, self }) =>
      Layer.provide(
        layerStore(options),
        SqliteRegisterStore.layer({ filename: options.filename, cluster: cluster.identity, node: self })
      )
    )
  )

/**
 * {@link layer} with a store of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStore = (
  options: Options & { readonly node: number }
): Layer.Layer<Registers.Registers, StartError | Tcp.ListenError, RegisterStore> =>
  Layer.scoped(
    Registers.Registers,
    Effect.gen(function* () {
      const { cluster, self } = yield* identify(options)
      const wire = yield* wireOf(cluster)
      const { protocol } = yield* Tcp.serverProtocol({ ...options.members[self]!, ...wire })
      const others = yield* connect(options.members, wire, self)
      const { acceptor, registers } = yield* Member.make({ self, cluster, others })
      yield* Layer.build(Layer.provide(Peer.layer(acceptor), Layer.succeed(RpcServer.Protocol, protocol)))
      return registers
    })
  )

/**
 * A client with the proposer embedded: it keeps a connection to every member, and nothing on a disk.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (options: Options): Layer.Layer<Registers.Registers, StartError> =>
  Layer.scoped(
    Registers.Registers,
    Effect.gen(function* () {
      const nodes = yield* nodesOf(options.members)
      const cluster = yield* Cluster.make(options.cluster, nodes, options.quorums)
      const peers = yield* connect(options.members, yield* wireOf(cluster), undefined)
      return yield* Registers.make({ self: Registers.client, quorums: cluster.quorums, peers })
    })
  )

interface Wire {
  readonly cluster: string
  readonly maxFrameBytes: number
}

const wireOf = ({ identity }: Cluster.Cluster): Effect.Effect<Wire, Bounds.ConfigRefused> =>
  Effect.map(RegisterConfig.checked, (config) => ({
    cluster: identity,
    maxFrameBytes: RegisterConfig.maxFrameBytes(config)
  }))

const identify = (options: Options & { readonly node: number }) =>
  Effect.gen(function* () {
    const nodes = yield* nodesOf(options.members)
    const self = nodes.find((node) => node === options.node)
    if (self === undefined) {
      return yield* new MembersRefused({ reason: `node ${options.node} is this one and not among them` })
    }
    return { self, cluster: yield* Cluster.make(options.cluster, nodes, options.quorums) }
  })

const connect = (
  members: Members,
  wire: Wire,
  self: NodeId.NodeId | undefined
): Effect.Effect<ReadonlyMap<NodeId.NodeId, Peer.Peer>, MembersRefused, Scope.Scope> =>
  Effect.gen(function* () {
    const others = (yield* nodesOf(members)).filter((node) => node !== self)
    return new Map(
      yield* Effect.forEach(
        others,
        (node) =>
          Peer.client.pipe(
            Effect.provideServiceEffect(RpcClient.Protocol, Tcp.clientProtocol({ ...members[node]!, ...wire })),
            Effect.map((peer) => [node, peer] as const)
          ),
        { concurrency: "unbounded" }
      )
    )
  })

const nodesOf = (members: Members): Effect.Effect<ReadonlyArray<NodeId.NodeId>, MembersRefused> =>
  Effect.forEach(Object.keys(members), (name) =>
    Either.mapLeft(
      Schema.decodeEither(NodeId.NodeId)(Number(name)),
      () => new MembersRefused({ reason: `node ${name} is not a whole number from 1 to 65,535` })
    )
  )
