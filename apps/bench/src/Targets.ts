/**
 * What Synod must reach on the machine that measures, and what it aims at: ratios to what others reach in the same run, shares, and
 * times.
 */
import type { Failover } from "./Failover.js"
import { aligned, median, type Row } from "./Report.js"
import type { Found } from "./Studies.js"
import { Bare, Etcd, EtcdNode, Raft, Synod, ZooKeeper } from "./Systems.js"
import type { Point } from "./System.js"

export interface Target {
  readonly what: string
  /** What was measured; nothing if one of those that are compared was not. */
  readonly reached: number | undefined
  /** Whether more is better, or less. */
  readonly better: "more" | "less"
  /** What it has to be; where there is nothing it has to be, it only aims. */
  readonly must?: number
  readonly aim?: number
  readonly unit: "×" | "ms" | "%"
}

interface Bounds {
  readonly must?: number
  readonly aim?: number
}

const writes = (client: Point["client"], inFlight: number): Point => ({ client, operation: "put", inFlight })
const reads = (inFlight: number): Point => ({ client: "remote", operation: "get", inFlight })

/** Medians of the latency, of a peer's. */
const latencies: ReadonlyArray<readonly [Point, peer: string, Bounds]> = [
  [writes("embedded", 1), Raft.name, { must: 0.65, aim: 0.45 }],
  [writes("remote", 1), Etcd.name, { must: 1 }],
  [writes("remote", 1), ZooKeeper.name, { aim: 1 }]
]

/** Commands a second, of a peer's. */
const throughputs: ReadonlyArray<readonly [Point, peer: string, Bounds]> = [
  [writes("embedded", 16), Raft.name, { must: 4, aim: 8 }],
  [writes("embedded", 256), Raft.name, { must: 2, aim: 4 }],
  [writes("remote", 16), ZooKeeper.name, { must: 1.4, aim: 2.5 }],
  ...[256, 1024].flatMap((inFlight) =>
    [Etcd, ZooKeeper].map(({ name }) => [writes("remote", inFlight), name, { must: 2, aim: 4 }] as const)
  ),
  ...[64, 256].map((inFlight) => [reads(inFlight), ZooKeeper.name, { must: 2, aim: 5 }] as const)
]

export const targets = (rows: ReadonlyArray<Row>, found: Found): ReadonlyArray<Target> => {
  const row = (system: string, point: Point) =>
    rows.find(
      (row) =>
        row.system === system &&
        row.client === point.client &&
        row.operation === point.operation &&
        row.inFlight === point.inFlight
    )
  const of = (
    what: string,
    [point, peer, bounds]: readonly [Point, string, Bounds],
    better: Target["better"],
    value: (row: Row) => number,
    other: Row | undefined = row(peer, point)
  ): Target => ({
    what: `${described(point)}, ${what}, of ${peer}'s`,
    reached: quotient(row(Synod.name, point), other, value),
    ...{ better, unit: "×", ...bounds }
  })
  const slowest = { must: 1, aim: 0.5 }
  const embedded = writes("embedded", 256)
  const all: ReadonlyArray<Target> = [
    ...latencies.map((target) => of("median latency", target, "less", ({ p50Millis }) => p50Millis)),
    ...throughputs.map((target) => of("throughput", target, "more", ({ commandsPerSecond }) => commandsPerSecond)),
    // etcd's callers are never in its members.
    of(
      "throughput",
      [embedded, Etcd.name, { must: 3, aim: 6 }],
      "more",
      ({ commandsPerSecond }) => commandsPerSecond,
      row(Etcd.name, writes("remote", 256))
    ),
    ...[...latencies, ...throughputs].map(([point, peer]) =>
      of("99th percentile", [point, peer, slowest], "less", ({ p99Millis }) => p99Millis)
    ),
    {
      what: `${described(embedded)}, share of the ${Bare.name}`,
      reached: quotient(row(Synod.name, embedded), row(Bare.name, embedded), (row) => 100 * row.commandsPerSecond, 100),
      ...{ better: "more", must: 20, aim: 40, unit: "%" }
    },
    { what: "failover", reached: medianOf(found.failovers, Synod.name), better: "less", must: 500, unit: "ms" },
    times("failover", found.failovers, ZooKeeper.name),
    times("cold restart", found.coldRestarts, EtcdNode.name),
    {
      what: "throughput while a replica catches up",
      reached: found.catchUp === undefined ? undefined : 100 * found.catchUp,
      ...{ better: "more", must: 90, unit: "%" }
    }
  ]
  return all.filter(({ reached }) => reached !== undefined)
}

const described = ({ client, inFlight, operation }: Point): string =>
  `${client} ${operation === "put" ? "writes" : "reads"}, ${inFlight} in flight`

const quotient = (
  one: Row | undefined,
  other: Row | undefined,
  value: (row: Row) => number,
  scale = 1
): number | undefined => (one === undefined || other === undefined ? undefined : (scale * value(one)) / value(other))

type Times = ReadonlyArray<Pick<Failover, "system" | "milliseconds">>

const times = (what: string, all: Times, peer: string): Target => {
  const [one, other] = [medianOf(all, Synod.name), medianOf(all, peer)]
  const reached = one === undefined || other === undefined ? undefined : one / other
  return { what: `${what}, of ${peer}'s`, reached, better: "less", must: 1, aim: 0.5, unit: "×" }
}

const medianOf = (all: Times, name: string) => {
  const found = all.find(({ system }) => system === name)
  return found === undefined ? undefined : median(found.milliseconds)
}

/** Which of its bounds it reaches; "nothing" if it has to reach one and doesn't. */
export const verdict = ({ aim, better, must, reached }: Target): "aim" | "met" | "nothing" | "not yet" => {
  const reaches = (bound: number | undefined) =>
    bound !== undefined && reached !== undefined && (better === "more" ? reached >= bound : reached <= bound)
  if (reaches(aim)) return "aim"
  if (must === undefined) return "not yet"
  return reaches(must) ? "met" : "nothing"
}

export const table = (targets: ReadonlyArray<Target>): string =>
  aligned(
    ["target", "reached", "must be", "aim", ""],
    targets.map((target) => [
      target.what,
      shown(target.reached ?? Number.NaN, target.unit),
      bound(target, target.must),
      bound(target, target.aim),
      words[verdict(target)]
    ]),
    ["target", ""]
  )

const words = { aim: "met, and the aim too", met: "met", nothing: "MISSED", "not yet": "not yet" } as const

const bound = ({ better, unit }: Target, value: number | undefined): string =>
  value === undefined ? "" : `${better === "more" ? "≥" : "≤"} ${shown(value, unit)}`

const shown = (value: number, unit: Target["unit"]): string =>
  `${unit === "×" ? value.toFixed(2) : value.toFixed(0)} ${unit}`
