/**
 * One benchmark: all systems side by side, measured in turn at each point, so that whatever else the machine does meets
 * all of them alike.
 */
import { Console, Effect, type Scope } from "effect"
import * as Directory from "./Directory.js"
import type { Sample } from "./Load.js"
import { type Client, clients, type Running, type System, type SystemFailed } from "./System.js"

export interface Plan {
  readonly systems: ReadonlyArray<System>
  readonly inFlight: ReadonlyArray<number>
  /** How long each point is measured. */
  readonly seconds: number
  /** How often everything is started anew and measured. */
  readonly runs: number
  /** Where each process leaves its CPU profile. */
  readonly profiles: string | undefined
}

export interface Measured extends Sample {
  readonly system: string
  readonly client: Client
  readonly inFlight: number
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
    const points = clients.flatMap((client) => plan.inFlight.map((inFlight) => ({ client, inFlight })))
    const total = plan.runs * points.length * plan.systems.length
    for (let run = 1; run <= plan.runs; run++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Console.log(`run ${run} of ${plan.runs}: starting ${plan.systems.map(({ name }) => name).join(", ")}`)
          const running = yield* Effect.forEach(plan.systems, (system) => start(system, plan))
          for (const { client, inFlight } of points) {
            for (const { measure, name } of running) {
              const sample = yield* measure(client, { inFlight, warmUp, seconds: plan.seconds })
              measured.push({ system: name, client, inFlight, run, ...sample })
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
): Effect.Effect<Running & { readonly name: string }, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const running = yield* system.start({ directory, profiles: plan.profiles })
    for (const client of clients) yield* heat(running, client, Math.min(1, plan.seconds))
    return { ...running, name: system.name }
  })

const heat = ({ measure }: Running, client: Client, seconds: number): Effect.Effect<void, SystemFailed> =>
  Effect.gen(function* () {
    let best = 0
    for (let times = 0, same = 0; times < heatings && same < steady; times++) {
      const { commandsPerSecond } = yield* measure(client, { ...heating, seconds })
      same = commandsPerSecond > best * warmer ? 0 : same + 1
      best = Math.max(best, commandsPerSecond)
    }
  })

const line = (done: number, total: number, { client, commandsPerSecond, inFlight, p50Millis, system }: Measured) =>
  `  ${String(done).padStart(3)}/${total}  ${system.padEnd(12)}${client.padEnd(9)}${String(inFlight).padStart(5)} in flight` +
  `${Math.round(commandsPerSecond).toLocaleString("en").padStart(10)} commands/s, p50 ${p50Millis.toFixed(2)} ms`
