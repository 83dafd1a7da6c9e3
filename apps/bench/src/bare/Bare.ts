/**
 * The bare pipeline: what Node, SQLite and loopback allow. A fixed leader and two followers over TCP, one row a batch with
 * `synchronous = FULL`, an acknowledgement by a majority, and nothing else: no elections, no machine, no sessions, no
 * schemas. It can't survive anything; it is the limit that a system which can is held against.
 */
import { Effect, Schema } from "effect"
import * as Path from "node:path"
import { Sample } from "../Load.js"
import { type System, SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"
import type { Settings } from "./Settings.js"

const name = "bare limit"

export const Bare: System = {
  name,
  lacks: () => undefined,
  offers: (_client, operation) => operation === "put",
  start: ({ directory, profiles }) =>
    Effect.gen(function* () {
      const file = (member: string) => Path.join(directory, `${member}.sqlite`)
      const start = (settings: Settings) => Worker.start({ system: name, program: "bare/member", settings, profiles })
      const port = (worker: Worker.Worker) => Effect.flatMap(worker.ask("port"), decode(Schema.Int))
      const members = yield* Effect.forEach(["follower-1", "follower-2"], (member) =>
        start({ role: "follower", file: file(member) })
      )
      const followers = yield* Effect.forEach(members, port)
      const embedded = yield* start({ role: "leader", file: file("leader"), followers })
      const remote = yield* start({ role: "client", leader: yield* port(embedded) })
      const workers = { embedded, remote }
      return {
        processes: [...members, embedded].map(({ pid }) => pid),
        clients: [remote.pid],
        members: undefined,
        measure: (client, load) => Effect.flatMap(workers[client].ask("measure", load), decode(Sample))
      }
    })
}

const decode =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (answer: unknown) =>
    Effect.mapError(
      Schema.decodeUnknown(schema)(answer),
      ({ message }) => new SystemFailed({ system: name, reason: message })
    )
