/**
 * `npm run geo`: three regions, and how long a claim takes from each of them: with a leader in one region, and with registers, whose
 * proposers are everywhere, by majorities and all aboard.
 */
import { Console, Effect } from "effect"
import { type Load, Sample } from "../Load.js"
import { aligned } from "../Report.js"
import * as Worker from "../Worker.js"
import * as Members from "./Members.js"
import * as Regions from "./Regions.js"
import type { Settings } from "./Settings.js"

export interface Way extends Pick<Settings, "by" | "leader"> {
  readonly name: string
}

export interface Latency {
  readonly way: string
  readonly region: string
  readonly p50Millis: number
  readonly p99Millis: number
}

const ways: ReadonlyArray<Way> = [
  ...Regions.regions.map((region, i) => ({ name: `leader in ${region}`, by: "leader", leader: i + 1 }) as const),
  { name: "registers, by majorities", by: "registers" },
  { name: "registers, all aboard", by: "all aboard" }
]

export const run = (seconds: number) =>
  Effect.gen(function* () {
    const distances = [
      [1, 2],
      [1, 3],
      [2, 3]
    ] as const
    const shown = distances.map(
      ([a, b]) => `${Regions.regions[a - 1]!}–${Regions.regions[b - 1]!} ${Regions.roundTrip(a, b)} ms`
    )
    yield* Console.log(
      `Three regions, there and back: ${shown.join(", ")}. One caller in each region, one after another.`
    )
    const found: Array<Latency> = []
    for (const way of ways) found.push(...(yield* measure(way, seconds)))
    yield* Console.log(`\nmedian latency in ms (99th percentile)\n${table(found)}`)
    return found
  })

const measure = ({ by, leader, name }: Way, seconds: number) =>
  Effect.gen(function* () {
    const load: Load = { operation: "put", inFlight: 1, warmUp: 1, seconds }
    const places = yield* Regions.make
    const members = yield* Members.start({ by, leader }, places)
    return yield* Effect.forEach(Regions.regions, (region, i) =>
      Effect.scoped(
        Effect.gen(function* () {
          // Registers are proposed by the member of the region; a leader is asked by a client there.
          const caller = by === "leader" ? yield* Members.clients({ by, leader }, places[i]!) : members[i]!
          const sample = yield* Effect.flatMap(caller.ask("measure", load), Worker.decode(Sample))
          yield* Console.log(`  ${name}, from ${region}: p50 ${sample.p50Millis.toFixed(0)} ms`)
          const { p50Millis, p99Millis } = sample
          const latency: Latency = { way: name, region, p50Millis, p99Millis }
          return latency
        })
      )
    )
  }).pipe(Effect.scoped)

export const table = (found: ReadonlyArray<Latency>): string => {
  const names = [...new Set(found.map(({ way }) => way))]
  const row = (name: string) => {
    const mine = Regions.regions.map((region) => found.find((it) => it.way === name && it.region === region))
    const known = mine.flatMap((it) => (it === undefined ? [] : [it.p50Millis]))
    const mean = known.reduce((sum, one) => sum + one, 0) / known.length
    return [
      name,
      ...mine.map((it) => (it === undefined ? "" : `${it.p50Millis.toFixed(0)} (${it.p99Millis.toFixed(0)})`)),
      mean.toFixed(0)
    ]
  }
  return aligned(["", ...Regions.regions.map((region) => `from ${region}`), "mean"], names.map(row), [""])
}
