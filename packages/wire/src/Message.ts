/**
 * The messages of `@effect/rpc` as frames: one kind of frame for each kind of message, its fields in a fixed order.
 *
 * @since 0.1.0
 */
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as Either from "effect/Either"
import * as Frame from "./Frame.js"
import { type CauseEncoded, withoutFibers } from "./internal/cause.js"

/**
 * Why an end closes a connection, as it tells the other end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Goodbye {
  readonly _tag: "Goodbye"
  readonly reason: GoodbyeReason
  /** One sentence for people. */
  readonly message: string
}

/**
 * `NotReading`: too many bytes wait for the other end to read them. `Overrun`: the other end sends faster than its requests
 * can be begun. `Idle`: nothing was heard for too long. `Closing`: the server shuts down. The rest is {@link Frame.FrameReason}.
 *
 * @since 0.1.0
 * @category models
 */
export type GoodbyeReason = Frame.FrameReason["_tag"] | "NotReading" | "Overrun" | "Idle" | "Closing"

const goodbyeReasons: ReadonlySet<string> = new Set<GoodbyeReason>([
  "TooLong",
  "BadChecksum",
  "OtherCluster",
  "OtherVersion",
  "Malformed",
  "NotReading",
  "Overrun",
  "Idle",
  "Closing"
])

/**
 * The kinds of frames. A kind keeps its number for good; a new one gets a new number.
 *
 * @since 0.1.0
 * @category constants
 */
export const kinds = {
  Request: 0x01,
  Ack: 0x02,
  Interrupt: 0x03,
  Ping: 0x04,
  Eof: 0x05,
  Chunk: 0x81,
  Exit: 0x82,
  Defect: 0x83,
  Pong: 0x84,
  Goodbye: Frame.goodbye
} as const

/**
 * What a frame is made for: the cluster it belongs to and the longest body the other end takes, in bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Format {
  /** {@link Frame.clusterTag} of the cluster. */
  readonly cluster: number
  readonly maxBytes: number
}

const frame = (format: Format, kind: number, value?: unknown): Uint8Array =>
  Frame.encode({ cluster: format.cluster, maxBytes: format.maxBytes, kind }, value)

/**
 * @throws what {@link Frame.encode} throws
 * @since 0.1.0
 * @category encoding
 */
export const encodeFromClient = (format: Format, message: FromClientEncoded): Uint8Array => {
  switch (message._tag) {
    case "Request": {
      const fields: Array<unknown> = [encodeId(message.id), message.tag, message.payload, message.headers]
      if (message.traceId !== undefined) fields.push(message.traceId, message.spanId, message.sampled)
      return frame(format, kinds.Request, fields)
    }
    case "Ack":
      return frame(format, kinds.Ack, encodeId(message.requestId))
    case "Interrupt":
      return frame(format, kinds.Interrupt, encodeId(message.requestId))
    case "Ping":
      return frame(format, kinds.Ping)
    case "Eof":
      return frame(format, kinds.Eof)
  }
}

/**
 * @throws what {@link Frame.encode} throws
 * @since 0.1.0
 * @category encoding
 */
export const encodeFromServer = (format: Format, message: FromServer): Uint8Array => {
  switch (message._tag) {
    case "Chunk":
      return frame(format, kinds.Chunk, [encodeId(message.requestId), message.values])
    case "Exit":
      return message.exit._tag === "Success"
        ? frame(format, kinds.Exit, [encodeId(message.requestId), true, message.exit.value])
        : frame(format, kinds.Exit, [encodeId(message.requestId), false, withoutFibers(message.exit.cause)])
    case "Defect":
      return frame(format, kinds.Defect, [message.defect])
    case "Pong":
      return frame(format, kinds.Pong)
    case "Goodbye":
      return frame(format, kinds.Goodbye, [message.reason, message.message])
  }
}

/**
 * What a server sends.
 *
 * @since 0.1.0
 * @category models
 */
export type FromServer = Exclude<FromServerEncoded, { readonly _tag: "ClientProtocolError" }> | Goodbye

