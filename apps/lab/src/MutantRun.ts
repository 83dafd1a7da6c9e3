/** Runs seeds of the product, mutated or as it is, in a process of its own. */
import type { Tier } from "@synod/simulator"
import { Clock, Data, Effect } from "effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as MutantChaos from "./MutantChaos.js"
import type { Mutant } from "./mutants/Mutant.js"
import { type Module, modulesOf, type NotOnce } from "./Mutation.js"
import type { Found, Said, Work } from "./MutantWorker.js"

/** A mutant that is caught is caught within so many seeds, or so many cycles of processes. */
export const enough = ({ tier }: Mutant): number => (tier === "processes" ? 40 : 2000)

/** A mutant and what became of it. */
export interface Verdict {
  readonly mutant: Mutant
  /** What caught it; nothing if it survives. */
  readonly found: Found | undefined
  /** From the start of its process, in milliseconds. */
  readonly took: number
}

/** The process could not go on: a mutant that can't be loaded shows nothing. */
export class Broken extends Data.TaggedError("Broken")<{ readonly what: string; readonly how: string }> {
  override get message() {
    return `The process that ran ${this.what} ended by itself (${this.how}).`
  }
}

/** A mutant and the modules that make it. */
export interface Loaded {
  readonly mutant: Mutant
  readonly modules: ReadonlyArray<Module>
}

/** The mutant, if it fits the sources as they are. */
export const load = (mutant: Mutant): Effect.Effect<Loaded, NotOnce> =>
  Effect.map(modulesOf(mutant), (modules) => ({ mutant, modules }))

/** Runs a mutant until it is caught or has survived. */
export const run = ({ modules, mutant }: Loaded, ran: (seeds: number) => void): Effect.Effect<Verdict, Broken> =>
  Effect.gen(function* () {
    const begin = yield* Clock.currentTimeMillis
    const seeds = { first: 1, count: enough(mutant) }
    const found =
      mutant.tier === "processes"
        ? yield* MutantChaos.run(modules, mutant, seeds, ran)
        : yield* inProcess(
            `the mutant ${mutant.name}`,
            { modules, tier: mutant.tier, options: optionsOf(mutant), ...seeds },
            ran
          )
    return { mutant, found, took: (yield* Clock.currentTimeMillis) - begin }
  })

/** Runs seeds of the product as it is, in the world of a mutant. */
export const runUnchanged = (
  mutant: Mutant,
  seeds: Pick<Work, "first" | "count">,
  ran: (seeds: number) => void
): Effect.Effect<Found | undefined, Broken> =>
  mutant.tier === "processes"
    ? MutantChaos.run([], mutant, seeds, ran)
    : inProcess("the unchanged product", { modules: [], tier: mutant.tier, options: optionsOf(mutant), ...seeds }, ran)

const optionsOf = ({ harsh = false, rates, replicas = 3 }: Mutant): Omit<Tier.Options, "readable"> => ({
  replicas,
  harsh,
  rates
})

const inProcess = (what: string, work: Work, ran: (seeds: number) => void): Effect.Effect<Found | undefined, Broken> =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      fork(fileURLToPath(new URL("../dist/MutantWorker.js", import.meta.url)), [], {
        serialization: "advanced",
        // Modules are those that are built, whatever this process was told to load.
        execArgv: []
      })
    ),
    (child) =>
      Effect.async<Found | undefined, Broken>((resume) => {
        child.on("message", (said: Said) => {
          if (said._tag === "Ran") ran(said.seeds)
          else resume(Effect.succeed(said.found))
        })
        child.on("exit", (code, signal) => resume(new Broken({ what, how: signal ?? `exit code ${code}` })))
        child.send(work)
      }),
    (child) => Effect.sync(() => child.kill())
  )
