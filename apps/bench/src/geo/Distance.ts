/**
 * What lies between two regions: a TCP proxy that hands on every byte, either way, so many milliseconds later.
 */
import { Effect, Runtime, type Scope } from "effect"
import * as Net from "node:net"
import { host } from "../Ports.js"
import { SystemFailed } from "../System.js"

/** Gives the port at which the target is found from afar; `oneWay` is in milliseconds. */
export const proxy = (target: number, oneWay: number): Effect.Effect<number, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const sockets = new Set<Net.Socket>()
    /** Timers of one length end in the order in which they were set, so that bytes stay in theirs. */
    const later = (what: () => void) => void fork(Effect.delay(Effect.sync(what), oneWay))
    const carry = (from: Net.Socket, to: Net.Socket): void => {
      sockets.add(from)
      from.on("data", (chunk: Buffer) => later(() => to.write(chunk)))
      from.on("end", () => later(() => to.end()))
      // An error is followed by the end of both.
      from.on("error", () => undefined)
      from.on("close", () => {
        sockets.delete(from)
        later(() => to.destroy())
      })
    }
    const server = yield* Effect.acquireRelease(
      Effect.async<Net.Server, SystemFailed>((resume) => {
        const server = Net.createServer({ noDelay: true, allowHalfOpen: true }, (incoming) => {
          const outgoing = Net.connect({ host, port: target, noDelay: true, allowHalfOpen: true })
          carry(incoming, outgoing)
          carry(outgoing, incoming)
        })
        server.on("error", ({ message }) =>
          resume(Effect.fail(new SystemFailed({ system: "a proxy", reason: message })))
        )
        server.listen(0, host, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    )
    return (server.address() as Net.AddressInfo).port
  })
