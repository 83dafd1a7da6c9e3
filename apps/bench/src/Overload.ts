/**
 * `npm run bench -- --overload`: how much a cluster does when it is asked for three times what it can, and in how much
 * memory.
 */
import { Console, Effect, Fiber, Schema } from "effect"
import { type Pressure, Pressed } from "./synod/Pressure.js"
import type { Cluster } from "./synod/Synod.js"
import { decode } from "./Worker.js"

/** Processes that make requests, in each loop. */
const sources = 2

/** Sessions of each, and commands in a request: as many as a client packs in a millisecond or two. */
const shape = { sessions: 16, commands: 32 }

/** Requests under way from each process in a closed loop, of which the best shows the peak. */
const closed = [8, 16, 32]

/** The open loop asks for so many times the peak. */
const times = 3

/** Seconds of each loop, at least: replicas that have just started take a few tenths for the first answer. */
const least = 0.5

/** How often memory is looked at meanwhile. */
const parts = 5

export const run = ({ another, remote, replicas }: Cluster, seconds: number) =>
  Effect.gen(function* () {
    const processes = [remote, ...(yield* Effect.replicateEffect(another, sources - 1))]
    const press = (pressure: Pressure) =>
      Effect.map(
        Effect.forEach(processes, (process) => Effect.flatMap(process.ask("press", pressure), decode(Pressed)), {
          concurrency: "unbounded"
        }),
        total
      )
    const short = Math.max(least, seconds / 3)
    yield* press({ ...shape, seconds: Math.max(least, seconds / 2), loop: { _tag: "Closed", requests: closed[0]! } })
    let peak = 0
    for (const requests of closed) {
      const { acknowledged } = yield* press({ ...shape, seconds: short, loop: { _tag: "Closed", requests } })
      peak = Math.max(peak, acknowledged)
      yield* Console.log(`  ${sources * requests} requests under way: ${whole(acknowledged)} commands/s`)
    }
    const memory = Effect.map(
      Effect.forEach([...replicas.values()], (worker) => Effect.flatMap(worker.ask("memory"), decode(Schema.Number))),
      (bytes) => bytes.map((one) => one / 2 ** 20)
    )
    const pressing = yield* Effect.fork(
      press({ ...shape, seconds, loop: { _tag: "Open", rate: (times * peak) / sources } })
    )
    const samples: Array<ReadonlyArray<number>> = []
    for (let part = 1; part <= parts; part++) {
      yield* Effect.sleep(`${seconds / (parts + 1)} seconds`)
      samples.push(yield* memory)
    }
    const { acknowledged, offered, otherwise, p99Millis } = yield* Fiber.join(pressing)
    const others = Object.entries(otherwise).map(([tag, rate]) => `${whole(rate)} ${tag}`)
    yield* Console.log(
      `  offered ${whole(offered)}/s, acknowledged ${whole(acknowledged)}/s, p99 ${p99Millis} ms; ` +
        `otherwise ${others.join(", ") || "nothing"}`
    )
    yield* Console.log(
      `\n${(100 * (acknowledged / peak)).toFixed(0)} % of the peak of ${whole(peak)} commands/s when ` +
        `${(offered / peak).toFixed(1)} times as much is asked for; the replicas' memory: ` +
        `${samples.map((sample) => sample.map(whole).join("+")).join(", ")} MiB`
    )
  }).pipe(Effect.scoped)

const total = (all: ReadonlyArray<Pressed>): Pressed => {
  const sum = (of: (one: Pressed) => number) => all.reduce((total, one) => total + of(one), 0)
  const tags = [...new Set(all.flatMap(({ otherwise }) => Object.keys(otherwise)))]
  return {
    offered: sum(({ offered }) => offered),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    otherwise: Object.fromEntries(tags.map((tag) => [tag, sum(({ otherwise }) => otherwise[tag] ?? 0)])),
    p99Millis: Math.max(...all.map(({ p99Millis }) => p99Millis))
  }
}

const whole = (number: number): string => Math.round(number).toLocaleString("en")
