/**
 * `npm run bench -- --followers`: what it costs the replicas that somebody follows all that is applied.
 */
import { Console, Effect, Schema } from "effect"
import { Sample } from "./Load.js"
import { median } from "./Report.js"
import type { Cluster } from "./synod/Synod.js"
import { decode } from "./Worker.js"

/** Streams at once: nobody, one, and as many as share one ring without being noticed. */
const counts = [0, 1, 16] as const

/** Callers of the closed loop whose throughput is measured. */
const inFlight = 256

/** Rounds through all counts, so that what else the machine does meets each of them alike. */
const rounds = 3

export const run = (cluster: Cluster, seconds: number) =>
  Effect.gen(function* () {
    const measure = Effect.flatMap(
      cluster.remote.ask("measure", { operation: "put", inFlight, warmUp: 0.5, seconds }),
      decode(Sample)
    )
    const all = new Map<number, Array<number>>(counts.map((count) => [count, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const count of counts) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { node } = yield* cluster.leader
            const follower = yield* cluster.another
            if (count > 0) yield* follower.ask("follow", { count, node })
            const { commandsPerSecond } = yield* measure
            all.get(count)!.push(commandsPerSecond)
            const shown = count === 0 ? 0 : yield* Effect.flatMap(follower.ask("shown"), decode(Schema.Number))
            const each = count === 0 ? "" : `, ${whole(shown / count)} shown to each of them`
            yield* Console.log(`  ${count} followers: ${whole(commandsPerSecond)} commands/s${each}`)
          })
        )
      }
    }
    const alone = median(all.get(0)!)
    const ratios = counts
      .slice(1)
      .map((count) => `${((100 * median(all.get(count)!)) / alone).toFixed(0)} % with ${count} followers of the leader`)
    yield* Console.log(`\n${whole(alone)} commands/s alone; ${ratios.join(", ")}`)
  }).pipe(Effect.scoped)

const whole = (number: number): string => Math.round(number).toLocaleString("en")
