/**
 * What is kept of a run: every sample, the tables, and the plots.
 */
import { Console, Data, DateTime, Effect } from "effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Results as Measurements } from "./Benchmark.js"
import * as Machine from "./Machine.js"
import * as Plot from "./Plot.js"
import * as Plots from "./Plots.js"
import type { Ratio, Row } from "./Report.js"
import type { Found } from "./Studies.js"
import type { Target } from "./Targets.js"

export interface Results extends Measurements, Found {
  readonly rows: ReadonlyArray<Row>
  readonly ratios: ReadonlyArray<Ratio>
  readonly targets: ReadonlyArray<Target>
}

export const none: Results = {
  ...{ rows: [], ratios: [], targets: [], measured: [], taken: [] },
  ...{ failovers: [], coldRestarts: [], catchUp: undefined }
}

/** Writes `results.json` and the plots into the directory. */
export const save = (directory: string, results: Results) =>
  Effect.gen(function* () {
    yield* json(directory, "results.json", results)
    yield* plot(directory, "throughput-latency.svg", Plots.curves(results.rows))
    yield* plot(directory, "failover.svg", Plots.timeline(results.failovers))
  })

/** Writes what a study has found, and its plot. */
export const keep = (
  directory: string,
  study: string,
  found: ReadonlyArray<unknown>,
  charts: ReadonlyArray<Plot.Chart>
) => Effect.zipRight(json(directory, `${study}.json`, { found }), plot(directory, `${study}.svg`, charts))

/** With when, where and how it was measured. */
const json = (directory: string, name: string, content: object) =>
  Effect.gen(function* () {
    const date = DateTime.formatIso(yield* DateTime.now)
    const saved = { date, machine: Machine.described, command: process.argv.slice(2), ...content }
    yield* write(directory, name, `${JSON.stringify(saved, undefined, 2)}\n`)
  })

/** Nothing is written if there is nothing to see. */
const plot = (directory: string, name: string, charts: ReadonlyArray<Plot.Chart>) =>
  charts.length === 0 ? Effect.void : write(directory, name, Plot.svg(charts))

const write = (directory: string, name: string, text: string) =>
  Effect.gen(function* () {
    const file = Path.join(directory, name)
    yield* Effect.try({
      try: () => {
        Fs.mkdirSync(directory, { recursive: true })
        Fs.writeFileSync(file, text)
      },
      catch: (error) => new Unwritable({ file, reason: error instanceof Error ? error.message : String(error) })
    })
    yield* Console.log(`${file} is written`)
  })

/** The results can't be saved; the tables were printed. */
class Unwritable extends Data.TaggedError("Unwritable")<{ readonly file: string; readonly reason: string }> {
  override get message(): string {
    return `${this.file} can't be written: ${this.reason}`
  }
}
