/**
 * `npm run bench -- --overload`: how much a cluster does when it is asked for three times what it can, and in how much
 * memory.
 */
import { Console, Effect, Fiber, Schema } from "effect"
import * as Directory from "./Directory.js"
import { Sample } from "./Load.js"
import { type Flood, Flooded } from "./synod/Flood.js"
import { launch } from "./synod/Synod.js"
import { SystemFailed } from "./System.js"

/** Callers of the closed loop, of which the best shows the peak. */
const callers = [256, 1024, 4096]

/** Clients in each process of the open loop, enough to have more requests under way than a replica decides at once. */
const clients = 8

/** So many processes ask for the peak each. */
const times = 3

/** How often memory is looked at meanwhile. */
const parts = 4

export const run = (seconds: number) =>
  Effect.gen(function* () {
    const { another, leader, remote } = yield* launch({ directory: yield* Directory.temporary, profiles: undefined })
    yield* remote.ask("measure", { inFlight: 256, warmUp: 0, seconds: 2 })
    let peak = 0
    for (const inFlight of callers) {
      const { commandsPerSecond } = yield* Effect.flatMap(
        remote.ask("measure", { inFlight, warmUp: 0.5, seconds: Math.max(1, seconds / 4) }),
        decode(Sample)
      )
      peak = Math.max(peak, commandsPerSecond)
      yield* Console.log(`  ${inFlight} callers: ${whole(commandsPerSecond)} commands/s`)
    }
    const { worker } = yield* leader
    const asked: Flood = { clients, rate: peak, seconds }
    const sources = [remote, ...(yield* Effect.replicateEffect(another, times - 1))]
    const flooding = yield* Effect.fork(
      Effect.forEach(sources, (source) => Effect.flatMap(source.ask("flood", asked), decode(Flooded)), {
        concurrency: "unbounded"
      })
    )
    const megabytes: Array<number> = []
    for (let part = 1; part <= parts; part++) {
      yield* Effect.sleep(`${seconds / (parts + 1)} seconds`)
      megabytes.push((yield* Effect.flatMap(worker.ask("memory"), decode(Schema.Number))) / 2 ** 20)
    }
    const flooded = yield* Fiber.join(flooding)
    const sum = (of: (one: Flooded) => number) => flooded.reduce((total, one) => total + of(one), 0)
    const [offered, acknowledged] = [sum((one) => one.offered), sum((one) => one.acknowledged)]
    const tags = [...new Set(flooded.flatMap(({ otherwise }) => Object.keys(otherwise)))]
    const others = tags.map((tag) => `${whole(sum(({ otherwise }) => otherwise[tag] ?? 0))} ${tag}`)
    yield* Console.log(
      `  offered ${whole(offered)}/s, acknowledged ${whole(acknowledged)}/s, ` +
        `p99 ${Math.max(...flooded.map(({ p99Millis }) => p99Millis))} ms; otherwise ${others.join(", ") || "nothing"}`
    )
    yield* Console.log(
      `\n${(100 * (acknowledged / peak)).toFixed(0)} % of the peak of ${whole(peak)} commands/s when ` +
        `${(offered / peak).toFixed(1)} times as much is asked for; the leader's memory: ` +
        `${megabytes.map(whole).join(", ")} MiB`
    )
  }).pipe(Effect.scoped)

const whole = (number: number): string => Math.round(number).toLocaleString("en")

const decode =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (answer: unknown) =>
    Effect.mapError(
      Schema.decodeUnknown(schema)(answer),
      ({ message }) => new SystemFailed({ system: "synod", reason: message })
    )