/**
 * The message in a frame that a server got, or what is wrong with it.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeFromClient = (kind: number, value: unknown): Either.Either<FromClientEncoded, Frame.FrameReason> => {
  switch (kind) {
    case kinds.Request:
      return decodeRequest(value)
    case kinds.Ack: {
      const requestId = decodeId(value)
      return requestId === undefined ? malformed("an Ack needs a request id") : Either.right({ _tag: "Ack", requestId })
    }
    case kinds.Interrupt: {
      const requestId = decodeId(value)
      return requestId === undefined
        ? malformed("an Interrupt needs a request id")
        : Either.right({ _tag: "Interrupt", requestId })
    }
    case kinds.Ping:
      return ping
    case kinds.Eof:
      return eof
    default:
      return malformed(`kind ${kind} is no message of a client`)
  }
}

/**
 * The message in a frame that a client got, or what is wrong with it.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeFromServer = (kind: number, value: unknown): Either.Either<FromServer, Frame.FrameReason> => {
  switch (kind) {
    case kinds.Chunk: {
      const [id, values] = fields(value, 2)
      const requestId = decodeId(id)
      return requestId !== undefined && Array.isArray(values) && values.length > 0
        ? Either.right({ _tag: "Chunk", requestId, values: values as [unknown, ...Array<unknown>] })
        : malformed("a Chunk needs a request id and values")
    }
    case kinds.Exit: {
      const [id, succeeded, result] = fields(value, 3)
      const requestId = decodeId(id)
      if (requestId === undefined) return malformed("an Exit needs a request id")
      if (succeeded === true) {
        return Either.right({ _tag: "Exit", requestId, exit: { _tag: "Success", value: result } })
      }
      return succeeded === false && isCause(result)
        ? Either.right({ _tag: "Exit", requestId, exit: { _tag: "Failure", cause: result } })
        : malformed("an Exit that failed needs a cause")
    }
    case kinds.Defect:
      return Array.isArray(value) && value.length === 1
        ? Either.right({ _tag: "Defect", defect: value[0] as unknown })
        : malformed("a Defect needs what went wrong")
    case kinds.Pong:
      return pong
    case kinds.Goodbye: {
      const [reason, message] = fields(value, 2)
      return isGoodbyeReason(reason) && typeof message === "string"
        ? Either.right({ _tag: "Goodbye", reason, message })
        : malformed("a Goodbye needs a reason and a sentence")
    }
    default:
      return malformed(`kind ${kind} is no message of a server`)
  }
}

const ping = Either.right({ _tag: "Ping" } as const)
const eof = Either.right({ _tag: "Eof" } as const)
const pong = Either.right({ _tag: "Pong" } as const)

const decodeRequest = (value: unknown): Either.Either<FromClientEncoded, Frame.FrameReason> => {
  const traced = Array.isArray(value) && value.length === 7
  const [requestId, tag, payload, headers, traceId, spanId, sampled] = fields(value, traced ? 7 : 4)
  const id = decodeId(requestId)
  if (id === undefined || typeof tag !== "string" || !isHeaders(headers)) {
    return malformed("a Request needs an id, a tag, a payload and headers")
  }
  if (!traced) return Either.right({ _tag: "Request", id, tag, payload, headers })
  return typeof traceId === "string" && typeof spanId === "string" && typeof sampled === "boolean"
    ? Either.right({ _tag: "Request", id, tag, payload, headers, traceId, spanId, sampled })
    : malformed("the trace of a Request needs two ids and a flag")
}

const fields = (value: unknown, count: number): ReadonlyArray<unknown> =>
  Array.isArray(value) && value.length === count ? value : []

const isHeaders = (value: unknown): value is ReadonlyArray<[string, string]> => {
  if (!Array.isArray(value)) return false
  for (const pair of value as ReadonlyArray<unknown>) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string" || typeof pair[1] !== "string") return false
  }
  return true
}

// The rest of a cause is decoded by the schema of its request, where a mistake fails that request alone.
const isCause = (value: unknown): value is CauseEncoded =>
  typeof value === "object" && value !== null && "_tag" in value

const isGoodbyeReason = (value: unknown): value is GoodbyeReason =>
  typeof value === "string" && goodbyeReasons.has(value)

// A request id is an unsigned integer of 64 bits, which `@effect/rpc` writes in decimal digits.
const encodeId = (id: string): number | bigint => {
  const small = Number(id)
  return Number.isSafeInteger(small) ? small : BigInt(id)
}

const decodeId = (value: unknown): string | undefined =>
  (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) || (typeof value === "bigint" && value >= 0n)
    ? String(value)
    : undefined

const malformed = (detail: string): Either.Either<never, Frame.FrameReason> =>
  Either.left({ _tag: "Malformed", detail })
