/** Runs real processes of a mutant, cycle after cycle, until something is wrong. */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Run from "./chaos/Run.js"
import type { Module } from "./Mutation.js"
import type { Mutant } from "./mutants/Mutant.js"
import type { Found, Work } from "./MutantWorker.js"

/** All cycles are drawn from one seed, and last so many seconds. */
const world = { seed: 1, seconds: 3 }

export const run = (
  modules: ReadonlyArray<Module>,
  { replicas = 3 }: Mutant,
  { count, first }: Pick<Work, "first" | "count">,
  ran: (cycles: number) => void
): Effect.Effect<Found | undefined> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-mutant-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    )
    return yield* Run.run({
      ...{ ...world, replicas, directory, from: first, cycles: count },
      imports: modules.length === 0 ? [] : [hooked(modules)],
      told: () => {},
      passed: ({ cycle }) => ran(cycle - first + 1)
    }).pipe(
      Effect.as(undefined),
      Effect.catchAll(({ cycle, wrong }) => {
        const [property = "", ...sentence] = wrong[0]!.split(": ")
        return Effect.succeed<Found>({ seed: cycle, property: property.toLowerCase(), sentence: sentence.join(": ") })
      })
    )
  }).pipe(Effect.scoped)

/** A module that sets the hooks before any of the product is loaded, as its own address. */
const hooked = (modules: ReadonlyArray<Module>): string => {
  const hooks = new URL("../dist/MutantHooks.js", import.meta.url).href
  const source = `import { register } from "node:module"
register(${JSON.stringify(hooks)}, { data: ${JSON.stringify(modules)} })`
  return `data:text/javascript,${encodeURIComponent(source)}`
}
