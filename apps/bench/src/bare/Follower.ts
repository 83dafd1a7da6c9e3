/**
 * A follower of the bare pipeline: writes what it gets, then says how far it has come.
 */
import * as Net from "node:net"
import * as Frames from "./Frames.js"
import * as Store from "./Store.js"

/** Listens on loopback, and gives the port. */
export const listen = (filename: string): Promise<number> => {
  const write = Store.open(filename)
  const server = Net.createServer({ noDelay: true }, (socket) => {
    Frames.receive(socket, (frames) => {
      write(frames.map(({ bytes, count, number }) => ({ first: number, commands: count, bytes })))
      const last = frames[frames.length - 1]!
      socket.write(Frames.encode(0, last.number + last.count))
    })
  })
  return portOf(server)
}

export const portOf = (server: Net.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => resolve((server.address() as Net.AddressInfo).port))
  })
