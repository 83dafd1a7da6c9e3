/**
 * `chaos`: real replicas as processes, on real sockets and files, killed, paused, stopped and cut off while clients are at
 * work; and everything that was promised, checked.
 */
import { Command, Options } from "@effect/cli"
import { Clock, Console, Data, Effect, Option, Random } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Plan from "./chaos/Plan.js"
import * as Run from "./chaos/Run.js"
import * as Summary from "./chaos/Summary.js"

/** What was asked for makes no sense; said in one sentence. */
class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

/** Something is wrong. */
const FOUND = 1

const options = {
  cycles: Options.integer("cycles").pipe(Options.withDescription("How many cycles."), Options.withDefault(20)),
  from: Options.integer("from").pipe(
    Options.withDescription("The first of them: with its number, one is drawn again from the seed."),
    Options.withDefault(1)
  ),
  seed: Options.integer("seed").pipe(
    Options.withDescription("What all faults are drawn from. Without it: one by chance, which is printed."),
    Options.optional
  ),
  replicas: Options.integer("replicas").pipe(Options.withDescription("From 1 to 7."), Options.withDefault(3)),
  seconds: Options.float("seconds").pipe(
    Options.withDescription("How long a cycle has load and faults."),
    Options.withDefault(4)
  ),
  keep: Options.boolean("keep").pipe(
    Options.withDescription("Keeps journals, logs and histories also when nothing is wrong.")
  )
}

export const command = Command.make("chaos", options, (given) =>
  Effect.gen(function* () {
    const { cycles, from, keep, replicas, seconds } = given
    if (cycles < 1 || from < 1) return yield* refuse("--cycles and --from: expected at least 1.")
    if (replicas < 1 || replicas > 7) return yield* refuse(`--replicas is ${replicas}: expected 1 to 7.`)
    if (!(seconds >= 1 && seconds <= 600)) return yield* refuse(`--seconds is ${seconds}: expected 1 to 600.`)
    const seed = yield* Option.match(given.seed, {
      onNone: () => Random.nextIntBetween(1, 1_000_000),
      onSome: Effect.succeed
    })
    const again = (cycle: number) =>
      `npm run chaos -- --seed ${seed} --from ${cycle} --cycles 1 --replicas ${replicas} --seconds ${seconds}`
    yield* Console.log(
      `seed ${seed}: ${replicas} replicas and ${2} client processes, ${cycles} cycles of ${seconds} s and what healing takes`
    )
    const summary = Summary.make()
    const begun = yield* Clock.currentTimeMillis
    const directory = mkdtempSync(join(tmpdir(), `synod-chaos-${seed}-`))
    yield* Run.run({
      ...{ cycles, from, replicas, seconds, seed, directory, imports: [] },
      told: (line) => console.log(line),
      passed: (outcome) => {
        summary.add(outcome)
        console.log(Summary.line(outcome, from + cycles - 1))
      }
    }).pipe(
      Effect.scoped,
      Effect.matchEffect({
        onSuccess: (keys) =>
          Effect.gen(function* () {
            const took = ((yield* Clock.currentTimeMillis) - begun) / 1000
            yield* Console.log(`\nNothing is wrong, after ${took.toFixed(0)} s:\n${summary.lines(keys).join("\n")}`)
            if (keep) yield* Console.log(`  kept          ${directory}`)
            else rmSync(directory, { recursive: true, force: true })
          }),
        onFailure: ({ cycle, files, plan, wrong }) =>
          Effect.gen(function* () {
            yield* Console.log(`\ncycle ${cycle} of seed ${seed} FAILS: ${Plan.describe(plan)}`)
            for (const sentence of wrong.slice(0, most)) yield* Console.log(`  ${sentence}`)
            if (wrong.length > most) yield* Console.log(`  and ${wrong.length - most} more`)
            yield* Console.log(`  kept in ${directory}: journals, logs, what clients did`)
            for (const file of files) yield* Console.log(`  npm run check-history -- ${file}`)
            yield* Console.log(`  the same faults again, at other moments: ${again(cycle)}`)
            process.exitCode = FOUND
          })
      })
    )
  })
).pipe(Command.withDescription("Runs real processes under faults, and checks what clients were told."))

/** How many wrongs are told. */
const most = 20

const refuse = (message: string) => new Unusable({ message })
