/**
 * One benchmark: all systems side by side, measured in turn at each point, so that whatever else the machine does meets
 * all of them alike.
 */
import { Console, Effect, Option, type Scope } from "effect"
import * as Directory from "./Directory.js"
import * as Heat from "./Heat.js"
import type { Sample } from "./Load.js"
import * as Flushes from "./peers/Flushes.js"
import * as Usage from "./Usage.js"
import type { Point, Running, System, SystemFailed } from "./System.js"

export interface Plan {
  readonly systems: ReadonlyArray<System>
  readonly points: ReadonlyArray<Point>
  /** How long each point is measured. */
  readonly seconds: number
  /** How often everything is started anew and measured. */
  readonly runs: number
  /** The system without which the rest says nothing: when it fails, so does the run. */
  readonly essential: string
  /** Where each process leaves its CPU profile. */
  readonly profiles: string | undefined
}

export interface Measured extends Sample, Point {
  readonly system: string
  /** From 1 on. */
  readonly run: number
  /** Microseconds of CPU for a command, of the members and of a remote client; nobody knows outside Linux. */
  readonly membersCpu: number | undefined
  readonly clientCpu: number | undefined
}

/** What a system takes once it was measured. */
export interface Taken {
  readonly system: string
  readonly run: number
  /** MiB in the memory of its three members. */
  readonly memory: number | undefined
  /** Flushes that the members made for a command of one caller; unknown without strace. */
  readonly flushes: number | undefined
}

export interface Results {
  readonly measured: ReadonlyArray<Measured>
  readonly taken: ReadonlyArray<Taken>
}

/** Before each point, in seconds. */
const warmUp = 0.3

export const run = (plan: Plan): Effect.Effect<Results, SystemFailed> =>
  Effect.gen(function* () {
    const measured: Array<Measured> = []
    const taken: Array<Taken> = []
    const turns = plan.points.flatMap(({ client, operation }) =>
      plan.systems.filter((it) => it.offers(client, operation))
    )
    const total = plan.runs * turns.length
    let turn = 0
    for (let run = 1; run <= plan.runs; run++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Console.log(`run ${run} of ${plan.runs}: starting ${plan.systems.map(({ name }) => name).join(", ")}`)
          const started = yield* Effect.forEach(plan.systems, (system) => tried(system, plan))
          const running = started.flatMap(Option.toArray)
          for (const point of plan.points) {
            for (const one of running) {
              if (!one.offers(point.client, point.operation)) continue
              const seen = yield* Effect.either(measure(one, point, plan.seconds))
              turn++
              if (seen._tag === "Right" && seen.right.commandsPerSecond === 0) {
                yield* Console.error(`  ${turn}/${total}  NOT MEASURED: ${one.name} has answered nothing in time`)
              } else if (seen._tag === "Right") {
                const sample = { ...seen.right, run }
                measured.push(sample)
                yield* Console.log(line(turn, total, sample))
              } else {
                // Without others there is still something to see, without Synod there isn't.
                if (one.name === plan.essential) return yield* seen.left
                yield* Console.error(`  ${turn}/${total}  NOT MEASURED: ${seen.left.message}`)
              }
            }
          }
          for (const { flushes, name, processes } of running) {
            taken.push({ system: name, run, memory: Usage.mebibytes(processes), flushes })
          }
        })
      )
    }
    return { measured, taken }
  })

const measure = ({ clients, measure, name, processes }: Started, point: Point, seconds: number) =>
  Effect.gen(function* () {
    const { client, inFlight, operation } = point
    const asked = measure(client, { operation, inFlight, warmUp, seconds })
    const { cpu: clientCpu, value: both } = yield* Usage.during(
      client === "remote" ? clients : [],
      Usage.during(processes, asked)
    )
    // The time to get warm was spent on commands of the same kind.
    const commands = both.value.commandsPerSecond * (seconds + warmUp)
    const each = (cpu: number | undefined) => (cpu === undefined || commands === 0 ? undefined : (1e6 * cpu) / commands)
    return { system: name, ...point, ...both.value, membersCpu: each(both.cpu), clientCpu: each(clientCpu) }
  })

interface Started extends Running, Pick<System, "name" | "offers"> {
  readonly flushes: number | undefined
}

/** One that can't be started is left out, loudly, unless without it there is nothing to see. */
const tried = (system: System, plan: Plan): Effect.Effect<Option.Option<Started>, SystemFailed, Scope.Scope> =>
  Effect.catchAll(Effect.asSome(start(system, plan)), (failed) =>
    system.name === plan.essential
      ? Effect.fail(failed)
      : Effect.as(Console.error(`  NOT MEASURED: ${failed.message}`), Option.none())
  )

/** Starts a system with its data on disk, and makes it warm. */
const start = (system: System, plan: Plan): Effect.Effect<Started, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const running = yield* system.start({ directory, profiles: plan.profiles })
    const kinds = new Map(plan.points.map((point) => [`${point.client} ${point.operation}`, point]))
    for (const { client, operation } of kinds.values()) {
      const load = { ...Heat.load, operation, seconds: Math.min(1, plan.seconds / 2) }
      if (system.offers(client, operation)) yield* Heat.up(running.measure(client, load))
    }
    const flushes = yield* countFlushes(system, running)
    return { ...running, name: system.name, offers: system.offers, flushes }
  })

/** Says whether what it acknowledges is durable: a system that flushes nothing can't be compared with one that does. */
const countFlushes = ({ name, offers }: System, { measure, processes }: Running) =>
  Effect.gen(function* () {
    const load = { operation: "put", inFlight: 1, warmUp: 0, seconds: 1 } as const
    const { flushes, value } = yield* Flushes.during(
      processes,
      measure(offers("remote", "put") ? "remote" : "embedded", load)
    )
    const each = flushes === undefined ? undefined : flushes / Math.max(1, value.commandsPerSecond * load.seconds)
    yield* Console.log(
      each === undefined
        ? `  ${name}: flushes are NOT COUNTED, since strace isn't installed or may not look (apt-get install strace)`
        : each === 0
          ? `  ${name}: NOT DURABLE, its members have flushed nothing`
          : `  ${name}: durable, ${each.toFixed(1)} flushes by its three members for a command of one caller`
    )
    return each
  })

const line = (done: number, total: number, measured: Measured) => {
  const { client, commandsPerSecond, inFlight, operation, p50Millis, system } = measured
  return (
    `  ${String(done).padStart(3)}/${total}  ${system.padEnd(15)}${client.padEnd(9)}${operation}${String(inFlight).padStart(5)} in flight` +
    `${Math.round(commandsPerSecond).toLocaleString("en").padStart(10)} commands/s, p50 ${p50Millis.toFixed(2)} ms`
  )
}
