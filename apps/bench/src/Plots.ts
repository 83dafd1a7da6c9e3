/**
 * The plots of a run: latency over throughput, and what callers saw when a leader was killed.
 */
import type { Failover } from "./Failover.js"
import type { Chart } from "./Plot.js"
import type { Row } from "./Report.js"
import type { Client } from "./System.js"

/** A chart for each client and operation: a line a system, a point for each number in flight. */
export const curves = (rows: ReadonlyArray<Row>): ReadonlyArray<Chart> => {
  const all = [...new Set(rows.map(({ system }) => system))]
  return kinds.flatMap(({ client, operation, title }): ReadonlyArray<Chart> => {
    const mine = rows.filter((row) => row.client === client && row.operation === operation)
    const systems = [...new Set(mine.map(({ system }) => system))]
    if (mine.length === 0) return []
    return [
      {
        title,
        x: { title: "commands a second", scale: "logarithmic" },
        y: { title: "median latency, ms", scale: "logarithmic" },
        lines: systems.map((name) => ({
          name,
          colour: all.indexOf(name),
          points: mine
            .filter(({ system }) => system === name)
            .map(({ commandsPerSecond, p50Millis }) => [commandsPerSecond, p50Millis] as const)
        }))
      }
    ]
  })
}

const kinds: ReadonlyArray<{ readonly client: Client; readonly operation: Row["operation"]; readonly title: string }> =
  [
    { client: "embedded", operation: "put", title: "writes, callers in the leader's process" },
    { client: "remote", operation: "put", title: "writes, callers in a process of their own" },
    { client: "embedded", operation: "get", title: "linearizable reads, callers in the leader's process" },
    { client: "remote", operation: "get", title: "linearizable reads, callers in a process of their own" }
  ]

/** Milliseconds of a step of the timeline. */
const step = 50

/** Answers a second around the kill of the leader. */
export const timeline = (failovers: ReadonlyArray<Failover>): ReadonlyArray<Chart> =>
  failovers.length === 0
    ? []
    : [
        {
          title: "16 callers, and the leader is killed at 0",
          x: { title: "milliseconds after the kill", scale: "linear" },
          y: { title: "answers a second", scale: "linear" },
          lines: failovers.map(({ system, timeline }) => ({ name: system, points: rates(timeline, step) }))
        }
      ]

/** Answers a second in each step from the first to the last, at the middle of the step; the last one isn't whole. */
export const rates = (times: ReadonlyArray<number>, step: number): ReadonlyArray<readonly [number, number]> => {
  if (times.length === 0) return []
  const steps = times.map((time) => Math.floor(time / step))
  const first = Math.min(...steps)
  const counts = new Array<number>(Math.max(...steps) - first).fill(0)
  for (const at of steps) if (at - first < counts.length) counts[at - first]!++
  return counts.map((count, i) => [(first + i + 0.5) * step, (count * 1000) / step] as const)
}
