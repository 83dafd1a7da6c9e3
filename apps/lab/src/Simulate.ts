/**
 * `simulate`: seeds of a tier on several processes, with a summary; or one seed, to be read.
 */
import { Command, Options } from "@effect/cli"
import { Fault, Runs, type Tier } from "@synod/simulator"
import { Console, Data, Effect, Option } from "effect"
import * as Progress from "./Progress.js"
import * as Resume from "./Resume.js"
import * as Tiers from "./Tiers.js"
import * as Workers from "./Workers.js"

/** What was asked for makes no sense; said in one sentence. */
class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

/** Seeds that fail. */
const FOUND = 1

const options = {
  tier: Options.choice(
    "tier",
    Tiers.tiers.map(({ name }) => name)
  ).pipe(
    Options.withDescription(
      "core: the plain steps of the protocol; register: those of registers; world: whole replicas."
    ),
    Options.withDefault("core")
  ),
  seeds: Options.integer("seeds").pipe(Options.withDescription("How many seeds."), Options.withDefault(1000)),
  from: Options.integer("from").pipe(Options.withDescription("The first of them."), Options.withDefault(1)),
  seed: Options.integer("seed").pipe(Options.withDescription("Only this one."), Options.optional),
  trace: Options.boolean("trace").pipe(Options.withDescription("With --seed: tell all that happens.")),
  replicas: Options.integer("replicas").pipe(Options.withDescription("Voters, from 1 to 9."), Options.withDefault(3)),
  harsh: Options.boolean("harsh").pipe(
    Options.withDescription("Faults beyond what the protocol promises to survive: only safety must hold.")
  ),
  faults: Options.text("faults").pipe(
    Options.withDescription(
      "Exactly these, as name=rate,name=rate. Without it: those of the tier, varied by the seed."
    ),
    Options.optional
  ),
  resume: Options.text("resume").pipe(
    Options.withDescription("A file that remembers what is done; a run that was stopped goes on from there."),
    Options.optional
  ),
  jobs: Options.integer("jobs").pipe(Options.withDescription("Processes."), Options.withDefault(2))
}

export const command = Command.make("simulate", options, (given) =>
  Effect.gen(function* () {
    const tier = Tiers.byName(given.tier)
    if (given.replicas < 1 || given.replicas > 9)
      return yield* refuse(`--replicas is ${given.replicas}: expected 1 to 9.`)
    if (given.seeds < 1) return yield* refuse(`--seeds is ${given.seeds}: expected at least 1.`)
    if (given.jobs < 1 || given.jobs > 64) return yield* refuse(`--jobs is ${given.jobs}: expected 1 to 64.`)
    const rates = Option.getOrUndefined(yield* Effect.transposeMapOption(given.faults, (text) => parse(text, tier)))
    const asked: Asked = { tier, options: { replicas: given.replicas, harsh: given.harsh, rates } }
    if (!given.trace) {
      const seeds = Option.match(given.seed, {
        onNone: () => ({ first: given.from, count: given.seeds }),
        onSome: (first) => ({ first, count: 1 })
      })
      return yield* many(asked, seeds, given.jobs, Option.getOrUndefined(given.resume))
    }
    if (Option.isNone(given.seed)) return yield* refuse("--trace tells of one seed: expected --seed as well.")
    return yield* one(asked, given.seed.value)
  })
).pipe(Command.withDescription("Runs clusters under faults, from seeds."))

interface Asked {
  readonly tier: Tier.Tier
  readonly options: Omit<Tier.Options, "readable">
}

const refuse = (message: string) => new Unusable({ message })

const parse = (text: string, tier: Tier.Tier) =>
  Effect.gen(function* () {
    const rates: Partial<Record<Fault.Fault, number>> = {}
    for (const part of text.split(",").filter((part) => part !== "")) {
      const [name, value] = part.split("=")
      const fault = tier.faults.find((fault) => fault === name?.trim())
      const rate = value === undefined || value.trim() === "" ? Number.NaN : Number(value)
      if (fault === undefined) {
        return yield* refuse(`The ${tier.name} tier has no fault ${name}: expected ${tier.faults.join(", ")}.`)
      }
      const { unit } = Fault.faults[fault]
      const most = unit === "second" ? 1000 : 1
      if (!(rate >= 0 && rate <= most)) {
        return yield* refuse(`--faults has ${part}: expected ${fault} a ${unit}, from 0 to ${most}.`)
      }
      rates[fault] = rate
    }
    return rates
  })

