/**
 * As much of gRPC as a load needs: unary calls over one HTTP/2 connection of Node's own, which costs less than any library for it.
 */
import * as Http2 from "node:http2"

export interface Grpc {
  /** Makes a call; `done` is called once, with the reason if it failed. */
  readonly call: (path: string, message: Uint8Array, done: (failure?: Error) => void) => void
  /** False once the connection is lost. */
  readonly open: () => boolean
  readonly close: () => void
}

/** How long a call may take, in milliseconds. */
const patience = 10_000

export const connect = (url: string): Grpc => {
  const session = Http2.connect(url)
  // Calls that are under way fail by themselves.
  session.on("error", () => undefined)
  session.setMaxListeners(0)
  return {
    call: (path, message, done) => {
      if (session.closed || session.destroyed) return done(new Error("the connection was closed"))
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers"
      })
      let ended = false
      const end = (failure?: Error): void => {
        if (!ended) done(failure)
        ended = true
      }
      // With the status the call is over, a little before its stream is.
      const look = (headers: Http2.IncomingHttpHeaders): void => {
        const status = headers["grpc-status"]
        if (status === undefined) return
        const why = `${String(status)} ${String(headers["grpc-message"] ?? "")}`.trim()
        end(status === "0" ? undefined : new Error(`${path} failed with status ${why}`))
      }
      stream.on("response", look)
      stream.on("trailers", look)
      stream.setTimeout(patience, () => stream.close(Http2.constants.NGHTTP2_CANCEL))
      let failure: Error | undefined
      stream.on("error", (error) => (failure = error))
      stream.on("close", () => end(failure ?? new Error(`${path} ended without a status`)))
      stream.resume()
      stream.end(framed(message))
    },
    open: () => !session.closed && !session.destroyed,
    close: () => session.destroy()
  }
}

/** Not compressed, and its length. */
const framed = (message: Uint8Array): Buffer => {
  const frame = Buffer.alloc(5 + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  return frame
}

/** A field of a message: its number, and bytes. */
export const field = (number: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])

const varint = (value: number): Uint8Array => {
  const bytes: Array<number> = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
