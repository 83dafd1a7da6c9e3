/** Ports of this machine for the members of a system. */
import { Effect } from "effect"
import * as Net from "node:net"
import { SystemFailed } from "./System.js"

export const host = "127.0.0.1"

/** Ports that are free now, all different; held until all are known. */
export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>, SystemFailed> =>
  Effect.scoped(
    Effect.forEach(Array.from({ length: count }), () =>
      Effect.map(
        Effect.acquireRelease(
          Effect.async<Net.Server, SystemFailed>((resume) => {
            const server = Net.createServer()
            server.on("error", ({ message }) =>
              resume(Effect.fail(new SystemFailed({ system: "a port", reason: message })))
            )
            server.listen(0, host, () => resume(Effect.succeed(server)))
          }),
          (server) =>
            Effect.async<void>((resume) => {
              server.close(() => resume(Effect.void))
            })
        ),
        (server) => (server.address() as Net.AddressInfo).port
      )
    )
  )
