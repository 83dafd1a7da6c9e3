/** Ports for replicas: the same one each time a replica starts. */
import { Effect } from "effect"
import * as Net from "node:net"
import { host } from "./Settings.js"

/**
 * Below the ports that systems give to outgoing connections: one of those could get the port of a replica while that is
 * killed. Different processes look in different places first.
 */
const range = { first: 18_000, count: 12_000 }

/** So many free ports, which nobody was given before. */
export const free = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.gen(function* () {
    const found: Array<number> = []
    for (let i = 0; i < range.count && found.length < count; i++) {
      const port = range.first + (next++ % range.count)
      if (yield* isFree(port)) found.push(port)
    }
    return found.length === count ? found : yield* Effect.dieMessage(`there are no ${count} free ports`)
  })

let next = (process.pid * 64) % range.count

const isFree = (port: number) =>
  Effect.async<boolean>((resume) => {
    const server = Net.createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, host, () => server.close(() => resume(Effect.succeed(true))))
  })
