/**
 * The reply to an envelope, the same bytes from whichever replica applied it.
 *
 * ```
 * Opened          ┌────────┬───┬─────────┬────────┐
 *                 │ format │ 0 │ session │ expiry │
 *                 └────────┴───┴─────────┴────────┘
 * Replied         ┌────────┬───┬──────┬───────┬────────┬────────┬──
 *                 │ format │ 1 │ slot │ count │ length │ answer │ …       one for each command, in order
 *                 └────────┴───┴──────┴───────┴────────┴────────┴──
 * SessionExpired  ┌────────┬───┬───────────┐
 *                 │ format │ 2 │ unapplied │
 *                 └────────┴───┴───────────┘
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
const SESSION_EXPIRED = 2
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
  /** How long the session lasts when it isn't used, in milliseconds of agreed time. */
  readonly expiry: number
}

/**
 * The answers to the commands of a `Call`, in their order: those of duplicates are the first ones, repeated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replied {
  readonly _tag: "Replied"
  /** The slot that was applied: a state that holds it holds what these answers tell of. */
  readonly slot: number
  readonly replies: ReadonlyArray<Uint8Array>
}

/**
 * No session of that number is open, any more or yet. The request changed nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionExpired {
  readonly _tag: "SessionExpired"
  /**
   * Commands of the session from this sequence on were never applied, and never will be. Those before may have been, and
   * what they were answered is not known any more.
   */
  readonly unapplied: number
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
export type Reply = Opened | Replied | SessionExpired | Refused

/**
 * @since 0.1.0
 * @category constructors
 */
export const opened = (session: number, expiry: number): Opened => ({ _tag: "Opened", session, expiry })

/**
 * @since 0.1.0
 * @category constructors
 */
export const replied = (slot: number, replies: ReadonlyArray<Uint8Array>): Replied => ({
  _tag: "Replied",
  slot,
  replies
})

/**
 * @since 0.1.0
 * @category constructors
 */
export const sessionExpired = (unapplied: number): SessionExpired => ({ _tag: "SessionExpired", unapplied })

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
      const writer = header(OPENED, varintSize(reply.session) + varintSize(reply.expiry))
      writer.varint(reply.session)
      writer.varint(reply.expiry)
      return writer.bytes
    }
    case "Replied": {
      const writer = header(REPLIED, varintSize(reply.slot) + stringsSize(reply.replies))
      writer.varint(reply.slot)
      writer.strings(reply.replies)
      return writer.bytes
    }
    case "SessionExpired": {
      const writer = header(SESSION_EXPIRED, varintSize(reply.unapplied))
      writer.varint(reply.unapplied)
      return writer.bytes
    }
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
      return reader.end(opened(reader.varint("the session"), reader.varint("the expiry")))
    case REPLIED:
      return reader.end(replied(reader.varint("the slot"), reader.strings("answers")))
    case SESSION_EXPIRED:
      return reader.end(sessionExpired(reader.varint("the first unapplied sequence")))
    case REFUSED: {
      const reason = MessagePack.decode("reason", reader.string("the reason"))
      if (Either.isLeft(reason) || typeof reason.right !== "string") reader.fail("a reason in words")
      return reader.end(refused(String(Either.getOrElse(reason, () => ""))))
    }
    default:
      reader.fail(`a kind from ${OPENED} to ${REFUSED}`)
      return reader.end(refused(""))
  }
}

const header = (kind: number, size: number): Writer => {
  const writer = new Writer(2 + size)
  writer.byte(FORMAT)
  writer.byte(kind)
  return writer
}
