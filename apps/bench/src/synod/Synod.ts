/**
 * Synod as users run it: three replicas joined by `Socket`, each with its SQLite journal, default settings; a typed
 * machine, sessions on.
 */
import { Effect, Schedule, Schema } from "effect"
import * as Net from "node:net"
import * as Path from "node:path"
import { Sample } from "../Load.js"
import { type System, SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"
import type { Settings } from "./Settings.js"

const name = "synod"
const host = "127.0.0.1"

export const Synod: System = {
  name,
  start: ({ directory, profiles }) =>
    Effect.gen(function* () {
      const ports = yield* freePorts(3)
      const members = Object.fromEntries(ports.map((port, i) => [i + 1, { host, port }]))
      const start = (replica?: Settings["replica"]) =>
        Worker.start({ system: name, program: "synod/member", settings: { members, replica }, profiles })
      const replicas = yield* Effect.forEach([1, 2, 3], (node) =>
        start({ node, file: Path.join(directory, `replica-${node}.sqlite`) })
      )
      const remote = yield* start()
      yield* leader(replicas)
      return {
        measure: (client, load) =>
          Effect.gen(function* () {
            const worker = client === "remote" ? remote : yield* leader(replicas)
            return yield* Effect.flatMap(worker.ask("measure", load), decodeSample)
          })
      }
    })
}

/** The replica that leads; one does soon after the start. */
const leader = (replicas: ReadonlyArray<Worker.Worker>): Effect.Effect<Worker.Worker, SystemFailed> =>
  Effect.findFirst(replicas, (replica) => Effect.map(replica.ask("leads"), (leads) => leads === true)).pipe(
    Effect.flatten,
    Effect.retry({
      while: (error) => error._tag === "NoSuchElementException",
      schedule: Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(200))
    }),
    Effect.catchTag("NoSuchElementException", () => failed("no replica leads after 10 seconds"))
  )

/** Ports that are free now, all different; held until all are known. */
const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>, SystemFailed> =>
  Effect.scoped(
    Effect.forEach(Array.from({ length: count }), () =>
      Effect.map(
        Effect.acquireRelease(
          Effect.async<Net.Server, SystemFailed>((resume) => {
            const server = Net.createServer()
            server.on("error", (error) => resume(failed(error.message)))
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

const decodeSample = (answer: unknown) =>
  Effect.catchAll(Schema.decodeUnknown(Sample)(answer), ({ message }) => failed(message))

const failed = (reason: string) => Effect.fail(new SystemFailed({ system: name, reason }))
