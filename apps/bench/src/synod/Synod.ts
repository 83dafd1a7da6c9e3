/**
 * Synod as users run it: three replicas joined by `Socket`, each with its SQLite journal, default settings; a typed
 * machine, sessions on.
 */
import { ClientRpcs } from "@synod/client"
import { Effect, Schedule, Schema, Scope } from "effect"
import * as Path from "node:path"
import { Timeline } from "../Insist.js"
import { Sample } from "../Load.js"
import { freePorts, host } from "../Ports.js"
import { type Members, type Place, type System, SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"
import type { Settings } from "./Settings.js"

const name = "synod"

export const Synod: System = {
  name,
  lacks: () => undefined,
  offers: () => true,
  start: (place) =>
    Effect.map(launch(place), (cluster) => ({
      processes: Array.from(cluster.replicas.values(), ({ pid }) => pid),
      clients: [cluster.remote.pid],
      measure: (client, load) =>
        Effect.gen(function* () {
          const worker = client === "remote" ? cluster.remote : (yield* cluster.leader).worker
          return yield* Effect.flatMap(worker.ask("measure", load), Worker.decode(Sample))
        }),
      members: membersOf(cluster)
    }))
}

/** Its replicas by their places: node 1 has place 0. */
export const membersOf = ({ kill, leader, remote, start }: Cluster): Members => ({
  leader: Effect.map(leader, ({ node }) => node - 1),
  kill: (member) => kill(member + 1),
  start: (member) => start(member + 1),
  insist: (asked) => Effect.flatMap(remote.ask("insist", asked), Worker.decode(Timeline)),
  enough: (id) => Effect.asVoid(remote.ask("enough", id))
})

export interface Cluster {
  /** A process that is a client and nothing else. */
  readonly remote: Worker.Worker
  /** Starts another one. */
  readonly another: Effect.Effect<Worker.Worker, never, Scope.Scope>
  /** The replica that leads; one does soon after the start. */
  readonly leader: Effect.Effect<{ readonly node: number; readonly worker: Worker.Worker }, SystemFailed>
  /** One that doesn't. */
  readonly follower: Effect.Effect<{ readonly node: number; readonly worker: Worker.Worker }, SystemFailed>
  /** Those that run. */
  readonly replicas: ReadonlyMap<number, Worker.Worker>
  readonly status: (node: number) => Effect.Effect<ClientRpcs.Status, SystemFailed>
  readonly statusOf: (worker: Worker.Worker) => Effect.Effect<ClientRpcs.Status, SystemFailed>
  /** Commands that {@link remote} was acknowledged. */
  readonly acknowledged: Effect.Effect<number, SystemFailed>
  /** Kills a replica's process as the system would. */
  readonly kill: (node: number) => Effect.Effect<void>
  /** Starts it again, for as long as the others. */
  readonly start: (node: number) => Effect.Effect<void>
}

/** Starts three replicas, or as many as are asked for, and a client, each a process. */
export const launch = (
  { directory, profiles }: Place,
  options: Pick<Settings, "keys" | "valueBytes"> & { readonly tells?: boolean; readonly replicas?: number } = {}
): Effect.Effect<Cluster, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const ports = yield* freePorts(options.replicas ?? 3)
    const members = Object.fromEntries(ports.map((port, i) => [i + 1, { host, port }]))
    const start = (replica?: Settings["replica"]) =>
      Worker.start({
        system: name,
        program: "synod/member",
        settings: { members, replica, keys: options.keys, valueBytes: options.valueBytes } satisfies Settings,
        profiles
      })
    const replicas = new Map<number, Worker.Worker>()
    const startReplica = (node: number) =>
      Effect.map(
        start({ node, file: Path.join(directory, `replica-${node}.sqlite`), tells: options.tells }),
        (worker) => {
          replicas.set(node, worker)
        }
      )
    yield* Effect.forEach(
      ports.map((_, i) => i + 1),
      startReplica
    )
    const remote = yield* start()
    yield* leaderOf(replicas)
    const statusOf = (worker: Worker.Worker) => Effect.flatMap(worker.ask("status"), Worker.decode(ClientRpcs.Status))
    return {
      remote,
      another: start(),
      leader: leaderOf(replicas),
      follower: Effect.flatMap(leaderOf(replicas), (leader) => {
        const [other] = [...replicas].filter(([node]) => node !== leader.node)
        return other === undefined ? failed("no follower runs") : Effect.succeed({ node: other[0], worker: other[1] })
      }),
      replicas,
      status: (node) => Effect.suspend(() => statusOf(replicas.get(node)!)),
      statusOf,
      acknowledged: Effect.flatMap(remote.ask("acknowledged"), Worker.decode(Schema.Number)),
      kill: (node) =>
        Effect.suspend(() => {
          const worker = replicas.get(node)
          replicas.delete(node)
          return worker?.kill ?? Effect.void
        }),
      start: (node) => Scope.extend(startReplica(node), scope)
    }
  })

const leaderOf = (replicas: ReadonlyMap<number, Worker.Worker>): Cluster["leader"] =>
  Effect.suspend(() =>
    Effect.findFirst(replicas, ([, worker]) => Effect.map(worker.ask("leads"), (leads) => leads === true))
  ).pipe(
    Effect.flatten,
    Effect.map(([node, worker]) => ({ node, worker })),
    Effect.retry({
      while: (error) => error._tag === "NoSuchElementException",
      schedule: Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(200))
    }),
    Effect.catchTag("NoSuchElementException", () => failed("no replica leads after 10 seconds"))
  )

const failed = (reason: string) => Effect.fail(new SystemFailed({ system: name, reason }))
