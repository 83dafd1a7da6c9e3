/**
 * `model-check`: everything that can happen within bounds, in the reference model and in our own core.
 */
import { Command, Options } from "@effect/cli"
import { CoreModel, ModelCheck, ReferencePaxos } from "@synod/simulator"
import { Console, Effect, Option, Record, Schema, Struct } from "effect"

/** Two crashes: the fewest with which all that an exhausted search of the core sees is more than ten million states. */
const cores = {
  core: { ...CoreModel.defaults, crashes: 2 },
  "member-leaves": CoreModel.leaving,
  "member-replaced": CoreModel.replacing
}

const names = ["reference", "reference-two-clients", "core", "member-leaves", "member-replaced"] as const

/** The most rounds or slots that a name of an entry has room for, and far more than a search can exhaust. */
const MOST = 30

const bound = (name: BoundName, least: number, what: string) =>
  Options.integer(name).pipe(
    Options.withSchema(
      Schema.Int.pipe(
        Schema.between(least, MOST, { message: () => `--${name} is a whole number from ${least} to ${MOST}.` })
      )
    ),
    Options.withDescription(
      `${what} Default: ${Object.entries(cores)
        .map(([model, options]) => `${options[name]} of ${model}`)
        .join(", ")}.`
    ),
    Options.optional
  )

const options = {
  model: Options.choice("model", names).pipe(
    Options.withDescription("The only model to search. Without it: each of them."),
    Options.optional
  ),
  states: Options.integer("states").pipe(
    Options.withSchema(Schema.Int.pipe(Schema.positive({ message: () => "--states is a whole number from 1 on." }))),
    Options.withDescription("Stop at so many distinct states. Without it: at the end."),
    Options.optional
  ),
  depth: Options.integer("depth").pipe(
    Options.withSchema(Schema.Int.pipe(Schema.positive({ message: () => "--depth is a whole number from 1 on." }))),
    Options.withDescription("Go no further than so many actions. Without it: to the end."),
    Options.optional
  ),
  rounds: bound("rounds", 1, "The highest round of a ballot."),
  slots: bound("slots", 1, "The slots that leaders propose for."),
  pipeline: bound("pipeline", 1, "How many slots may be proposed and not yet chosen."),
  crashes: bound("crashes", 0, "Crashes in one run, of all nodes together."),
  ticks: bound("ticks", 0, "Ticks in one run, of all nodes together.")
}

export const command = Command.make("model-check", options, (given) =>
  Effect.gen(function* () {
    const wanted = Option.match(given.model, { onNone: () => names, onSome: (name) => [name] })
    let failures = 0
    for (const name of wanted) {
      const bounds = { states: Option.getOrUndefined(given.states), depth: Option.getOrUndefined(given.depth) }
      failures += yield* name === "reference" || name === "reference-two-clients"
        ? run(ReferencePaxos.make({ servers: 3, clients: name === "reference" ? 1 : 2 }), bounds)
        : run(CoreModel.make({ ...cores[name], ...coreBounds(given) }), bounds)
    }
    yield* Effect.sync(() => (process.exitCode = failures === 0 ? 0 : 1))
  })
).pipe(
  Command.withDescription("Searches all that can happen within bounds, and tells the shortest way to what must not.")
)

/** Those that were given. */
const coreBounds = (given: { readonly [Name in BoundName]: Option.Option<number> }) =>
  Record.getSomes(Struct.pick(given, "crashes", "pipeline", "rounds", "slots", "ticks"))

type BoundName = "crashes" | "pipeline" | "rounds" | "slots" | "ticks"

/** Searches to the end, telling now and then how far it is; gives the number of failures. */
const run = <State, Action>(model: ModelCheck.Model<State, Action>, bounds: ModelCheck.Bounds) =>
  Effect.gen(function* () {
    yield* Console.log(model.name)
    const clock = yield* Effect.clock
    const begin = clock.unsafeCurrentTimeMillis()
    const searching = ModelCheck.search(model, bounds)
    let told = begin
    for (;;) {
      const { done, value } = searching.next()
      const now = clock.unsafeCurrentTimeMillis()
      if (done === true) {
        yield* Console.log(`${ModelCheck.summary(model, value)}; ${pace(value, now - begin)}`)
        yield* Console.log(`failures ${value.failures.length}`)
        for (const failure of value.failures) yield* Console.error(ModelCheck.story(model, failure))
        return value.failures.length
      }
      if (now - told < PROGRESS_MILLIS) continue
      told = now
      yield* Console.log(
        `  ${value.states} states, depth ${value.depth}, frontier ${value.frontier}, ${pace(value, now - begin)}`
      )
      // An interrupt gets its turn.
      yield* Effect.yieldNow()
    }
  })

/** Milliseconds between two lines of progress. */
const PROGRESS_MILLIS = 5_000

const pace = ({ states }: ModelCheck.Progress, millis: number): string =>
  `${(millis / 1_000).toFixed(1)} s, ${Math.round(states / Math.max(0.001, millis / 1_000))} states/s, ${Math.round(
    process.memoryUsage().rss / 2 ** 20
  )} MiB`
