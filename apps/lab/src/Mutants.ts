/**
 * `mutants`: bugs that implementations have really had, put into our own code one at a time. The checkers must catch each of
 * them, and must have nothing to say about the product as it is.
 */
import { Args, Command, Options } from "@effect/cli"
import { Console, Data, Effect } from "effect"
import { all } from "./mutants/All.js"
import type { Mutant } from "./mutants/Mutant.js"
import * as MutantRun from "./MutantRun.js"

/** What was asked for makes no sense; said in one sentence. */
class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

const mutantNames = Args.text({ name: "name" }).pipe(
  Args.withDescription("The mutants to run. Without a name: all of them."),
  Args.repeated
)

const options = {
  jobs: Options.integer("jobs").pipe(Options.withDescription("Processes."), Options.withDefault(2))
}

export const command = Command.make("mutants", { names: mutantNames, ...options }, ({ jobs, names }) =>
  Effect.gen(function* () {
    if (jobs < 1 || jobs > 64) return yield* refuse(`--jobs is ${jobs}: expected 1 to 64.`)
    const mutants = names.length === 0 ? all : yield* Effect.forEach(names, byName)
    // A mutant that no longer fits is known before any runs.
    const loaded = yield* Effect.forEach(mutants, MutantRun.load)
    const verdicts = yield* Effect.forEach(loaded, judge, { concurrency: jobs })
    const failures = yield* unchanged(verdicts, jobs)
    yield* Console.log(table(verdicts).join("\n"))
    for (const failure of failures) yield* Console.log(`\n${failure}`)
    const survivors = verdicts.filter(({ found }) => found === undefined)
    yield* Console.log(`\nmutants ${verdicts.length}, survivors ${survivors.length}`)
    if (survivors.length + failures.length > 0) yield* Effect.sync(() => void (process.exitCode = FOUND))
  })
).pipe(Command.withDescription("Puts known bugs into the product, one at a time, and sees whether they are caught."))

/** A mutant survives, or the product itself fails. */
const FOUND = 1

const refuse = (message: string) => new Unusable({ message })

const byName = (name: string): Effect.Effect<Mutant, Unusable> => {
  const mutant = all.find((mutant) => mutant.name === name)
  return mutant === undefined
    ? refuse(`There is no mutant ${name}: expected ${all.map(({ name }) => name).join(", ")}.`)
    : Effect.succeed(mutant)
}

/** Seconds between two lines about a mutant that takes long. */
const quiet = 15

/** Tells now and then how far something is. */
const telling = (what: string) => {
  let last = performance.now()
  return (seeds: number): void => {
    if (performance.now() - last < quiet * 1000) return
    last = performance.now()
    process.stderr.write(`${what}: ${seeds} seeds so far\n`)
  }
}

const judge = (loaded: MutantRun.Loaded) =>
  Effect.tap(MutantRun.run(loaded, telling(loaded.mutant.name)), ({ found, mutant, took }) =>
    Console.error(
      found === undefined
        ? `${mutant.name}: SURVIVES ${MutantRun.enough(mutant)} seeds, ${seconds(took)} s`
        : `${mutant.name}: seed ${found.seed}, ${seconds(took)} s: ${found.property}: ${oneLine(found.sentence)}`
    )
  )

const oneLine = (sentence: string): string => sentence.split("\n", 1)[0]!

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1)

/** The product as it is passes all seeds that caught a mutant, in the same world; what it fails, told in sentences. */
const unchanged = (verdicts: ReadonlyArray<MutantRun.Verdict>, jobs: number) =>
  Effect.gen(function* () {
    const worlds = new Map<string, { readonly mutant: Mutant; seeds: number }>()
    for (const { found, mutant } of verdicts) {
      const { harsh, rates, replicas, tier } = mutant
      const key = JSON.stringify([tier, replicas, harsh, rates])
      const world = worlds.get(key) ?? { mutant, seeds: 0 }
      worlds.set(key, { ...world, seeds: Math.max(world.seeds, found?.seed ?? 0) })
    }
    const pieces = [...worlds.values()].flatMap(({ mutant, seeds }) => {
      const piece = Math.ceil(seeds / jobs)
      return Array.from({ length: seeds === 0 ? 0 : Math.ceil(seeds / piece) }, (_, i) => {
        const first = 1 + i * piece
        return { mutant, first, count: Math.min(piece, seeds - first + 1) }
      })
    })
    const found = yield* Effect.forEach(
      pieces,
      ({ mutant, ...seeds }) =>
        Effect.map(
          MutantRun.runUnchanged(mutant, seeds, telling(`the unchanged product, ${mutant.tier}`)),
          (found) =>
            found && `The unchanged product fails seed ${found.seed} of the tier ${mutant.tier}: ${found.sentence}`
        ),
      { concurrency: jobs }
    )
    return found.filter((failure) => failure !== undefined)
  })

/** A table as READMEs hold it. */
const table = (verdicts: ReadonlyArray<MutantRun.Verdict>): ReadonlyArray<string> => {
  const rows = [
    ["mutant", "tier", "seeds", "caught by", "seconds"],
    ...verdicts.map(({ found, mutant, took }) => [
      mutant.name,
      mutant.tier,
      found === undefined ? `more than ${MutantRun.enough(mutant)}` : String(found.seed),
      found === undefined ? "SURVIVES" : found.property,
      seconds(took)
    ])
  ]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: ReadonlyArray<string>) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`
  const [head, ...body] = rows
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)]
}
