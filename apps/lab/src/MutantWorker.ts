/**
 * A process that is one mutant: it runs seeds until one of them fails. Nothing of the product is loaded before the hooks are
 * in place.
 *
 * ```
 *   mutants ── Work ──► worker
 *           ◄── Said ── seeds so far …, and how it ended
 * ```
 */
import type { Tier } from "@synod/simulator"
import { register } from "node:module"
import { setImmediate } from "node:timers/promises"
import type { Module } from "./Mutation.js"

export interface Work {
  readonly modules: ReadonlyArray<Module>
  readonly tier: string
  readonly options: Omit<Tier.Options, "readable">
  readonly first: number
  readonly count: number
}

export interface Found {
  readonly seed: number
  readonly property: string
  readonly sentence: string
}

export type Said =
  { readonly _tag: "Ran"; readonly seeds: number } | { readonly _tag: "Ended"; readonly found: Found | undefined }

const say = (said: Said): void => void process.send!(said)

const run = async ({ count, first, modules, options, tier: name }: Work): Promise<Found | undefined> => {
  if (modules.length > 0) register("./MutantHooks.js", import.meta.url, { data: modules })
  const { byName } = await import("./Tiers.js")
  const tier = byName(name)
  for (let seed = first; seed < first + count; seed++) {
    const { violation } = tier.run(seed, { ...options, readable: false })
    if (violation !== undefined) return { seed, property: violation.property, sentence: violation.sentence }
    say({ _tag: "Ran", seeds: seed - first + 1 })
    // What was said leaves.
    await setImmediate()
  }
  return undefined
}

process.once("message", (work: Work) => {
  void run(work).then((found) => say({ _tag: "Ended", found }))
})
process.on("disconnect", () => process.exit())
