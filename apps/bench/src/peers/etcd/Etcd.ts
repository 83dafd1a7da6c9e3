/**
 * etcd 3 as it is installed, on default settings: every batch is in its log and flushed before it is acknowledged, and a range is
 * linearizable.
 */
import { Effect, Schedule, Schema, type Scope } from "effect"
import * as Path from "node:path"
import { Sample } from "../../Load.js"
import { freePorts, host } from "../../Ports.js"
import { type Place, places, type System, SystemFailed } from "../../System.js"
import { value } from "../../synod/KeyValue.js"
import * as Worker from "../../Worker.js"
import * as Go from "../Go.js"
import * as Servers from "../Servers.js"
import { installed } from "../Installed.js"

const program = "etcd"

interface Variant {
  readonly lacks: System["lacks"]
  /** The process that asks, which is given where the leader and all members listen. */
  readonly client: (asked: Asked) => Effect.Effect<Worker.Worker, SystemFailed, Scope.Scope>
  /** Whether that process tries again at other members. */
  readonly insists: boolean
}

interface Asked extends Place {
  readonly leader: string
  readonly urls: ReadonlyArray<string>
}

const make = (name: string, { client, insists, lacks }: Variant): System => ({
  name,
  lacks,
  offers: (client) => client === "remote",
  start: (place) =>
    Effect.gen(function* () {
      const ports = yield* freePorts(6)
      const url = (i: number) => `http://${host}:${ports[i]!}`
      const cluster = places.map((i) => `${program}-${i}=${url(3 + i)}`).join(",")
      const servers = yield* Servers.start(name, (i) => {
        const data = Path.join(place.directory, `${program}-${i}`)
        const settings: Record<string, string> = {
          name: `${program}-${i}`,
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
        return { command: program, args, directory: data }
      })
      const urls = places.map(url)
      const leader = urls[yield* leaderOf(urls)]!
      const remote = yield* client({ ...place, leader, urls })
      return {
        measure: (_client, load) => Effect.flatMap(remote.ask("measure", load), Worker.decode(Sample)),
        processes: servers.processes,
        clients: [remote.pid],
        members: insists ? Servers.members(servers, leaderOf(urls), remote) : undefined
      }
    })
})

/** With its own client in Go. */
export const Etcd = make("etcd (Go)", {
  lacks: () => installed("etcd (Go)", program, "etcd-server") ?? Go.lacks("etcd (Go)", "etcd"),
  insists: false,
  client: ({ leader }) =>
    Effect.flatMap(Go.build("etcd"), (file) =>
      Worker.startForeign({ system: "etcd (Go)", file, settings: { leader, value: value.length } })
    )
})

/** With a client in Node, as a program in JavaScript would have one. */
export const EtcdNode = make("etcd (Node)", {
  lacks: () => installed("etcd (Node)", program, "etcd-server"),
  insists: true,
  client: ({ leader, profiles, urls }) =>
    Worker.start({
      ...{ system: "etcd (Node)", program: "peers/etcd/client", profiles },
      settings: { leader, members: urls }
    })
})

const Status = Schema.Struct({
  header: Schema.Struct({ member_id: Schema.String }),
  leader: Schema.optional(Schema.String)
})

/** The member that leads, as it says of itself; one does soon after the start. */
const leaderOf = (urls: ReadonlyArray<string>): Effect.Effect<number, SystemFailed> => {
  const leads = (url: string) =>
    Effect.tryPromise(async () => {
      const answer = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" })
      return Schema.decodeUnknownSync(Status)(await answer.json())
    }).pipe(
      Effect.map(({ header, leader }) => leader === header.member_id),
      Effect.orElseSucceed(() => false)
    )
  return Effect.findFirst(places, (i) => leads(urls[i]!)).pipe(
    Effect.flatten,
    Effect.retry(Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(200))),
    Effect.mapError(() => new SystemFailed({ system: program, reason: "no member leads after 20 seconds" }))
  )
}
