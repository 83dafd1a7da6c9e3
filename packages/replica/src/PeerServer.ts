/**
 * A replica over `@effect/rpc`: both ends of it.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Admin, Endpoint } from "@synod/client"
import type { ClientRpcs } from "@synod/client"
import { Slot } from "@synod/paxos"
import type { Message, NodeId } from "@synod/paxos"
import { Direct, RpcOptions } from "@synod/wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AcceptorRpcs, DirectRpcs, ReplicaRpcs } from "./PeerRpcs.js"
import { EpochDiffers, type Peer, type Sent } from "./Peers.js"

/**
 * A peer that is spoken to over whichever protocol the environment has. It is told where this replica listens, if `address` says so.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = (options?: {
  readonly address?: string
}): Effect.Effect<Peer, never, RpcClient.Protocol | Scope.Scope> =>
  Effect.gen(function* () {
    const rpc = yield* RpcClient.make(ReplicaRpcs, RpcOptions.client)
    const ask = yield* Direct.client(AcceptorRpcs)
    const where = options?.address === undefined ? {} : { address: options.address }
    return {
      acceptor: ({ epoch, from }, message, answer) =>
        ask(message._tag, { ...message, epoch, from }, (outcome) => answer(replyOf(outcome))),
      introduce: (introduction) => Endpoint.unreachable(rpc.Introduce({ ...introduction, ...where })),
      heartbeat: (sent, message) => Endpoint.unreachable(rpc.Heartbeat({ ...message, ...sent, ...where })),
      takeOver: (sent, message) => Endpoint.unreachable(rpc.TakeOver({ ...message, ...sent })),
      learn: (message) => Endpoint.unreachable(rpc.Learn(message)),
      readSlot: (leased) => Effect.map(Endpoint.unreachable(rpc.ReadSlot({ leased })), Slot.make),
      snapshot: (message) => Endpoint.unreachable(rpc.FetchSnapshot(message)),
      client: yield* Endpoint.fromRpc,
      admin: yield* Admin.fromRpc
    }
  })

/**
 * Serves a replica over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  replica: Peer,
  options?: {
    /** Another replica says where it listens. */
    readonly found?: (node: NodeId.NodeId, address: string) => Effect.Effect<void>
  }
): Layer.Layer<never, never, RpcServer.Protocol> => {
  // A replica in this process can't be unreachable; its own reply says what went wrong.
  const local = <A, E>(self: Effect.Effect<A, E | Endpoint.Unreachable>) =>
    Effect.catchIf(self, isUnreachable, Effect.die) as Effect.Effect<A, Exclude<E, Endpoint.Unreachable>>
  /** Which replies there are to which message, the acceptor knows; the schema of the reply is held against it here. */
  const acceptor = (
    message: Message.ToAcceptor & Sent,
    answer: (outcome: Exit.Exit<any, EpochDiffers>) => void
  ): void =>
    void replica.acceptor(message, message, (reply) =>
      answer(
        reply === undefined
          ? Exit.die("it is lost")
          : reply._tag === "EpochDiffers"
            ? Exit.fail(reply)
            : Exit.succeed(reply)
      )
    )
  const told = <A, E>({ address, node }: Told, reply: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const found = address === undefined ? undefined : options?.found?.(node, address)
    return found === undefined ? reply : Effect.zipRight(found, reply)
  }
  const handlers = ReplicaRpcs.toLayer({
    Introduce: ({ address, ...introduction }) =>
      told({ node: introduction.node, address }, local(replica.introduce(introduction))),
    FetchSnapshot: (message) => local(replica.snapshot(message)),
    Learn: (message) => local(replica.learn(message)),
    Heartbeat: (message) =>
      told({ node: message.from, address: message.address }, local(replica.heartbeat(message, message))),
    TakeOver: (message) => local(replica.takeOver(message, message)),
    ReadSlot: ({ leased }) => local(replica.readSlot(leased)),
    Follow: (request) => local(replica.client.follow(request)),
    Status: (): Effect.Effect<ClientRpcs.Status> => local(replica.client.status),
    Digest: (): Effect.Effect<ClientRpcs.Digest> => local(replica.client.digest),
    ChangeMembership: (request) => local(replica.admin.change(request))
  })
  const protocol = Layer.scoped(
    RpcServer.Protocol,
    Effect.gen(function* () {
      const runFork = yield* FiberSet.makeRuntime()
      const run = <A, E>(effect: Effect.Effect<A, E>, answer: (outcome: Exit.Exit<A, E>) => void): void =>
        runFork(effect).addObserver(answer)
      const direct: Direct.Handlers<RpcGroup.Rpcs<typeof DirectRpcs>> = {
        ...{ Prepare: acceptor, Accept: acceptor, Fetch: acceptor, Behind: acceptor },
        Submit: ({ envelope }, answer) => run(local(replica.client.submit(envelope)), answer),
        Query: ({ consistency, queries }, answer) => run(local(replica.client.query(queries, consistency)), answer)
      }
      return yield* Direct.serve(yield* RpcServer.Protocol, DirectRpcs, direct)
    })
  )
  return RpcServer.layer(ReplicaRpcs, RpcOptions.server).pipe(Layer.provide([handlers, protocol]))
}

/** Who says where it listens. */
interface Told {
  readonly node: NodeId.NodeId
  readonly address: string | undefined
}

/** Without one, the message is lost. */
const replyOf = <A, E>(outcome: Exit.Exit<A, E | EpochDiffers>): A | EpochDiffers | undefined => {
  if (outcome._tag === "Success") return outcome.value
  return outcome.cause._tag === "Fail" && outcome.cause.error instanceof EpochDiffers ? outcome.cause.error : undefined
}

const isUnreachable = (error: unknown): error is Endpoint.Unreachable => error instanceof Endpoint.Unreachable
