/**
 * A client's request: it opens a session, carries the commands of one, packed together, or asks what became of one.
 *
 * ```
 * Open  ┌────────┬───┐
 *       │ format │ 0 │
 *       └────────┴───┘
 * Call  ┌────────┬───┬─────────┬──────────────┬───────┬───────┬────────┬─────────┬──
 *       │ format │ 1 │ session │ acknowledged │ first │ count │ length │ command │ …
 *       └────────┴───┴─────────┴──────────────┴───────┴───────┴────────┴─────────┴──
 * Resolve ┌────────┬───┬─────────┬──────────┐
 *         │ format │ 2 │ session │ sequence │
 *         └────────┴───┴─────────┴──────────┘
 *           1 byte  1 b  varints
 * ```
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import { Reader, stringsSize, varintSize, Writer } from "./internal/bytes.js"
import type { Malformed } from "./Malformed.js"

const FORMAT = 1
const OPEN = 0
const CALL = 1
const RESOLVE = 2

/**
 * Asks for a new session. Asking twice opens two; the one that is not used does no harm.
 *
 * @since 0.1.0
 * @category models
 */
export interface Open {
  readonly _tag: "Open"
}

/**
 * Commands of a session, with consecutive sequence numbers. With none of them it keeps the session from expiring.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  readonly _tag: "Call"
  readonly session: number
  /** The first sequence whose answer the client may still ask for; the records below it are let go. */
  readonly acknowledged: number
  /** The sequence of `commands[0]`. */
  readonly first: number
  readonly commands: ReadonlyArray<Uint8Array>
}

/**
 * Asks for the answer to one command. If that wasn't applied, it never will be from now on: the answer says so, and is what
 * the command itself gets if it comes later.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolve {
  readonly _tag: "Resolve"
  readonly session: number
  readonly sequence: number
}

/**
 * @since 0.1.0
 * @category models
 */
export type Envelope = Open | Call | Resolve

/**
 * @since 0.1.0
 * @category constructors
 */
export const open: Open = { _tag: "Open" }

/**
 * @since 0.1.0
 * @category constructors
 */
export const call = (fields: Omit<Call, "_tag">): Call => ({ _tag: "Call", ...fields })

/**
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (session: number, sequence: number): Resolve => ({ _tag: "Resolve", session, sequence })

/**
 * @since 0.1.0
 * @category encoding
 */
export const encode = (envelope: Envelope): Uint8Array => {
  if (envelope._tag === "Open") return Uint8Array.of(FORMAT, OPEN)
  if (envelope._tag === "Resolve") {
    const writer = new Writer(2 + varintSize(envelope.session) + varintSize(envelope.sequence))
    writer.byte(FORMAT)
    writer.byte(RESOLVE)
    writer.varint(envelope.session)
    writer.varint(envelope.sequence)
    return writer.bytes
  }
  const { acknowledged, commands, first, session } = envelope
  const writer = new Writer(
    2 + varintSize(session) + varintSize(acknowledged) + varintSize(first) + stringsSize(commands)
  )
  writer.byte(FORMAT)
  writer.byte(CALL)
  writer.varint(session)
  writer.varint(acknowledged)
  writer.varint(first)
  writer.strings(commands)
  return writer.bytes
}

/**
 * The commands are views of the envelope.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Envelope, Malformed> => {
  const reader = new Reader("envelope", bytes)
  if (reader.byte("the format") !== FORMAT) reader.fail(`format ${FORMAT}`)
  switch (reader.byte("the kind")) {
    case OPEN:
      return reader.end(open)
    case CALL: {
      const session = reader.varint("the session")
      const acknowledged = reader.varint("the first unacknowledged sequence")
      const first = reader.varint("the first sequence")
      const commands = reader.strings("commands")
      if (!Number.isSafeInteger(first + commands.length)) reader.fail("sequences below 2^53")
      return reader.end(call({ session, acknowledged, first, commands }))
    }
    case RESOLVE:
      return reader.end(resolve(reader.varint("the session"), reader.varint("the sequence")))
    default:
      reader.fail(`a kind from ${OPEN} to ${RESOLVE}`)
      return reader.end(open)
  }
}
