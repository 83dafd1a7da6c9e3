/**
 * One replica as a client sees it, in this process or behind a connection.
 *
 * @since 0.1.0
 */
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type { Consistency, Feed, Outcome } from "@synod/state-machine"
import { Direct, Disconnected, RpcOptions, Tcp } from "@synod/wire"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  type Answers,
  CallRpcs,
  type Digest,
  type Follow,
  type NotLeader,
  type Page,
  type Status,
  type Superseded,
  type Unfit,
  WatchRpcs
} from "./ClientRpcs.js"

/**
 * The replica did not answer.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly reason: string
  /** May the request have arrived? When not, it was certainly not applied. */
  readonly sent: boolean
}> {
  override get message(): string {
    return this.reason
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Endpoint {
  readonly submit: (
    envelope: Uint8Array
  ) => Effect.Effect<Uint8Array, NotLeader | Superseded | Unfit | Outcome.Overloaded | Unreachable>
  /** The answers to the first of the queries, at least one: as many as fit into a message. */
  readonly query: (
    queries: ReadonlyArray<Uint8Array>,
    consistency: Consistency.Asked
  ) => Effect.Effect<Answers, NotLeader | Superseded | Outcome.Overloaded | Unreachable>
  /** `NotLeader`: it hears of no leader, so that it can't tell whether there is news. */
  readonly follow: (
    request: Follow
  ) => Effect.Effect<Page, NotLeader | Outcome.Overloaded | Feed.FeedTrimmed | Unreachable>
  readonly status: Effect.Effect<Status, Unreachable>
  readonly digest: Effect.Effect<Digest, Unreachable>
}

/**
 * Speaks {@link CallRpcs} and {@link WatchRpcs} over whichever protocol the environment has.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromRpc: Effect.Effect<Endpoint, never, RpcClient.Protocol | Scope.Scope> = Effect.gen(function* () {
  const ask = yield* Direct.client(CallRpcs)
  const client = yield* RpcClient.make(WatchRpcs, RpcOptions.client)
  return {
    submit: (envelope) => unreachable(Effect.async((resume) => Effect.sync(ask("Submit", { envelope }, resume)))),
    query: (queries, consistency) =>
      unreachable(Effect.async((resume) => Effect.sync(ask("Query", { queries, consistency }, resume)))),
    follow: (request) => unreachable(client.Follow(request)),
    status: unreachable(client.Status()),
    digest: unreachable(client.Digest())
  }
})

/**
 * A replica on another machine; keeps a connection to it for as long as the scope is open.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tcp = (options: Tcp.ClientOptions): Effect.Effect<Endpoint, never, Scope.Scope> =>
  Effect.provideServiceEffect(
    fromRpc,
    RpcClient.Protocol,
    Tcp.clientProtocol({ maxFrameBytes: maxReplyBytes, ...options })
  )

/**
 * The longest reply that is read from a replica unless told otherwise: 16 MiB, so that the replicas' own bounds, which a
 * client doesn't know, decide how long a reply may be.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxReplyBytes = 16 * 1024 * 1024

/**
 * Turns the failures of a connection, and a request that dies at the other end, into {@link Unreachable}.
 *
 * @since 0.1.0
 * @category combinators
 */
export const unreachable = <A, E>(
  self: Effect.Effect<A, E | RpcClientError>
): Effect.Effect<A, Exclude<E, RpcClientError> | Unreachable> =>
  Effect.catchAllCause(self, (cause): Effect.Effect<never, Exclude<E, RpcClientError> | Unreachable> => {
    const reason = cause._tag === "Fail" ? cause.error : undefined
    if (isRpcClientError(reason)) {
      const sent = !(reason.cause instanceof Disconnected.Disconnected && neverConnected.has(reason.cause.reason))
      return Effect.fail(new Unreachable({ reason: reason.message, sent }))
    }
    if (cause._tag === "Fail") return Effect.fail(cause.error as Exclude<E, RpcClientError>)
    // Its handler died, or was interrupted there: an interruption of our own doesn't come by here.
    return Effect.fail(new Unreachable({ reason: "the replica failed to answer", sent: true }))
  })

/** The connection was never good for a request. */
const neverConnected: ReadonlySet<Disconnected.DisconnectedReason> = new Set([
  "Unreachable",
  "OtherCluster",
  "OtherVersion"
])

const isRpcClientError = (error: unknown): error is RpcClientError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "RpcClientError"
