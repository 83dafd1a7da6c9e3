/**
 * `npm run bench -- --catch-up`: what a replica that returns costs the others, while it catches up by entries and by a snapshot:
 * the throughput meanwhile against that before, with all three there, and the memory of both sides.
 */
import { Clock, Console, Effect, Schema } from "effect"
import { median } from "./Report.js"
import type { Cluster } from "./synod/Synod.js"
import { decode } from "./Worker.js"

/** Callers of the closed loop, and seconds after which it would end by itself. */
const load = { operation: "put", inFlight: 256, warmUp: 0, seconds: 600 }

/** Keys under which they put, so that a snapshot has more than 25 MB. */
export const keys = 200_000

interface Times {
  /** Seconds of throughput that are looked at before a replica goes, and at least when it has returned. */
  readonly window: number
  /** Seconds for which it is away when it is to return by entries. */
  readonly briefly: number
}

/** How often the replicas are looked at meanwhile, in milliseconds. */
const every = 50

/** With `quick`, by entries only: it takes a while until a log is trimmed. The load goes on until the cluster is gone. */
export const run = (cluster: Cluster, { quick, times }: { readonly quick: boolean; readonly times: number }) =>
  Effect.gen(function* () {
    const lasting: Times = quick ? { window: 1, briefly: 1 } : { window: 4, briefly: 3 }
    yield* Effect.forkScoped(cluster.remote.ask("measure", load))
    yield* Console.log("  getting warm")
    const ways: ReadonlyArray<Way> = quick ? ["entries"] : ["entries", "snapshot"]
    // Every key is put once, so that the state doesn't grow any more.
    yield* Effect.repeat(cluster.acknowledged, {
      until: (made) => Effect.as(Effect.sleep("500 millis"), quick || made >= keys)
    })
    const ratios: Record<Way, Array<number>> = { entries: [], snapshot: [] }
    for (let n = 1; n <= times; n++) {
      for (const way of ways) ratios[way].push(yield* once(cluster, way, lasting, `${n}/${times}`))
    }
    const said = ways.map((way) => `${share(median(ratios[way]))} by ${way === "entries" ? "entries" : "a snapshot"}`)
    yield* Console.log(
      `\nthroughput while a replica catches up, of that before: ${said.join(", ")}; to be 90 % or more`
    )
    return median(ratios.entries)
  }).pipe(Effect.scoped)

type Way = "entries" | "snapshot"

const once = (cluster: Cluster, way: Way, { briefly, window }: Times, place: string) =>
  Effect.gen(function* () {
    const { node } = yield* cluster.follower
    const { worker } = yield* cluster.leader
    const before = yield* rate(cluster, Effect.sleep(`${window} seconds`))
    const memory = yield* megabytes(worker)
    const { appliedThrough } = yield* cluster.status(node)
    yield* cluster.kill(node)
    if (way === "entries") yield* Effect.sleep(`${briefly} seconds`)
    else {
      yield* Effect.repeat(cluster.statusOf(worker), {
        until: ({ trimmedThrough }) => Effect.as(Effect.sleep("500 millis"), trimmedThrough > appliedThrough)
      })
    }
    yield* cluster.start(node)
    // From here on it runs, and what costs is to catch up.
    yield* cluster.status(node)
    const begun = yield* Clock.currentTimeMillis
    let caughtUp = 0
    let most = { leader: 0, returned: 0 }
    const look = Effect.gen(function* () {
      const { chosenThrough } = yield* cluster.statusOf(worker)
      const status = yield* cluster.status(node)
      const now = (yield* Clock.currentTimeMillis) - begun
      if (caughtUp === 0 && status.appliedThrough + near >= chosenThrough) caughtUp = now
      most = {
        leader: Math.max(most.leader, yield* megabytes(worker)),
        returned: Math.max(most.returned, yield* megabytes(cluster.replicas.get(node)!))
      }
      yield* Effect.sleep(every)
      return caughtUp > 0 && now >= window * 1000
    })
    const meanwhile = yield* rate(cluster, Effect.repeat(look, { until: (over) => over }))
    const status = yield* cluster.status(node)
    yield* Console.log(
      `  ${place}  by ${way}: node ${node} was ${whole(status.appliedThrough - appliedThrough)} slots behind and has caught ` +
        `up after ${(caughtUp / 1000).toFixed(1)} s; ${whole(meanwhile)} commands/s, ${share(meanwhile / before)} of ` +
        `${whole(before)} before; memory of the leader ${whole(memory)}, then at most ${whole(most.leader)} MiB, of node ` +
        `${node} at most ${whole(most.returned)} MiB`
    )
    return meanwhile / before
  })

/** Slots that are under way at any time. */
const near = 16

/** Commands a second while something lasts. */
const rate = <A, E, R>(cluster: Cluster, during: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const first = yield* cluster.acknowledged
    const begun = yield* Clock.currentTimeMillis
    yield* during
    const last = yield* cluster.acknowledged
    return (last - first) / (((yield* Clock.currentTimeMillis) - begun) / 1000)
  })

const megabytes = (worker: Cluster["remote"]) =>
  Effect.map(Effect.flatMap(worker.ask("memory"), decode(Schema.Number)), (bytes) => bytes / 2 ** 20)

const share = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`

const whole = (number: number): string => Math.round(number).toLocaleString("en")
