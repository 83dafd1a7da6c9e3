/**
 * The bare pipeline's messages: four bytes of length, four of a count, eight of a number, and bytes.
 *
 * ```
 *   leader ► follower   a batch: its first place in the log, how many commands, all of them in a row
 *   follower ► leader   durable before this place, no bytes
 *   client ► leader     one command under the client's number for it
 *   leader ► client     that number, no bytes
 * ```
 */
import type { Socket } from "node:net"

export interface Frame {
  readonly count: number
  readonly number: number
  readonly bytes: Uint8Array
}

const header = 16

export const encode = (count: number, number: number, bytes?: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(header + (bytes?.length ?? 0))
  frame.writeUInt32LE(frame.length, 0)
  frame.writeUInt32LE(count, 4)
  frame.writeDoubleLE(number, 8)
  if (bytes !== undefined) frame.set(bytes, header)
  return frame
}

/** Hands over all frames that a chunk completes at once, in order. */
export const receive = (socket: Socket, onFrames: (frames: ReadonlyArray<Frame>) => void): void => {
  let rest: Buffer | undefined
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    const frames: Array<Frame> = []
    let at = 0
    while (bytes.length - at >= header) {
      const end = at + bytes.readUInt32LE(at)
      if (end > bytes.length) break
      const frame = { count: bytes.readUInt32LE(at + 4), number: bytes.readDoubleLE(at + 8) }
      frames.push({ ...frame, bytes: bytes.subarray(at + header, end) })
      at = end
    }
    rest = at === bytes.length ? undefined : bytes.subarray(at)
    if (frames.length > 0) onFrames(frames)
  })
}

/** A way out that writes all that is sent within one turn of the event loop at once. */
export const sender = (socket: Socket): ((frame: Buffer) => void) => {
  let frames: Array<Buffer> = []
  const flush = (): void => {
    socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
    frames = []
  }
  return (frame) => {
    if (frames.push(frame) === 1) process.nextTick(flush)
  }
}
