/**
 * One replica a process, joined over TCP.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import type { Bounds } from "@synod/client"
import { NodeId, QuorumSpec } from "@synod/paxos"
import { Tcp } from "@synod/wire"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type Peer, Peers } from "./Peers.js"
import * as PeerServer from "./PeerServer.js"
import * as ReplicaConfig from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The cluster's name; connections and journals of another one are refused. */
  readonly cluster: string
  /** The node of this replica, one of the members. */
  readonly node: number
  /** Where every replica listens, this one among them, by node: a whole number from 1 to 65,535. */
  readonly members: Members
  /** Which sets of them decide, the same at every replica. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
}

/**
 * Where every replica listens, by node.
 *
 * @since 0.1.0
 * @category models
 */
export type Members = Readonly<Record<number, { readonly host: string; readonly port: number }>>

/**
 * The members don't make a cluster.
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
 * Reads members as people write them on a command line or in the environment: `1=10.0.0.1:7000,2=10.0.0.2:7000`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parseMembers = (text: string): Either.Either<Members, MembersRefused> => {
  const members: Record<number, { readonly host: string; readonly port: number }> = {}
  for (const part of text.split(",")) {
    const [, node, host, port] = /^\s*(\d{1,5})=(\[[^\]]{1,64}\]|[^:]{1,255}):(\d{1,5})\s*$/.exec(part) ?? []
    if (node === undefined || host === undefined || Number(port) > 65_535) {
      return Either.left(new MembersRefused({ reason: `"${part}" is not NODE=HOST:PORT, such as 1=127.0.0.1:7001` }))
    }
    if (Number(node) in members)
      return Either.left(new MembersRefused({ reason: `node ${Number(node)} is named twice` }))
    members[Number(node)] = { host: host.replace(/^\[|\]$/g, ""), port: Number(port) }
  }
  return Either.right(members)
}

/**
 * Reads {@link parseMembers} from a setting of that name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const members = (name: string): Config.Config<Members> =>
  Config.mapOrFail(Config.nonEmptyString(name), (text) =>
    Either.mapLeft(parseMembers(text), ({ message }) => ConfigError.InvalidData([name], message))
  )

/**
 * Listens where `members` says, and keeps a connection to every other member.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Peers, Tcp.ListenError | MembersRefused | Bounds.ConfigRefused> =>
  Layer.scoped(
    Peers,
    Effect.gen(function* () {
      const addresses = new Map<NodeId.NodeId, { readonly host: string; readonly port: number }>()
      for (const [name, address] of Object.entries(options.members)) addresses.set(yield* nodeId(Number(name)), address)
      const self = yield* nodeId(options.node)
      const own = addresses.get(self)
      if (own === undefined) {
        return yield* new MembersRefused({ reason: `node ${self} is this replica and not one of them` })
      }
      const wire = {
        cluster: options.cluster,
        maxFrameBytes: ReplicaConfig.maxFrameBytes(yield* ReplicaConfig.checked)
      }
      const { protocol } = yield* Tcp.serverProtocol({ ...own, ...wire })
      const others = Array.from(addresses).filter(([node]) => node !== self)
      const peers = new Map<NodeId.NodeId, Peer>(
        yield* Effect.forEach(
          others,
          ([node, address]) =>
            PeerServer.client.pipe(
              Effect.provideServiceEffect(RpcClient.Protocol, Tcp.clientProtocol({ ...address, ...wire })),
              Effect.map((peer) => [node, peer] as const)
            ),
          { concurrency: "unbounded" }
        )
      )
      return {
        cluster: options.cluster,
        self,
        members: Array.from(addresses.keys()),
        quorums: options.quorums ?? QuorumSpec.majority,
        peer: (node) => peers.get(node)!,
        serve: (replica) =>
          Effect.asVoid(
            Layer.build(Layer.provide(PeerServer.layer(replica), Layer.succeed(RpcServer.Protocol, protocol)))
          )
      }
    })
  )

const nodeId = (node: number): Effect.Effect<NodeId.NodeId, MembersRefused> =>
  Either.mapLeft(
    Schema.decodeEither(NodeId.NodeId)(node),
    () => new MembersRefused({ reason: `node ${node} is not a whole number from 1 to 65,535` })
  )
