/**
 * A command or query as bytes: the name of its `Rpc` and its payload, encoded by the payload's schema, as the
 * MessagePack array `[tag, payload]`. The client writes them once; replicas carry them unopened until one applies them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as MessagePack from "./internal/messagePack.js"
import { Malformed } from "./Malformed.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Command {
  /** The `_tag` of the `Rpc`. */
  readonly tag: string
  /** In the encoded form of the payload's schema. */
  readonly payload: unknown
}

/**
 * Fails when the payload's encoded form holds what MessagePack can't.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (tag: string, payload: unknown): Either.Either<Uint8Array, Malformed> =>
  MessagePack.encode("command", [tag, payload])

/**
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Command, Malformed> => {
  const decoded = MessagePack.decode("command", bytes)
  if (Either.isLeft(decoded)) return Either.left(decoded.left)
  const pair = decoded.right
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string"
    ? Either.right({ tag: pair[0], payload: pair[1] })
    : Either.left(new Malformed({ what: "command", at: 0, expected: "a pair of tag and payload" }))
}
