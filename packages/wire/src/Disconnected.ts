/**
 * Why a client has no connection.
 *
 * @since 0.1.0
 */
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
 * There is no connection to a server: the `cause` of the `RpcClientError` that requests fail with meanwhile. Whether the
 * server began a request that was outstanding isn't known; one that failed to be sent it never saw.
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
}> {
  override get message(): string {
    return `There is no connection to ${this.server}: ${this.detail}`
  }
}
