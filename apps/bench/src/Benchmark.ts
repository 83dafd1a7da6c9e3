/**
 * One benchmark: all systems side by side, measured in turn at each point, so that whatever else the machine does meets
 * all of them alike.
 */
import { Console, Effect, type Scope } from "effect"
import * as Directory from "./Directory.js"
import type { Load, Sample } from "./Load.js"
import * as Flushes from "./peers/Flushes.js"
import type { Client, Point, Running, System, SystemFailed } from "./System.js"

export interface Plan {
  readonly systems: ReadonlyArray<System>
  readonly points: ReadonlyArray<Point>
  /** How long each point is measured. */
  readonly seconds: number
  /** How often everything is started anew and measured. */
  readonly runs: number
  /** Has the flushes of each system's members counted once it is warm. */
  readonly flushes?: boolean
  /** Where each process leaves its CPU profile. */
  readonly profiles: string | undefined
}

export interface Measured extends Sample, Point {
  readonly system: string
  /** From 1 on. */
  readonly run: number
}

/**
 * Before the first point, again and again: a process that has just started runs at a fifth of its speed. With 16 in flight
 * there are many rounds, and each has several commands.
 */
const heating = { inFlight: 16, warmUp: 0 }

/** How much faster than ever before a system must be to be getting warmer. */
const warmer = 1.05

/** So often in a row it isn't, until it is warm; and so often it is heated at most. */
const steady = 2
const heatings = 15

/** Before each point, in seconds. */
const warmUp = 0.3

export const run = (plan: Plan): Effect.Effect<ReadonlyArray<Measured>, SystemFailed> =>
  Effect.gen(function* () {
    const measured: Array<Measured> = []
    const turns = plan.points.flatMap(({ client, operation }) =>
      plan.systems.filter((it) => it.offers(client, operation))
    )
    const total = plan.runs * turns.length
    for (let run = 1; run <= plan.runs; run++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Console.log(`run ${run} of ${plan.runs}: starting ${plan.systems.map(({ name }) => name).join(", ")}`)
          const running = yield* Effect.forEach(plan.systems, (system) => start(system, plan))
          for (const { client, inFlight, operation } of plan.points) {
            for (const { measure, name, offers } of running) {
              if (!offers(client, operation)) continue
              const sample = yield* measure(client, { operation, inFlight, warmUp, seconds: plan.seconds })
              measured.push({ system: name, client, operation, inFlight, run, ...sample })
              yield* Console.log(line(measured.length, total, measured[measured.length - 1]!))
            }
          }
        })
      )
    }
    return measured
  })

/** Starts a system with its data on disk, and makes it warm. */
const start = (
  system: System,
  plan: Plan
): Effect.Effect<Running & Pick<System, "name" | "offers">, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const running = yield* system.start({ directory, profiles: plan.profiles })
    const kinds = new Map(plan.points.map((point) => [`${point.client} ${point.operation}`, point]))
    for (const { client, operation } of kinds.values()) {
      if (system.offers(client, operation)) yield* heat(running, client, operation, Math.min(1, plan.seconds))
    }
    if (plan.flushes === true) yield* countFlushes(system.name, running)
    return { ...running, name: system.name, offers: system.offers }
  })

/** Says whether what it acknowledges is durable: a system that flushes nothing can't be compared with one that does. */
const countFlushes = (name: string, { measure, processes }: Running): Effect.Effect<void, SystemFailed> =>
  Effect.gen(function* () {
    const load = { operation: "put", inFlight: 1, warmUp: 0, seconds: 1 } as const
    const { flushes, value } = yield* Flushes.during(processes, measure("remote", load))
    const each = flushes === undefined ? 0 : flushes / Math.max(1, value.commandsPerSecond * load.seconds)
    yield* Console.log(
      flushes === undefined
        ? `  ${name}: flushes are NOT COUNTED, since strace isn't installed or may not look (apt-get install strace)`
        : flushes === 0
          ? `  ${name}: NOT DURABLE, its members have flushed nothing`
          : `  ${name}: durable, ${each.toFixed(1)} flushes by its three members for a command of one caller`
    )
  })

const heat = (
  { measure }: Running,
  client: Client,
  operation: Load["operation"],
  seconds: number
): Effect.Effect<void, SystemFailed> =>
  Effect.gen(function* () {
    let best = 0
    for (let times = 0, same = 0; times < heatings && same < steady; times++) {
      const { commandsPerSecond } = yield* measure(client, { ...heating, operation, seconds })
      same = commandsPerSecond > best * warmer ? 0 : same + 1
      best = Math.max(best, commandsPerSecond)
    }
  })

const line = (done: number, total: number, measured: Measured) => {
  const { client, commandsPerSecond, inFlight, operation, p50Millis, system } = measured
  return (
    `  ${String(done).padStart(3)}/${total}  ${system.padEnd(12)}${client.padEnd(9)}${operation}${String(inFlight).padStart(5)} in flight` +
    `${Math.round(commandsPerSecond).toLocaleString("en").padStart(10)} commands/s, p50 ${p50Millis.toFixed(2)} ms`
  )
}
