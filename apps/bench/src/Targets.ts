/**
 * What Synod is to reach on the machine that measures: as ratios to what others reach in the same run, or as times.
 */
import type { Failover } from "./Failover.js"
import { aligned, median, type Row } from "./Report.js"
import type { Found } from "./Studies.js"
import { Etcd, EtcdNode, Raft, Synod, ZooKeeper } from "./Systems.js"
import type { Point } from "./System.js"

export interface Target {
  readonly what: string
  /** What was measured, and what it is to be; nothing if one of the two wasn't measured. */
  readonly reached: number | undefined
  readonly atLeast?: number
  readonly atMost?: number
  readonly unit: "×" | "ms" | "%"
}

/** In flight, where throughputs are compared. */
const compared = [1, 16, 256]

/** Milliseconds for which a killed leader may be missed, and a cold restart may take. */
const failover = 1000
const coldRestart = 5000

/** Of the throughput before, in percent, while a replica catches up. */
const catchUp = 90

export const targets = (rows: ReadonlyArray<Row>, { catchUp: caughtUp, coldRestarts, failovers }: Found) => {
  const rate = (system: string, point: Point) =>
    rows.find(
      (row) =>
        row.system === system &&
        row.client === point.client &&
        row.operation === point.operation &&
        row.inFlight === point.inFlight
    )?.commandsPerSecond
  const beside = (peer: string, point: Point): Target => ({
    what: `${point.client} ${point.operation === "put" ? "writes" : "reads"}, ${point.inFlight} in flight, of ${peer}'s`,
    reached: quotient(rate(Synod.name, point), rate(peer, point)),
    atLeast: 1,
    unit: "×"
  })
  const all: ReadonlyArray<Target> = [
    ...compared.map((inFlight) => beside(Raft.name, { client: "embedded", operation: "put", inFlight })),
    ...[Etcd, ZooKeeper].flatMap(({ name }) =>
      (["put", "get"] as const).flatMap((operation) =>
        compared.map((inFlight) => beside(name, { client: "remote", operation, inFlight }))
      )
    ),
    { what: "failover", reached: medianOf(failovers, Synod.name), atMost: failover, unit: "ms" },
    ...[Raft, EtcdNode, ZooKeeper].map(({ name }): Target => ({
      what: `failover, of ${name}'s`,
      reached: quotient(medianOf(failovers, Synod.name), medianOf(failovers, name)),
      atMost: 1,
      unit: "×"
    })),
    { what: "cold restart", reached: medianOf(coldRestarts, Synod.name), atMost: coldRestart, unit: "ms" },
    ...[Raft, EtcdNode, ZooKeeper].map(({ name }): Target => ({
      what: `cold restart, of ${name}'s`,
      reached: quotient(medianOf(coldRestarts, Synod.name), medianOf(coldRestarts, name)),
      atMost: 1,
      unit: "×"
    })),
    {
      what: "throughput while a replica catches up",
      reached: caughtUp === undefined ? undefined : 100 * caughtUp,
      atLeast: catchUp,
      unit: "%"
    }
  ]
  return all.filter(({ reached }) => reached !== undefined)
}

const quotient = (one: number | undefined, other: number | undefined) =>
  one === undefined || other === undefined ? undefined : one / other

const medianOf = (all: ReadonlyArray<Pick<Failover, "system" | "milliseconds">>, name: string) => {
  const found = all.find(({ system }) => system === name)
  return found === undefined ? undefined : median(found.milliseconds)
}

export const isMet = ({ atLeast, atMost, reached }: Target): boolean =>
  reached !== undefined && reached >= (atLeast ?? -Infinity) && reached <= (atMost ?? Infinity)

export const table = (targets: ReadonlyArray<Target>): string =>
  aligned(
    ["target", "reached", "to be", ""],
    targets.map((target) => [
      target.what,
      shown(target.reached ?? Number.NaN, target.unit),
      target.atLeast === undefined
        ? `at most ${shown(target.atMost ?? Number.NaN, target.unit)}`
        : `at least ${shown(target.atLeast, target.unit)}`,
      isMet(target) ? "met" : "MISSED"
    ]),
    ["target", ""]
  )

const shown = (value: number, unit: Target["unit"]): string =>
  `${unit === "×" ? value.toFixed(2) : value.toFixed(0)} ${unit}`
