/**
 * From samples to what is read: medians over the runs, and each system's share of the limit.
 */
import { Array, Order } from "effect"
import type { Measured } from "./Benchmark.js"
import type { Client } from "./System.js"

export interface Row {
  readonly client: Client
  readonly inFlight: number
  readonly system: string
  /** Medians over the runs. */
  readonly commandsPerSecond: number
  readonly p50Millis: number
  readonly p99Millis: number
  /** Commands a second, as a share of the limit's in the same runs. */
  readonly ofLimit: number
}

/** Rows in the order in which the points were first measured. */
export const rows = (measured: ReadonlyArray<Measured>, limit: string): ReadonlyArray<Row> => {
  const groups = Object.values(
    Array.groupBy(measured, ({ client, inFlight, system }) => JSON.stringify([client, inFlight, system]))
  )
  const medians = groups.map(([first, ...rest]) => {
    const all = [first, ...rest]
    return {
      client: first.client,
      inFlight: first.inFlight,
      system: first.system,
      commandsPerSecond: median(all.map((sample) => sample.commandsPerSecond)),
      p50Millis: median(all.map((sample) => sample.p50Millis)),
      p99Millis: median(all.map((sample) => sample.p99Millis))
    }
  })
  return medians.map((row) => {
    const bound = medians.find(
      ({ client, inFlight, system }) => system === limit && client === row.client && inFlight === row.inFlight
    )
    return { ...row, ofLimit: bound === undefined ? Number.NaN : row.commandsPerSecond / bound.commandsPerSecond }
  })
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = Array.sort(values, Order.number)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const header = ["client", "in flight", "system", "commands/s", "p50 ms", "p99 ms", "of the limit"]

export const table = (rows: ReadonlyArray<Row>): string => {
  const cells = [
    header,
    ...rows.map((row) => [
      row.client,
      String(row.inFlight),
      row.system,
      Math.round(row.commandsPerSecond).toLocaleString("en"),
      row.p50Millis.toFixed(2),
      row.p99Millis.toFixed(2),
      `${(100 * row.ofLimit).toFixed(0)} %`
    ])
  ]
  const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  const isText = (i: number) => i === 0 || i === 2
  const line = (row: ReadonlyArray<string>) =>
    row.map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ")
  const [first, ...rest] = cells.map(line)
  return [first, widths.map((width) => "─".repeat(width)).join("  "), ...rest].join("\n")
}
