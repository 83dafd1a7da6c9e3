/**
 * Frames: how messages lie in a stream of bytes. Knows nothing of what carries the bytes.
 *
 * A frame is a header of 16 bytes and a body of one MessagePack value (or of nothing). Every frame can be read by itself:
 * no dictionary is shared between frames, so that one lost connection or one bad frame spoils nothing else.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import { Packr, RESERVE_START_SPACE, Unpackr } from "msgpackr"
import { crc32 } from "node:zlib"
import { wellFormed } from "./internal/wellFormed.js"

/**
 * The length of a header in bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const headerBytes = 16

/**
 * The format that is written here and the only one that is read, {@link goodbye} apart.
 *
 * @since 0.1.0
 * @category constants
 */
export const version = 1

/**
 * The longest body that is read or written unless told otherwise, in bytes: ten times a full batch of commands (100 KiB).
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultMaxBytes = 1024 * 1024

/**
 * The kind of the frame that says why a connection is about to be closed. It is read whatever its cluster and version,
 * so that two ends that can't talk can still tell each other so; its header and body therefore never change.
 *
 * @since 0.1.0
 * @category constants
 */
export const goodbye = 0xff

/**
 * What was wrong with the bytes.
 *
 * @since 0.1.0
 * @category errors
 */
export type FrameReason =
  | { readonly _tag: "TooLong"; readonly length: number; readonly max: number }
  | { readonly _tag: "BadChecksum" }
  | { readonly _tag: "OtherCluster" }
  | { readonly _tag: "OtherVersion"; readonly found: number; readonly expected: number }
  | { readonly _tag: "Malformed"; readonly detail: string }

/**
 * Bytes that are no frame of this cluster and format, or a value that doesn't fit into one. After it a stream of bytes is
 * of no more use: where the next frame begins can't be known.
 *
 * @since 0.1.0
 * @category errors
 */
export class FrameError extends Data.TaggedError("FrameError")<{ readonly reason: FrameReason }> {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "TooLong":
        return `The frame has a body of ${reason.length} bytes, and ${reason.max} are allowed.`
      case "BadChecksum":
        return "The checksum of the frame doesn't match its bytes."
      case "OtherCluster":
        return "The frame belongs to another cluster."
      case "OtherVersion":
        return `The frame has format version ${reason.found}, and version ${reason.expected} is expected.`
      case "Malformed":
        return `The frame can't be decoded: ${reason.detail}.`
    }
  }
}

/**
 * The four bytes that stand for a cluster in every header.
 *
 * @since 0.1.0
 * @category constructors
 */
export const clusterTag = (cluster: string): number => crc32(cluster)

// Maps instead of records: a record would make the decoder compile code out of names that a peer chose.
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

/**
 * One frame. `value` is left out for a frame without a body.
 *
 * The bytes are a view into a larger buffer that is never written again.
 *
 * @throws FrameError (TooLong) and whatever MessagePack throws for a value it can't hold (an integer beyond 64 bits)
 * @since 0.1.0
 * @category encoding
 */
export const encode = (
  options: { readonly cluster: number; readonly kind: number; readonly maxBytes: number },
  value?: unknown
): Uint8Array => {
  const frame = value === undefined ? new Uint8Array(headerBytes) : packr.pack(value, RESERVE_START_SPACE | headerBytes)
  const length = frame.length - headerBytes
  if (length > options.maxBytes) {
    throw new FrameError({ reason: { _tag: "TooLong", length, max: options.maxBytes } })
  }
  setUint32(frame, 0, length)
  setUint32(frame, 8, options.cluster)
  frame[12] = version
  frame[13] = options.kind
  frame[14] = 0
  frame[15] = 0
  setUint32(frame, 4, crc32(frame.subarray(8)))
  return frame
}

/**
 * Takes the frames of one connection out of its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoder {
  /**
   * Takes the next bytes, however they were cut, and hands over every frame that they complete, in order. After an error
   * nothing is handed over any more and every further push gives the same error.
   */
  readonly push: (chunk: Uint8Array) => Option.Option<FrameError>
}

