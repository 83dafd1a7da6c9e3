/**
 * The leader of the bare pipeline. What waits becomes a batch, goes to the followers, is committed here, and is done when
 * two of the three have it. Nobody else ever leads.
 */
import * as Net from "node:net"
import * as Follower from "./Follower.js"
import * as Frames from "./Frames.js"
import * as Store from "./Store.js"

export interface Leader {
  /** Puts a command into the log; `done` is called when a majority has it. */
  readonly propose: (command: Uint8Array, done: () => void) => void
  /** Where clients connect. */
  readonly port: number
}

interface UnderWay {
  /** The place after the batch's last command. */
  readonly end: number
  readonly done: ReadonlyArray<() => void>
}

/** Batches that may be under way. */
const window = 8

export const lead = async (filename: string, followers: ReadonlyArray<number>): Promise<Leader> => {
  const write = Store.open(filename)
  const durable = [0, ...followers.map(() => 0)]
  const sockets = await Promise.all(followers.map(connect))
  let next = 0
  let commands: Array<Uint8Array> = []
  let done: Array<() => void> = []
  let underWay: Array<UnderWay> = []
  let scheduled = false

  const schedule = (): void => {
    if (scheduled || commands.length === 0 || underWay.length >= window) return
    scheduled = true
    setImmediate(step)
  }
  const step = (): void => {
    scheduled = false
    const batch = { first: next, commands: commands.length, bytes: Buffer.concat(commands) }
    next += batch.commands
    underWay.push({ end: next, done })
    commands = []
    done = []
    const frame = Frames.encode(batch.commands, batch.first, batch.bytes)
    for (const socket of sockets) socket.write(frame)
    write([batch])
    durable[0] = next
    advance()
  }
  const advance = (): void => {
    const through = [...durable].sort((a, b) => b - a)[Math.floor(durable.length / 2)]!
    const chosen = underWay.findIndex(({ end }) => end > through)
    const ended = chosen === -1 ? underWay : underWay.slice(0, chosen)
    if (ended.length > 0) underWay = underWay.slice(ended.length)
    for (const { done } of ended) for (const end of done) end()
    schedule()
  }
  sockets.forEach((socket, i) =>
    Frames.receive(socket, (frames) => {
      durable[i + 1] = frames[frames.length - 1]!.number
      advance()
    })
  )

  const propose: Leader["propose"] = (command, end) => {
    commands.push(command)
    done.push(end)
    schedule()
  }
  const server = Net.createServer({ noDelay: true }, (socket) => {
    const send = Frames.sender(socket)
    Frames.receive(socket, (frames) => {
      for (const { bytes, number } of frames) propose(bytes, () => send(Frames.encode(0, number)))
    })
  })
  return { propose, port: await Follower.portOf(server) }
}

export const connect = (port: number): Promise<Net.Socket> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket))
    socket.on("error", reject)
  })
