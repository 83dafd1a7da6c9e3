/**
 * Why a request could not be sent, or was left without an answer.
 *
 * @since 0.1.0
 */
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import * as Data from "effect/Data"
import type { GoodbyeReason } from "./Message.js"

/**
 * `Unreachable`: no connection could be made. `Silent`: the server doesn't answer. `Lost`: the connection went without a
 * word. The rest is what the server said when it closed the connection, or what was wrong with a frame of its.
 *
 * @since 0.1.0
 * @category models
 */
export type DisconnectedReason = GoodbyeReason | "Unreachable" | "Silent" | "Lost"

/**
 * There is no connection to a server: the `cause` of the `RpcClientError` that requests fail with meanwhile.
 *
 * @since 0.1.0
 * @category errors
 */
export class Disconnected extends Data.TaggedError("Disconnected")<{
  /** The server, as `host:port`. */
  readonly server: string
  readonly reason: DisconnectedReason
  /** The end of a sentence about the reason. */
  readonly detail: string
  /** Whether the request may have reached the server: it was outstanding when the connection went. */
  readonly sent: boolean
}> {
  override get message(): string {
    return `There is no connection to ${this.server}: ${this.detail}`
  }
}

/**
 * A request that doesn't fit into a frame, or for which there is no room among those that wait to be sent: the `cause` of
 * the `RpcClientError` that it fails with. It was not sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unsendable extends Data.TaggedError("Unsendable")<{
  /** The server, as `host:port`. */
  readonly server: string
  /** The end of a sentence about the reason. */
  readonly detail: string
}> {
  override get message(): string {
    return `A request to ${this.server} can't be sent: ${this.detail}`
  }
}

/**
 * Whether a request that failed with this error may have reached the server. If not, it certainly was not begun.
 *
 * @since 0.1.0
 * @category refinements
 */
export const mayHaveArrived = (error: RpcClientError): boolean =>
  error.cause instanceof Disconnected ? error.cause.sent : !(error.cause instanceof Unsendable)