/**
 * A decoder for one connection. Its work is in proportion to the bytes, whatever the chunks; it holds no more than one
 * unfinished frame; a length is checked before anything is allocated for it.
 *
 * `onFrame` gets the decoded body (`undefined` if it was empty) and the length of the whole frame in bytes. Binary values
 * in the body are views into what was pushed: whoever keeps a small one for long copies it. What `onFrame` answers, if
 * anything, is the reason why the frame is refused.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeDecoder = (options: {
  /** {@link clusterTag} of the cluster whose frames are read. */
  readonly cluster: number
  /** The longest body that is taken, in bytes. */
  readonly maxBytes: number
  readonly onFrame: (kind: number, value: unknown, bytes: number) => FrameReason | undefined
}): Decoder => {
  // The beginning of a frame whose end has not come: `have` bytes at the front of `partial`.
  let partial = new Uint8Array(0)
  let have = 0
  let error: Option.Option<FrameError> = Option.none()

  const hold = (chunk: Uint8Array, from: number, to: number, total: number): void => {
    const need = have + to - from
    if (partial.length < need) {
      // Beyond the first step it grows with what has come, not with what the header promised.
      const larger = new Uint8Array(Math.min(total, Math.max(need, 2 * partial.length, firstStep)))
      larger.set(partial.subarray(0, have))
      partial = larger
    }
    partial.set(chunk.subarray(from, to), have)
    have = need
  }

  const take = (bytes: Uint8Array, start: number, end: number): FrameReason | undefined => {
    const kind = bytes[start + 13]!
    if (crc32(bytes.subarray(start + 8, end)) !== getUint32(bytes, start + 4)) return { _tag: "BadChecksum" }
    if (getUint32(bytes, start + 8) !== options.cluster && kind !== goodbye) return { _tag: "OtherCluster" }
    let value: unknown
    if (end - start > headerBytes) {
      if (!wellFormed(bytes, start + headerBytes, end)) return malformed("its body is no MessagePack value")
      try {
        value = unpackr.unpack(bytes, { start: start + headerBytes, end })
      } catch (cause) {
        return malformed(cause instanceof Error ? cause.message : String(cause))
      }
    }
    return options.onFrame(kind, value, end - start)
  }

  const step = (chunk: Uint8Array): FrameReason | undefined => {
    let offset = 0
    while (offset < chunk.length) {
      if (have > 0 && have < headerBytes) {
        const to = Math.min(chunk.length, offset + headerBytes - have)
        hold(chunk, offset, to, headerBytes)
        offset = to
        if (have < headerBytes) return undefined
      }
      const bytes = have > 0 ? partial : chunk
      const start = have > 0 ? 0 : offset
      if (bytes === chunk && chunk.length - offset < headerBytes) {
        hold(chunk, offset, chunk.length, headerBytes)
        return undefined
      }
      const length = getUint32(bytes, start)
      if (length > options.maxBytes) return { _tag: "TooLong", length, max: options.maxBytes }
      if (bytes[start + 12] !== version && bytes[start + 13] !== goodbye) {
        return { _tag: "OtherVersion", found: bytes[start + 12]!, expected: version }
      }
      const total = headerBytes + length
      if (have === 0 && chunk.length - offset >= total) {
        const reason = take(chunk, offset, offset + total)
        if (reason !== undefined) return reason
        offset += total
        continue
      }
      const to = Math.min(chunk.length, offset + total - have)
      hold(chunk, offset, to, total)
      offset = to
      if (have < total) return undefined
      const whole = partial
      // Views into it may live on, so it isn't used again.
      partial = new Uint8Array(0)
      have = 0
      const reason = take(whole, 0, total)
      if (reason !== undefined) return reason
    }
    return undefined
  }

  return {
    push: (chunk) => {
      if (Option.isSome(error)) return error
      // Without Node's Buffer around it, so that binary values are none either: its `slice` doesn't copy.
      const reason = step(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      if (reason !== undefined) {
        error = Option.some(new FrameError({ reason }))
        partial = new Uint8Array(0)
      }
      return error
    }
  }
}

// What is set aside for a frame of which only the beginning has come, in bytes: a chunk as sockets cut them.
const firstStep = 64 * 1024

const malformed = (detail: string): FrameReason => ({ _tag: "Malformed", detail })

const setUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

const getUint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
