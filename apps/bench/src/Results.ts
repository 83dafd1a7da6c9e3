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
    const date = DateTime.formatIso(yield* DateTime.now)
    const saved = { date, machine: Machine.described, command: process.argv.slice(2), ...results }
    yield* write(directory, "results.json", `${JSON.stringify(saved, undefined, 2)}\n`)
    yield* plot(directory, "throughput-latency.svg", Plots.curves(results.rows))
    yield* plot(directory, "failover.svg", Plots.timeline(results.failovers))
  })

/** Nothing is written if there is nothing to see. */
export const plot = (directory: string, name: string, charts: ReadonlyArray<Plot.Chart>) =>
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
