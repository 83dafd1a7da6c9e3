/** Hooks of Node's module loader: some modules are loaded with the source of a mutant instead of what is built. */
import type { InitializeHook, LoadHook } from "node:module"
import type { Module } from "./Mutation.js"

const sources = new Map<string, string>()

export const initialize: InitializeHook<ReadonlyArray<Module>> = (modules) => {
  for (const { source, url } of modules) sources.set(url, source)
}

export const load: LoadHook = (url, context, nextLoad) => {
  const source = sources.get(url)
  return source === undefined ? nextLoad(url, context) : { format: "module", source, shortCircuit: true }
}
