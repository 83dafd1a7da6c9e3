/**
 * One replica a process, joined over TCP.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcServer from "@effect/rpc/RpcServer"
import type { Bounds } from "@synod/client"
import { Membership, NodeId, QuorumSpec } from "@synod/paxos"
import { Address, Tcp } from "@synod/wire"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Links from "./Links.js"
import { type Beginning, Peers, unreachable } from "./Peers.js"
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
  /**
   * What the replica does while its journal holds nothing; from then on its journal knows who takes part.
   *
   * - `found`: it founds the cluster with all other members, each of which is told the same, and all of which must be there once.
   *   Default.
   * - `join`: it belongs to nothing until a change of membership names it, and learns from the other members meanwhile.
   * - `return`: it doesn't start, since its journal was lost. The right setting once a replica has begun.
   *
   * A journal that was lost is noticed under the other two as well, as soon as another member is reached.
   */
  readonly begin?: "found" | "join" | "return"
  /** Which sets of them decide, the same at every founder. Default: majorities. */
  readonly quorums?: QuorumSpec.QuorumSpec
}

/**
 * Where every replica listens, by node.
 *
 * @since 0.1.0
 * @category models
 */
export type Members = Readonly<Record<number, Place>>

/**
 * @since 0.1.0
 * @category models
 */
export type Place = Address.Place

/**
 * `HOST:PORT`, such as `10.0.0.1:7000` or `[::1]:7000`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parseAddress: (text: string) => Place | undefined = Address.parse

/**
 * What {@link parseAddress} reads.
 *
 * @since 0.1.0
 * @category getters
 */
export const formatAddress: (place: Place) => string = Address.format

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
  const members: Record<number, Place> = {}
  for (const part of text.split(",")) {
    const [, node, address = ""] = /^\s*(\d{1,5})=(\S{1,300})\s*$/.exec(part) ?? []
    const place = parseAddress(address)
    if (node === undefined || place === undefined) {
      return Either.left(new MembersRefused({ reason: `"${part}" is not NODE=HOST:PORT, such as 1=127.0.0.1:7001` }))
    }
    if (Number(node) in members)
      return Either.left(new MembersRefused({ reason: `node ${Number(node)} is named twice` }))
    members[Number(node)] = place
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
 * Listens where `members` says, and keeps a connection to every other member: those of the setting at first, and those of the
 * epoch in force from then on. Where a change of membership says that a member listens, it is looked for there.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Peers, Tcp.ListenError | MembersRefused | Bounds.ConfigRefused> =>
  Layer.scoped(
    Peers,
    Effect.gen(function* () {
      const configured = new Map<NodeId.NodeId, string>()
      for (const [name, place] of Object.entries(options.members)) {
        configured.set(yield* nodeId(Number(name)), formatAddress(place))
      }
      const self = yield* nodeId(options.node)
      const own = options.members[options.node]
      if (own === undefined) {
        return yield* new MembersRefused({ reason: `node ${self} is this replica and not one of them` })
      }
      const wire = {
        cluster: options.cluster,
        maxFrameBytes: ReplicaConfig.maxFrameBytes(yield* ReplicaConfig.checked)
      }
      const { protocol } = yield* Tcp.serverProtocol({ ...own, ...wire })
      const links = yield* Links.make({
        connect: (address) => {
          const to = parseAddress(address)
          return to === undefined
            ? Effect.succeed(unreachable(`"${address}" is not HOST:PORT`))
            : Effect.provideServiceEffect(
                PeerServer.client({ address: formatAddress(own) }),
                RpcClient.Protocol,
                Tcp.clientProtocol({ ...to, ...wire })
              )
        }
      })
      const voters = Array.from(configured.keys())
      return {
        cluster: options.cluster,
        self,
        beginning: beginningOf(options, self, voters),
        peer: links.peer,
        enter: ({ membership, number }) => {
          const agreed = new Map((membership.addresses ?? []).map(({ address, node }) => [node, address]))
          const members = number === 0 ? voters : Membership.nodes(membership)
          const others = members.filter((node) => node !== self)
          return links.keep(new Map(others.map((node) => [node, agreed.get(node) ?? configured.get(node)])))
        },
        serve: (replica) =>
          Effect.asVoid(
            Layer.build(
              Layer.provide(
                PeerServer.layer(replica, { found: links.found }),
                Layer.succeed(RpcServer.Protocol, protocol)
              )
            )
          )
      }
    })
  )

const beginningOf = (
  { begin = "found", quorums = QuorumSpec.majority }: Options,
  self: NodeId.NodeId,
  voters: ReadonlyArray<NodeId.NodeId>
): Beginning => {
  if (begin === "found") return { _tag: "Found", membership: { voters, learners: [], quorums } }
  const seeds = voters.filter((node) => node !== self)
  return begin === "join" ? { _tag: "Join", seeds } : { _tag: "Return", seeds }
}

const nodeId = (node: number): Effect.Effect<NodeId.NodeId, MembersRefused> =>
  Either.mapLeft(
    Schema.decodeEither(NodeId.NodeId)(node),
    () => new MembersRefused({ reason: `node ${node} is not a whole number from 1 to 65,535` })
  )
