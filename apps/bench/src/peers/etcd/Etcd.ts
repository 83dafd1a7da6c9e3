/**
 * etcd 3 as it is installed, on default settings: every batch is in its log and flushed before it is acknowledged, and a range is
 * linearizable.
 */
import { Effect, Schedule, Schema } from "effect"
import * as Path from "node:path"
import { Sample } from "../../Load.js"
import { freePorts, host } from "../../Ports.js"
import { type System, SystemFailed } from "../../System.js"
import * as Worker from "../../Worker.js"
import * as Server from "../Server.js"
import { installed } from "../Installed.js"

const name = "etcd"
const program = "etcd"

export const Etcd: System = {
  name,
  lacks: () => installed(name, program, "etcd-server"),
  offers: (client) => client === "remote",
  start: ({ directory, profiles }) =>
    Effect.gen(function* () {
      const ports = yield* freePorts(6)
      const url = (i: number) => `http://${host}:${ports[i]!}`
      const members = [0, 1, 2]
      const cluster = members.map((i) => `${name}-${i}=${url(3 + i)}`).join(",")
      const servers = yield* Effect.forEach(members, (i) => {
        const data = Path.join(directory, `${name}-${i}`)
        const settings: Record<string, string> = {
          name: `${name}-${i}`,
          "data-dir": Path.join(data, "data"),
          "listen-client-urls": url(i),
          "advertise-client-urls": url(i),
          "listen-peer-urls": url(3 + i),
          "initial-advertise-peer-urls": url(3 + i),
          "initial-cluster": cluster,
          "initial-cluster-state": "new",
          logger: "zap",
          "log-level": "error"
        }
        const args = Object.entries(settings).map(([option, value]) => `--${option}=${value}`)
        return Server.start(name, { command: program, args, directory: data })
      })
      const leader = yield* leaderOf(members.map(url))
      const remote = yield* Worker.start({ system: name, program: "peers/etcd/client", settings: { leader }, profiles })
      return {
        measure: (_client, load) => Effect.flatMap(remote.ask("measure", load), Worker.decode(Sample)),
        processes: servers.map(({ pid }) => pid)
      }
    })
}

const Status = Schema.Struct({
  header: Schema.Struct({ member_id: Schema.String }),
  leader: Schema.optional(Schema.String)
})

/** Where the member listens that leads, as it says of itself; one does soon after the start. */
const leaderOf = (urls: ReadonlyArray<string>): Effect.Effect<string, SystemFailed> => {
  const leads = (url: string) =>
    Effect.tryPromise(async () => {
      const answer = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" })
      return Schema.decodeUnknownSync(Status)(await answer.json())
    }).pipe(
      Effect.map(({ header, leader }) => leader === header.member_id),
      Effect.orElseSucceed(() => false)
    )
  return Effect.findFirst(urls, leads).pipe(
    Effect.flatten,
    Effect.retry(Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(200))),
    Effect.mapError(() => new SystemFailed({ system: name, reason: "no member leads after 20 seconds" }))
  )
}
