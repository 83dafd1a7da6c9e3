/**
 * As much of ZooKeeper's protocol as a load needs: one session on one connection, with any number of requests under way, which
 * are answered in the order in which they were sent.
 *
 * ```
 *   length │ xid │ kind │ path …  ──►       ◄── length │ xid │ zxid (8 bytes) │ error │ …
 * ```
 */
import * as Net from "node:net"

export interface Session {
  readonly create: (path: string, data: Uint8Array, done: Done) => void
  readonly set: (path: string, data: Uint8Array, done: Done) => void
  /**
   * A sync and a read behind it; one answer. That is as linearizable as ZooKeeper gets: its leader doesn't ask a majority whether it
   * still leads.
   */
  readonly read: (path: string, done: Done) => void
  /** Without a word; what is under way fails. */
  readonly close: () => void
}

/** Called once, with the reason if the request failed. */
export type Done = (failure?: Error) => void

const kinds = { create: 1, get: 4, set: 5, sync: 9, ping: 11 } as const

/** The id of pings, whose answers nobody waits for. */
const pingId = -2

/** For how long the session may be silent before the server ends it, and after how long it pings unless told otherwise, in milliseconds. */
const timeout = 30_000
const pause = 8_000

const everybody = { permissions: 31, scheme: "world", id: "anyone" } as const

/** Of requests that were answered, so many are kept at most. */
const compactAfter = 4096

export const connect = (host: string, port: number, pingEvery: number = pause): Promise<Session> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ host, port, noDelay: true })
    const waiting: Array<Done> = []
    let answered = 0
    let opened = false
    let lost: Error | undefined
    let rest: Buffer = Buffer.alloc(0)
    let out: Array<Uint8Array> = []
    let xid = 0

    const fail = (why: Error): void => {
      lost ??= why
      reject(why)
      while (answered < waiting.length) waiting[answered++]!(why)
    }
    socket.on("error", fail)
    socket.on("close", () => fail(new Error("the connection was closed")))
    socket.on("connect", () => {
      socket.write(framed([int(0), long(0), int(timeout), long(0), buffer(new Uint8Array(16)), Uint8Array.of(0)]))
    })

    const take = (message: Buffer): void => {
      if (!opened) {
        opened = true
        // Again and again: a listener that is given to `setTimeout` is called once.
        socket.setTimeout(pingEvery)
        socket.on("timeout", () => socket.write(framed([int(pingId), int(kinds.ping)])))
        return resolve({ create, set, read, close: () => void socket.destroy() })
      }
      if (message.readInt32BE(0) < 0) return
      const error = message.readInt32BE(12)
      const done = waiting[answered++]!
      if (answered === compactAfter) {
        waiting.splice(0, answered)
        answered = 0
      }
      done(error === 0 ? undefined : new Error(`ZooKeeper answered with error ${error}`))
    }
    socket.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= 4) {
        const end = 4 + rest.readInt32BE(0)
        if (rest.length < end) break
        const message = rest.subarray(4, end)
        rest = rest.subarray(end)
        take(message)
      }
    })

    const request = (kind: number, fields: ReadonlyArray<Uint8Array>, done: Done): void => {
      if (lost !== undefined) return done(lost)
      xid = (xid + 1) & 0x7fffffff
      waiting.push(done)
      // What is asked in one turn leaves in one write.
      if (out.length === 0) {
        setImmediate(() => {
          const frames = out
          out = []
          socket.write(Buffer.concat(frames))
        })
      }
      out.push(framed([int(xid), int(kind), ...fields]))
    }
    const create: Session["create"] = (path, data, done) => {
      const { id, permissions, scheme } = everybody
      request(kinds.create, [text(path), buffer(data), int(1), int(permissions), text(scheme), text(id), int(0)], done)
    }
    const set: Session["set"] = (path, data, done) => request(kinds.set, [text(path), buffer(data), int(-1)], done)
    const read: Session["read"] = (path, done) => {
      let failed: Error | undefined
      request(kinds.sync, [text(path)], (failure) => (failed = failure))
      request(kinds.get, [text(path), Uint8Array.of(0)], (failure) => done(failed ?? failure))
    }
  })

const int = (value: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

const long = (value: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

const buffer = (bytes: Uint8Array): Uint8Array => Buffer.concat([int(bytes.length), bytes])

const text = (value: string): Uint8Array => buffer(Buffer.from(value))

const framed = (fields: ReadonlyArray<Uint8Array>): Uint8Array => buffer(Buffer.concat(fields))