/** One seed, told line by line. */
const one = ({ options, tier }: Asked, seed: number) =>
  Effect.gen(function* () {
    const outcome = tier.run(seed, { ...options, readable: true })
    for (const line of outcome.lines) yield* Console.log(line)
    yield* Console.log(`\nseed ${seed}, trace hash ${outcome.hash}`)
    if (outcome.violation === undefined) return yield* Console.log("failures 0")
    yield* Console.log(`\nFAILED: ${outcome.violation.message}`)
    return yield* Effect.sync(() => void (process.exitCode = FOUND))
  })

interface Seeds {
  readonly first: number
  readonly count: number
}

/** Seeds on several processes, and the summary. */
const many = (asked: Asked, seeds: Seeds, jobs: number, file: string | undefined) =>
  Effect.gen(function* () {
    const fresh: Resume.State = {
      what: nameOf(asked, seeds),
      piece: pieceOf(seeds, jobs),
      done: [],
      report: Runs.empty,
      spent: 0
    }
    const state = file === undefined ? fresh : yield* Resume.read(file, fresh)
    const finished = yield* Effect.scoped(run(asked, seeds, jobs, state, file))
    const lines = Runs.format(finished.report, asked.tier, asked.options, finished.spent)
    yield* Console.log(lines.join("\n"))
    yield* tellFailures(asked, finished.report)
  })

const run = (asked: Asked, seeds: Seeds, jobs: number, begin: Resume.State, file: string | undefined) =>
  Effect.gen(function* () {
    let state = begin
    const writing = yield* Effect.makeSemaphore(1)
    const progress = Progress.make(seeds.count, begin.report.seeds)
    const known = new Set(begin.done)
    const left = Array.from({ length: Math.ceil(seeds.count / begin.piece) }, (_, i) => i).filter((i) => !known.has(i))

    const work = (worker: Workers.Worker) =>
      Effect.gen(function* () {
        for (let piece = left.shift(); piece !== undefined; piece = left.shift()) {
          const offset = piece * begin.piece
          const { report, spent } = yield* worker.run({
            tier: asked.tier.name,
            first: seeds.first + offset,
            count: Math.min(begin.piece, seeds.count - offset),
            options: asked.options
          })
          state = {
            ...state,
            done: [...state.done, piece],
            report: Runs.merge(state.report, report),
            spent: state.spent + spent
          }
          progress.show(state.report.seeds, state.report.failed)
          if (file !== undefined) yield* writing.withPermits(1)(Effect.suspend(() => Resume.write(file, state)))
        }
      })

    progress.show(state.report.seeds, state.report.failed)
    const workers = Math.min(jobs, left.length)
    yield* Effect.forEach(Array.from({ length: workers }), () => Effect.flatMap(Workers.start, work), {
      concurrency: "unbounded",
      discard: true
    })
    progress.end()
    return state
  })

/** Seeds in one piece of work: many pieces a process, so that all end together; not so many that telling takes time. */
const pieceOf = ({ count }: Seeds, jobs: number): number => Math.min(200, Math.max(1, Math.floor(count / (jobs * 40))))

const tellFailures = ({ options, tier }: Asked, report: Runs.Report) =>
  Effect.gen(function* () {
    for (const { property, seed, sentence, tail, time } of report.failures) {
      yield* Console.log(`\nseed ${seed}, after ${(time / 1000).toFixed(3)} s: ${property}: ${sentence}`)
      for (const line of tail) yield* Console.log(`    ${line}`)
      yield* Console.log(`replay: npm run simulate -- ${flags({ tier, options })} --seed ${seed} --trace`)
    }
    yield* Console.log(`\nfailures ${report.failed}`)
    if (report.failed > 0) yield* Effect.sync(() => void (process.exitCode = FOUND))
  })

const flags = ({ options: { harsh, rates, replicas }, tier }: Asked): string =>
  [
    `--tier ${tier.name}`,
    ...(replicas === 3 ? [] : [`--replicas ${replicas}`]),
    ...(harsh ? ["--harsh"] : []),
    ...(rates === undefined
      ? []
      : [
          `--faults ${Object.entries(rates)
            .map(([name, rate]) => `${name}=${rate}`)
            .join(",")}`
        ])
  ].join(" ")

const nameOf = (asked: Asked, { count, first }: Seeds): string => `${flags(asked)} --from ${first} --seeds ${count}`
