/**
 * A process that runs seeds. It ends when the channel to its parent does.
 *
 * ```
 *   simulate ── Work ──► worker
 *            ◄── Done ──
 * ```
 */
import { Runs, type Tier } from "@synod/simulator"
import * as Tiers from "./Tiers.js"

export interface Work {
  readonly tier: string
  readonly first: number
  readonly count: number
  readonly options: Omit<Tier.Options, "readable">
}

export interface Done {
  readonly report: Runs.Report
  /** Processor time, in seconds. */
  readonly spent: number
}

process.on("message", ({ count, first, options, tier }: Work) => {
  const before = process.cpuUsage()
  const report = Runs.run(Tiers.byName(tier), { first, count }, options)
  const { system, user } = process.cpuUsage(before)
  const done: Done = { report, spent: (system + user) / 1e6 }
  process.send!(done)
})
process.on("disconnect", () => process.exit())
