/**
 * The reply to an envelope, the same bytes from whichever replica applied it.
 *
 * ```
 * Opened          ┌────────┬───┬─────────┐
 *                 │ format │ 0 │ session │
 *                 └────────┴───┴─────────┘
 * Replied         ┌────────┬───┬───────┬────────┬────────┬──
 *                 │ format │ 1 │ count │ length │ answer │ …      one for each command, in order
 *                 └────────┴───┴───────┴────────┴────────┴──
 * SessionUnknown  ┌────────┬───┐
 *                 │ format │ 2 │
 *                 └────────┴───┘
 * Refused         ┌────────┬───┬────────┬────────┐
 *                 │ format │ 3 │ length │ reason │                       a MessagePack string
 *                 └────────┴───┴────────┴────────┘
 * ```
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Reader, stringSize, stringsSize, varintSize, Writer } from "./internal/bytes.js"
import * as MessagePack from "./internal/messagePack.js"
import type { Malformed } from "./Malformed.js"

const FORMAT = 1
const OPENED = 0
const REPLIED = 1
const SESSION_UNKNOWN = 2
const REFUSED = 3

/**
 * The session that an `Open` was given.
 *
 * @since 0.1.0
 * @category models
 */
export interface Opened {
  readonly _tag: "Opened"
  readonly session: number
}

/**
 * The answers to the commands of a `Call`, in their order: those of duplicates are the first ones, repeated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replied {
  readonly _tag: "Replied"
  readonly replies: ReadonlyArray<Uint8Array>
}

/**
 * No session of that number is open. Nothing of the call was applied.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionUnknown {
  readonly _tag: "SessionUnknown"
}

/**
 * The bytes were no envelope. Nothing was applied.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refused {
  readonly _tag: "Refused"
  readonly reason: string
}

/**
 * @since 0.1.0
 * @category models
 */
export type Reply = Opened | Replied | SessionUnknown | Refused

/**
 * @since 0.1.0
 * @category constructors
 */
export const opened = (session: number): Opened => ({ _tag: "Opened", session })

/**
 * @since 0.1.0
 * @category constructors
 */
export const replied = (replies: ReadonlyArray<Uint8Array>): Replied => ({ _tag: "Replied", replies })

/**
 * @since 0.1.0
 * @category constructors
 */
export const sessionUnknown: SessionUnknown = { _tag: "SessionUnknown" }

/**
 * @since 0.1.0
 * @category constructors
 */
export const refused = (reason: string): Refused => ({ _tag: "Refused", reason })

/**
 * @since 0.1.0
 * @category encoding
 */
export const encode = (reply: Reply): Uint8Array => {
  switch (reply._tag) {
    case "Opened": {
      const writer = header(OPENED, varintSize(reply.session))
      writer.varint(reply.session)
      return writer.bytes
    }
    case "Replied": {
      const writer = header(REPLIED, stringsSize(reply.replies))
      writer.strings(reply.replies)
      return writer.bytes
    }
    case "SessionUnknown":
      return header(SESSION_UNKNOWN, 0).bytes
    case "Refused": {
      const reason = Either.getOrThrow(MessagePack.encode("reason", reply.reason))
      const writer = header(REFUSED, stringSize(reason))
      writer.string(reason)
      return writer.bytes
    }
  }
}

/**
 * The answers are views of the reply.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Reply, Malformed> => {
  const reader = new Reader("reply", bytes)
  if (reader.byte("the format") !== FORMAT) reader.fail(`format ${FORMAT}`)
  switch (reader.byte("the kind")) {
    case OPENED:
      return reader.end(opened(reader.varint("the session")))
    case REPLIED:
      return reader.end(replied(reader.strings("answers")))
    case SESSION_UNKNOWN:
      return reader.end(sessionUnknown)
    case REFUSED: {
      const reason = MessagePack.decode("reason", reader.string("the reason"))
      if (Either.isLeft(reason) || typeof reason.right !== "string") reader.fail("a reason in words")
      return reader.end(refused(String(Either.getOrElse(reason, () => ""))))
    }
    default:
      reader.fail(`a kind from ${OPENED} to ${REFUSED}`)
      return reader.end(sessionUnknown)
  }
}

const header = (kind: number, size: number): Writer => {
  const writer = new Writer(2 + size)
  writer.byte(FORMAT)
  writer.byte(kind)
  return writer
}
