/**
 * From samples to what is read: medians over the runs, and each system's share of the limit.
 */
import { Array, Order } from "effect"
import type { Measured, Taken } from "./Benchmark.js"
import type { Point } from "./System.js"

export interface Row extends Point {
  readonly system: string
  /** Medians over the runs. */
  readonly commandsPerSecond: number
  readonly p50Millis: number
  readonly p99Millis: number
  /** Microseconds of CPU for a command, of the members and of a remote client; nobody knows outside Linux. */
  readonly membersCpu: number | undefined
  readonly clientCpu: number | undefined
  /** Commands a second, as a share of those of the system that all are held against, in the same runs. */
  readonly share: number
}

/** Rows in the order in which the points were first measured. */
export const rows = (measured: ReadonlyArray<Measured>, against: string): ReadonlyArray<Row> => {
  const groups = Object.values(
    Array.groupBy(measured, ({ client, inFlight, operation, system }) =>
      JSON.stringify([client, operation, inFlight, system])
    )
  )
  const medians = groups.map(([first, ...rest]) => {
    const all = [first, ...rest]
    return {
      client: first.client,
      operation: first.operation,
      inFlight: first.inFlight,
      system: first.system,
      commandsPerSecond: median(all.map((sample) => sample.commandsPerSecond)),
      p50Millis: median(all.map((sample) => sample.p50Millis)),
      p99Millis: median(all.map((sample) => sample.p99Millis)),
      membersCpu: medianOfKnown(all.map((sample) => sample.membersCpu)),
      clientCpu: medianOfKnown(all.map((sample) => sample.clientCpu))
    }
  })
  return medians.map((row) => {
    const bound = medians.find(
      ({ client, inFlight, operation, system }) =>
        system === against && client === row.client && operation === row.operation && inFlight === row.inFlight
    )
    return { ...row, share: bound === undefined ? Number.NaN : row.commandsPerSecond / bound.commandsPerSecond }
  })
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = Array.sort(values, Order.number)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Of what is known; nothing if nothing is. */
const medianOfKnown = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

export const table = (rows: ReadonlyArray<Row>, share: string): string =>
  aligned(
    ["client", "operation", "in flight", "system", "commands/s", "p50 ms", "p99 ms", "CPU µs", share],
    rows.map((row) => [
      row.client,
      row.operation,
      String(row.inFlight),
      row.system,
      Math.round(row.commandsPerSecond).toLocaleString("en"),
      row.p50Millis.toFixed(2),
      row.p99Millis.toFixed(2),
      cpu(row),
      Number.isNaN(row.share) ? "" : `${(100 * row.share).toFixed(0)} %`
    ]),
    ["client", "operation", "system"]
  )

/** Of the members and of the client, for a command. */
const cpu = ({ client, clientCpu, membersCpu }: Row): string => {
  const all = client === "remote" ? [membersCpu, clientCpu] : [membersCpu]
  return all.map((micros) => (micros === undefined ? "?" : micros.toFixed(0))).join(" + ")
}

/** One system beside each other one, where both were measured. */
export interface Ratio extends Point {
  readonly system: string
  readonly beside: string
  /** How many times as many commands a second, and as long for one. */
  readonly commandsPerSecond: number
  readonly p50Millis: number
  readonly p99Millis: number
}

export const ratios = (rows: ReadonlyArray<Row>, system: string): ReadonlyArray<Ratio> =>
  rows.flatMap((row) => {
    if (row.system !== system) return []
    const { client, inFlight, operation } = row
    const others = rows.filter(
      (other) =>
        other.system !== system &&
        other.client === client &&
        other.operation === operation &&
        other.inFlight === inFlight
    )
    return others.map((other) => ({
      ...{ client, operation, inFlight, system, beside: other.system },
      commandsPerSecond: row.commandsPerSecond / other.commandsPerSecond,
      p50Millis: row.p50Millis / other.p50Millis,
      p99Millis: row.p99Millis / other.p99Millis
    }))
  })

export const ratioTable = (ratios: ReadonlyArray<Ratio>): string =>
  aligned(
    ["client", "operation", "in flight", "beside", "commands/s", "p50", "p99"],
    ratios.map((ratio) => [
      ratio.client,
      ratio.operation,
      String(ratio.inFlight),
      ratio.beside,
      ...[ratio.commandsPerSecond, ratio.p50Millis, ratio.p99Millis].map((times) => `${times.toFixed(2)} ×`)
    ]),
    ["client", "operation", "beside"]
  )

/** What the systems took: memory, and flushes for a command of one caller. */
export const takenTable = (taken: ReadonlyArray<Taken>): string =>
  aligned(
    ["system", "members' memory, MiB", "flushes a command"],
    Object.values(Array.groupBy(taken, ({ system }) => system)).map((all) => {
      const memory = medianOfKnown(all.map((one) => one.memory))
      const flushes = medianOfKnown(all.map((one) => one.flushes))
      return [
        all[0].system,
        memory === undefined ? "?" : memory.toFixed(0),
        flushes === undefined ? "not counted" : flushes === 0 ? "0: NOT DURABLE" : flushes.toFixed(1)
      ]
    }),
    ["system"]
  )

/** Words to the left, numbers to the right. */
export const aligned = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  words: ReadonlyArray<string>
): string => {
  const cells = [header, ...rows]
  const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)))
  const line = (row: ReadonlyArray<string>) =>
    row.map((cell, i) => (words.includes(header[i]!) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ")
  const [first, ...rest] = cells.map(line)
  return [first, widths.map((width) => "─".repeat(width)).join("  "), ...rest].join("\n")
}
