/**
 * Mutants as modules: the text of a source is replaced in memory, and the result compiled. Nothing is written anywhere.
 */
import { Data, Effect } from "effect"
import { readFileSync } from "node:fs"
import ts from "typescript"
import type { Mutant } from "./mutants/Mutant.js"

/** A built module that is to be loaded with another source. */
export interface Module {
  readonly url: string
  readonly source: string
}

/** The sources have changed and the mutant has not. */
export class NotOnce extends Data.TaggedError("NotOnce")<{
  readonly mutant: string
  readonly file: string
  readonly find: string
  readonly times: number
}> {
  override get message() {
    return `The mutant ${this.mutant} changes a text that must stand in ${this.file} once, and stands there ${this.times} times:\n${this.find}`
  }
}

const root = new URL("../../../", import.meta.url)

/** The modules that make the product this mutant. */
export const modulesOf = ({ edits, name }: Mutant): Effect.Effect<ReadonlyArray<Module>, NotOnce> =>
  Effect.gen(function* () {
    const sources = new Map<string, string>()
    for (const { file, find, replace } of edits) {
      const source = sources.get(file) ?? (yield* Effect.sync(() => readFileSync(new URL(file, root), "utf8")))
      const parts = source.split(find)
      if (parts.length !== 2) return yield* new NotOnce({ mutant: name, file, find, times: parts.length - 1 })
      sources.set(file, parts.join(replace))
    }
    return Array.from(sources, ([file, source]) => ({ url: builtOf(file), source: compile(source) }))
  })

/** Where Node finds the module once it is built. */
const builtOf = (file: string): string => new URL(file.replace("/src/", "/dist/").replace(/\.ts$/, ".js"), root).href

const compile = (source: string): string =>
  ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true
    }
  }).outputText
