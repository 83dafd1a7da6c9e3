/**
 * A test that runs a machine in simulated worlds, each from a seed of its own.
 *
 * @example
 * ```ts
 * Simulation.test(Bank, {
 *   layer: BankLive,
 *   workload: (bank, { seeded }) =>
 *     bank.Transfer({ from: seeded.pick(accounts), to: seeded.pick(accounts), amount: seeded.between(1, 100) }),
 *   invariant: (state) => (total(state) === 1000 ? undefined : `the accounts hold ${total(state)} in all`),
 *   seeds: 100
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import type { SqlMachine } from "@synod/sql-machine/SqlMachine"
import type { StateMachine } from "@synod/state-machine"
import { test as register } from "@vitest/runner"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import type { Fault } from "./Fault.js"
import * as Run from "./Run.js"
import type { Simulated } from "./Subject.js"
import type { Rows } from "./Tables.js"
import type { Outcome } from "./Tier.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options<
  Name extends string,
  State,
  Commands extends Rpc.Any,
  Queries extends Rpc.Any
> extends Run.Options<Name, State, Commands, Queries> {
  /** How many worlds. Default: 50; the environment's `SYNOD_SEEDS` counts more. */
  readonly seeds?: number
  /** The first seed. Default: 1. The environment's `SYNOD_SEED` is the only one instead, and shows what happened. */
  readonly seed?: number
}

/**
 * A world in which something did not hold.
 *
 * @since 0.1.0
 * @category errors
 */
export class SimulationFailed extends Data.TaggedError("SimulationFailed")<{
  readonly machine: string
  readonly outcome: Outcome
  /** Where the picture of the history is, if it has no order. */
  readonly page: string | undefined
}> {
  override get message(): string {
    const { machine, outcome, page } = this
    const told = outcome.lines.slice(-shown)
    const cut = outcome.lines.length - told.length
    return [
      `${machine}, seed ${outcome.seed}: ${outcome.violation?.message ?? ""}`,
      ...(page === undefined ? [] : [`The whole history, drawn: ${page}`]),
      ``,
      `What happened${cut > 0 ? ` (after ${cut} lines more)` : ""}, by the world's seconds:`,
      ...told,
      ``,
      `Again, with all of it: SYNOD_SEED=${outcome.seed} npx vitest run -t ${JSON.stringify(title(machine))}`
    ].join("\n")
  }
}

/** Lines of a trace in an error message. */
const shown = 60

/** Milliseconds for one world, many times what it takes. */
const patience = 20_000

const title = (machine: string): string => `${machine} in simulated worlds`

/**
 * Registers a test with vitest: the machine runs in one world after another, until one of them fails.
 *
 * @since 0.1.0
 * @category testing
 */
export const test: {
  <Name extends string, State, Commands extends Rpc.Any, Queries extends Rpc.Any>(
    machine: StateMachine.StateMachine<Name, State, Commands, Queries>,
    options: Options<Name, State, Commands, Queries>
  ): void
  <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
    machine: SqlMachine<Name, Commands, Queries>,
    options: Options<Name, Rows, Commands, Queries>
  ): void
} = <Name extends string, Commands extends Rpc.Any, Queries extends Rpc.Any>(
  machine: Simulated<Name, Commands, Queries>,
  options: Options<Name, any, Commands, Queries>
): void => {
  const only = wholeNumber("SYNOD_SEED")
  const first = only ?? options.seed ?? 1
  const count = only === undefined ? (wholeNumber("SYNOD_SEEDS") ?? options.seeds ?? 50) : 1
  register(title(machine.name), { timeout: count * patience }, () => {
    const happened = new Map<Fault, number>()
    let answered = 0
    const one = (seed: number): Effect.Effect<void, SimulationFailed> =>
      Effect.suspend(() => {
        const outcome = Run.runAny(machine, { ...options, seed, readable: only !== undefined })
        for (const [fault, times] of outcome.faults) happened.set(fault, (happened.get(fault) ?? 0) + times)
        answered += outcome.operations
        if (outcome.violation === undefined) {
          for (const line of outcome.lines) say(line)
          return Effect.void
        }
        const told = only === undefined ? Run.runAny(machine, { ...options, seed, readable: true }) : outcome
        return new SimulationFailed({ machine: machine.name, outcome: told, page: draw(machine.name, told) })
      })
    // The runner wants to be heard of between two of them.
    const worlds = Effect.forEach(
      Array.from({ length: count }, (_, i) => first + i),
      (seed) => Effect.zipRight(Effect.sleep(0), one(seed)),
      { discard: true }
    )
    const never = Effect.suspend(() => {
      if (answered === 0)
        return Effect.dieMessage(`${title(machine.name)}: no operation of the workload was ever answered`)
      const names = Array.from(happened).flatMap(([fault, times]) => (times === 0 ? [fault] : []))
      if (names.length > 0) say(`${title(machine.name)}: ${names.join(", ")} never happened in ${count} worlds`)
      return Effect.void
    })
    return Effect.runPromise(Effect.zipRight(worlds, never))
  })
}

/** Writes the picture of a history to a file, if there is one. */
const draw = (machine: string, { seed, violation }: Outcome): string | undefined => {
  if (violation?.picture === undefined) return undefined
  const page = Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-")), `${machine}-${seed}.html`)
  Fs.writeFileSync(page, violation.picture.html)
  return page
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const wholeNumber = (name: string): number | undefined => {
  const value = process.env[name]
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
