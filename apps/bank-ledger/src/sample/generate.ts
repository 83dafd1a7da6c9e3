/**
 * Writes the sample: `node dist/sample/generate.js [DIRECTORY]`. Its output is committed under `sample/`; a test
 * compares the two.
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Random } from "effect"
import { fileURLToPath } from "node:url"
import { type Sample, write } from "./Year.js"

export const seed = "a year of a small bank"
export const year = 2025

/** The files of the sample, by name. */
export const files = ({ main, quarters }: Sample): ReadonlyMap<string, string> =>
  new Map([["bank.journal", main], ...quarters.map((text, index) => [`${year}-q${index + 1}.journal`, text] as const)])

export const sample: Effect.Effect<Sample> = Effect.withRandom(write(year), Random.make(seed))

const program = Effect.gen(function* () {
  const path = yield* Path.Path
  const disk = yield* FileSystem.FileSystem
  const directory = process.argv[2] ?? fileURLToPath(new URL("../../sample", import.meta.url))
  const generated = yield* sample
  yield* disk.makeDirectory(directory, { recursive: true })
  for (const [name, text] of files(generated)) yield* disk.writeFileString(path.join(directory, name), text)
  yield* Console.log(`${generated.transactions} transactions written to ${directory}.`)
})

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
}
