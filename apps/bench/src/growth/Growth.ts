/**
 * `npm run bench -- --growth`: what a command costs, and how much memory replicas have, with more replicas, larger values and more
 * sessions; and whether something grows faster than its cause.
 */
import { Console, Effect } from "effect"
import * as Directory from "../Directory.js"
import * as Heat from "../Heat.js"
import { Sample } from "../Load.js"
import type { Chart } from "../Plot.js"
import { aligned } from "../Report.js"
import { Pressed } from "../synod/Pressure.js"
import { launch } from "../synod/Synod.js"
import * as Usage from "../Usage.js"
import * as Worker from "../Worker.js"
import { verdict } from "./Exponent.js"

export type Cause = "replicas" | "bytes of a value" | "sessions"

export interface Grown {
  readonly cause: Cause
  readonly size: number
  readonly commandsPerSecond: number
  /** Microseconds of CPU of all replicas for a command; of sessions it isn't known. */
  readonly cpu: number | undefined
  /** MiB of one replica. */
  readonly memory: number | undefined
}

const replicas = [1, 3, 5, 7]
const values = [16, 256, 4 * 1024, 32 * 1024, 256 * 1024]
const sessions = [10, 100, 1000, 10_000]

/** Callers of the closed loop; and with ever larger values fewer keys, so that the state stays small. */
const inFlight = 64
const keysOf = (bytes: number): number => Math.max(16, Math.min(10_000, Math.floor((4 * 1024 * 1024) / bytes)))

/** Of sessions, before they are measured, in seconds. */
const warmUp = 4

/** Requests of sessions in turn: so many under way, of so many commands. */
const pressure = { commands: 16, loop: { _tag: "Closed", requests: 32 } } as const

export const run = (seconds: number) =>
  Effect.gen(function* () {
    const found: Array<Grown> = []
    const note = (grown: Grown) =>
      Effect.zipRight(
        Effect.sync(() => found.push(grown)),
        Console.log(
          `  ${grown.size.toLocaleString("en")} ${grown.cause}: ${grown.commandsPerSecond.toFixed(0)} commands/s, ` +
            `${shown(grown.cpu)} µs of CPU a command, ${shown(grown.memory)} MiB a replica`
        )
      )
    for (const size of replicas) yield* note(yield* loaded("replicas", size, { replicas: size }, seconds))
    for (const size of values) {
      yield* note(yield* loaded("bytes of a value", size, { valueBytes: size, keys: keysOf(size) }, seconds))
    }
    for (const size of sessions) yield* note(yield* pressed(size, seconds))
    yield* Console.log(`\n${table(found)}\n\n${statements(found).join("\n")}`)
    return found
  })

const start = (options: Parameters<typeof launch>[1]) =>
  Effect.flatMap(Directory.temporary, (directory) => launch({ directory, profiles: undefined }, options))

const loaded = (cause: Cause, size: number, options: Parameters<typeof launch>[1], seconds: number) =>
  Effect.gen(function* () {
    const { remote, replicas } = yield* start(options)
    const processes = [...replicas.values()].map(({ pid }) => pid)
    const measure = (seconds: number) =>
      Effect.flatMap(remote.ask("measure", { operation: "put", inFlight, warmUp: 0, seconds }), Worker.decode(Sample))
    yield* Heat.up(measure(1))
    const { cpu, value } = yield* Usage.during(processes, measure(seconds))
    return grown(cause, size, value.commandsPerSecond, seconds, cpu, processes)
  }).pipe(Effect.scoped)

const pressed = (size: number, seconds: number) =>
  Effect.gen(function* () {
    const { remote, replicas } = yield* start({})
    const processes = [...replicas.values()].map(({ pid }) => pid)
    const press = (sessions: number, seconds: number) =>
      Effect.flatMap(remote.ask("press", { ...pressure, sessions, seconds }), Worker.decode(Pressed))
    yield* press(10, warmUp)
    const { acknowledged } = yield* press(size, seconds)
    // What it took to open the sessions is no part of a command.
    return grown("sessions", size, acknowledged, seconds, undefined, processes)
  }).pipe(Effect.scoped)

const grown = (
  cause: Cause,
  size: number,
  commandsPerSecond: number,
  seconds: number,
  cpu: number | undefined,
  processes: ReadonlyArray<number>
): Grown => {
  const memory = Usage.mebibytes(processes)
  return {
    ...{ cause, size, commandsPerSecond },
    cpu: cpu === undefined ? undefined : (1e6 * cpu) / (commandsPerSecond * seconds),
    memory: memory === undefined ? undefined : memory / processes.length
  }
}

const causes: ReadonlyArray<Cause> = ["replicas", "bytes of a value", "sessions"]

export const statements = (found: ReadonlyArray<Grown>): ReadonlyArray<string> =>
  causes.flatMap((cause) => {
    const mine = found.filter((one) => one.cause === cause)
    const of = (what: string, value: (one: Grown) => number | undefined) =>
      `${what} with ${cause} ${verdict(mine.map((one) => [one.size, value(one) ?? Number.NaN] as const))}`
    if (mine.length === 0) return []
    return [
      of("time of a command grows", ({ commandsPerSecond }) => 1 / commandsPerSecond),
      ...(mine.some(({ cpu }) => cpu !== undefined) ? [of("CPU of a command grows", ({ cpu }) => cpu)] : []),
      of("memory of a replica grows", ({ memory }) => memory)
    ]
  })

export const table = (found: ReadonlyArray<Grown>): string =>
  aligned(
    ["cause", "size", "commands/s", "CPU µs", "MiB a replica"],
    found.map(({ cause, commandsPerSecond, cpu, memory, size }) => [
      cause,
      size.toLocaleString("en"),
      Math.round(commandsPerSecond).toLocaleString("en"),
      shown(cpu),
      shown(memory)
    ]),
    ["cause"]
  )

const shown = (value: number | undefined): string =>
  value === undefined ? "?" : Math.round(value).toLocaleString("en")

export const charts = (found: ReadonlyArray<Grown>): ReadonlyArray<Chart> =>
  causes.flatMap((cause): ReadonlyArray<Chart> => {
    const mine = found.filter((one) => one.cause === cause)
    if (mine.length === 0) return []
    const points = (value: (one: Grown) => number | undefined) =>
      mine.flatMap((one) => {
        const y = value(one)
        return y === undefined ? [] : [[one.size, y] as const]
      })
    return [
      {
        title: `with more ${cause}`,
        x: { title: cause, scale: "logarithmic" },
        y: { title: "µs, MiB", scale: "logarithmic" },
        lines: [
          { name: "µs a command", points: points(({ commandsPerSecond }) => 1e6 / commandsPerSecond) },
          { name: "CPU µs a command", points: points(({ cpu }) => cpu) },
          { name: "MiB a replica", points: points(({ memory }) => memory) }
        ].filter(({ points }) => points.length > 0)
      }
    ]
  })
