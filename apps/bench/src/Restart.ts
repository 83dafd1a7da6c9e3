/**
 * `npm run bench -- --restart`: a replica that has applied a million commands is killed; how long until it has applied all of
 * them again, from its snapshot and the log behind that, beside a replica that has nothing to apply.
 */
import { Clock, Console, Effect } from "effect"
import { median } from "./Report.js"
import type { Cluster } from "./synod/Synod.js"

/** Those who make them, a second at a time. */
const load = { operation: "put", inFlight: 2048, warmUp: 0, seconds: 1 }

/** How long a restart may take, in seconds. */
const bound = 5

/** `commands` before the restarts. */
export const run = (cluster: Cluster, { commands, times }: { readonly commands: number; readonly times: number }) =>
  Effect.gen(function* () {
    yield* cluster.remote.ask("measure", { ...load, inFlight: 1, seconds: 0.1 })
    const { node } = yield* cluster.follower
    const empty = yield* restart(cluster, node)
    yield* Console.log(`  node ${node}, which has nothing to apply, is back after ${seconds(empty)}`)
    for (let made = 0; made < commands; made = yield* cluster.acknowledged) {
      yield* Console.log(`  ${made.toLocaleString("en")} of ${commands.toLocaleString("en")} commands`)
      yield* cluster.remote.ask("measure", load)
    }
    const taken: Array<number> = []
    for (let n = 1; n <= times; n++) {
      const milliseconds = yield* restart(cluster, node)
      const { appliedThrough, snapshotThrough } = yield* cluster.status(node)
      taken.push(milliseconds)
      yield* Console.log(
        `  ${n}/${times}  node ${node} is up to slot ${appliedThrough} after ${seconds(milliseconds)}; ` +
          `its last snapshot is that of slot ${snapshotThrough}`
      )
    }
    yield* Console.log(
      `\nmedian ${seconds(median(taken))}, longest ${seconds(Math.max(...taken))} after ` +
        `${(yield* cluster.acknowledged).toLocaleString("en")} commands, ` +
        `of which ${seconds(empty)} is what a replica takes that has applied none; to be below ${bound} s`
    )
  })

/** Milliseconds from the start of its process until it has applied all that is chosen. */
const restart = (cluster: Cluster, node: number) =>
  Effect.gen(function* () {
    const { worker } = yield* cluster.leader
    const { chosenThrough } = yield* cluster.statusOf(worker)
    yield* cluster.kill(node)
    const begun = yield* Clock.currentTimeMillis
    yield* cluster.start(node)
    yield* Effect.repeat(cluster.status(node), {
      until: ({ appliedThrough }) => Effect.as(Effect.sleep("5 millis"), appliedThrough >= chosenThrough)
    })
    return (yield* Clock.currentTimeMillis) - begun
  })

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`
