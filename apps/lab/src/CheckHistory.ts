/**
 * `check-history`: whether recorded histories are linearizable, and a picture of those that are not.
 */
import { Args, Command, Options } from "@effect/cli"
import { FileSystem, Path } from "@effect/platform"
import { History, Linearizability, Models, Shrink, Timeline } from "@synod/simulator"
import { Console, Data, Effect, Either, Option } from "effect"
import { parseVerdicts, type Row } from "./Verdicts.js"

/** What the command can't do anything with; said in one sentence. */
export class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

/** Exit codes, worst last. */
const FINE = 0
const FOUND = 1
const UNCLEAR = 2

const modelNames = ["register", "append", "lock", "bank"] as const

const files = Args.text({ name: "FILE" }).pipe(
  Args.withDescription("A history: one operation a line, as JSON."),
  Args.repeated
)

const options = {
  model: Options.choice("model", modelNames).pipe(
    Options.withDescription("What the history is of. Without it: what the names of its operations tell."),
    Options.optional
  ),
  initial: Options.text("initial").pipe(
    Options.withDescription("The state before the first operation, as JSON. Without it: the model's own."),
    Options.optional
  ),
  html: Options.text("html").pipe(
    Options.withDescription("The folder for pictures of failing histories."),
    Options.withDefault(".data/histories")
  ),
  verdicts: Options.text("verdicts").pipe(
    Options.withDescription(
      "A file of expected verdicts: file, model, initial state, Ok or Illegal, separated by tabs. Without FILE, all of it."
    ),
    Options.optional
  ),
  seconds: Options.integer("seconds").pipe(
    Options.withDescription("How long to look at one history before giving up."),
    Options.withDefault(60)
  )
}

/** One file to check, and what is known about it. */
interface Task {
  readonly file: string
  readonly model: Models.Name | undefined
  readonly initial: unknown
  readonly expected: Row["verdict"] | undefined
}

interface Checked {
  readonly task: Task
  readonly verdict: Linearizability.Verdict
  readonly seconds: number
}

export const command = Command.make("check-history", { ...options, files }, (given) =>
  Effect.gen(function* () {
    const tasks = yield* tasksOf(given)
    if (tasks.length === 0)
      return yield* new Unusable({ message: "Expected the name of at least one file of a history." })
    const checked: Array<Checked> = []
    for (const task of tasks) checked.push(yield* checkFile(task, given.html, given.seconds))
    yield* summary(checked)
    const code = Option.isSome(given.verdicts) ? codeOfComparison(checked) : codeOf(checked)
    yield* Effect.sync(() => (process.exitCode = code))
  }).pipe(
    Effect.catchTag("Unusable", ({ message }) =>
      Effect.zipRight(
        Console.error(message),
        Effect.sync(() => (process.exitCode = UNCLEAR))
      )
    )
  )
).pipe(Command.withDescription("Tells whether recorded histories of clients are linearizable."))

interface Given {
  readonly files: ReadonlyArray<string>
  readonly model: Option.Option<Models.Name>
  readonly initial: Option.Option<string>
  readonly verdicts: Option.Option<string>
}

const tasksOf = (given: Given) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const initial = yield* Option.match(given.initial, {
      onNone: () => Effect.succeed(undefined),
      onSome: (text) => parseJson(text, "--initial")
    })
    const asked = { model: Option.getOrUndefined(given.model), initial }
    if (Option.isNone(given.verdicts)) {
      return given.files.map((file): Task => ({ file, ...asked, expected: undefined }))
    }
    const list = given.verdicts.value
    const text = yield* read(list)
    const rows = yield* Either.mapLeft(parseVerdicts(list, text), (message) => new Unusable({ message }))
    const all = rows.map(({ file, initial, model, verdict }): Task => ({
      file: path.join(path.dirname(list), file),
      model: asked.model ?? model,
      initial: asked.initial ?? initial,
      expected: verdict
    }))
    if (given.files.length === 0) return all
    const known = new Map(all.map((task) => [path.resolve(task.file), task]))
    return yield* Effect.forEach(given.files, (file) => {
      const task = known.get(path.resolve(file))
      return task === undefined
        ? new Unusable({ message: `${list} has no verdict for ${file}.` })
        : Effect.succeed(task)
    })
  })

const checkFile = (task: Task, folder: string, seconds: number) =>
  Effect.gen(function* () {
    const history = yield* Either.mapLeft(
      History.parse(task.file, yield* read(task.file)),
      ({ message }) => new Unusable({ message })
    )
    const name = yield* modelOf(task, history)
    const model = Models.byName(name, task.initial)
    const clock = yield* Effect.clock
    const start = clock.unsafeCurrentTimeMillis()
    const budget = { isOver: () => clock.unsafeCurrentTimeMillis() - start > seconds * 1_000 }
    const verdict = yield* Effect.sync(() => Linearizability.check(model, history, budget))
    const took = (clock.unsafeCurrentTimeMillis() - start) / 1_000
    const unexpected =
      task.expected !== undefined && task.expected !== word(verdict) ? `, expected ${task.expected}` : ""
    yield* Console.log(
      `${(word(verdict) + unexpected).padEnd(8)} ${`${took.toFixed(2)} s`.padStart(8)} ${String(history.length).padStart(7)} operations  ${task.file} (${name})`
    )
    if (verdict._tag === "Unknown") yield* Console.log(`         gave up: ${verdict.reason}`)
    // What is known to fail needs no picture.
    if (verdict._tag === "NotLinearizable" && task.expected !== "Illegal") {
      yield* showFailure(task.file, folder, model, verdict)
    }
    return { task, verdict, seconds: took }
  })

/** How long to look for a smaller history, in milliseconds: a person waits for it. */
const SHRINK_MILLIS = 10_000

/** How many operations that don't matter are shown in text together with those that do. */
const MOST_NEAR = 16

const showFailure = (
  file: string,
  folder: string,
  model: ReturnType<typeof Models.byName>,
  verdict: Linearizability.NotLinearizable
) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const clock = yield* Effect.clock
    const start = clock.unsafeCurrentTimeMillis()
    const isOver = () => clock.unsafeCurrentTimeMillis() - start > SHRINK_MILLIS
    const shrunk = Shrink.shrink(model, verdict, { budget: { configurations: 200_000, isOver } })
    const title = `${file} is not linearizable`
    const near = shrunk.free.filter(({ call }) => call >= shrunk.kept[0]!.call).slice(-MOST_NEAR)
    yield* Console.log(`\n${Timeline.text(Timeline.failure(model, title, shrunk, near))}`)
    const before = verdict.operations.filter(({ call }) => call <= shrunk.verdict.culprit.ret!)
    const page = path.join(folder, `${file.replace(/^[./\\]+/, "").replace(/[^A-Za-z0-9._-]+/g, "-")}.html`)
    yield* files.makeDirectory(folder, { recursive: true }).pipe(
      Effect.zipRight(files.writeFileString(page, Timeline.html(Timeline.failure(model, title, shrunk, before)))),
      Effect.mapError(() => new Unusable({ message: `The picture ${page} can't be written.` }))
    )
    yield* Console.log(`The picture with all that came before: ${page}\n`)
  })

/** The model that was asked for, or the first one that knows all operations; with a sentence if that can't be. */
const modelOf = ({ file, model }: Task, history: History.History) => {
  const names = new Set(history.map(({ name }) => name))
  const knows = (candidate: Models.Name) => [...names].every((name) => Models.operations[candidate].includes(name))
  const found = (model === undefined ? modelNames : [model]).find(knows)
  if (found !== undefined) return Effect.succeed(found)
  const known = (name: Models.Name) => `${name} (${Models.operations[name].join(", ")})`
  const expected = model === undefined ? `one of ${modelNames.map(known).join("; ")}` : known(model)
  return new Unusable({
    message: `${file} has the operations ${[...names].join(", ")}: expected those of ${expected}.`
  })
}

const read = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(file)).pipe(
    Effect.mapError(() => new Unusable({ message: `${file} can't be read: expected the name of a file.` }))
  )

const parseJson = (text: string, what: string) =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => new Unusable({ message: `${what} is ${text}: expected JSON.` })
  })

const words = { Linearizable: "Ok", NotLinearizable: "Illegal", Unknown: "Unknown" } as const

const word = ({ _tag }: Linearizability.Verdict): "Ok" | "Illegal" | "Unknown" => words[_tag]

const isUnknown = ({ verdict }: Checked): boolean => verdict._tag === "Unknown"

const codeOf = (checked: ReadonlyArray<Checked>): number =>
  checked.some(({ verdict }) => verdict._tag === "NotLinearizable") ? FOUND : checked.some(isUnknown) ? UNCLEAR : FINE

const codeOfComparison = (checked: ReadonlyArray<Checked>): number =>
  checked.some(isWrong) ? FOUND : checked.some(isUnknown) ? UNCLEAR : FINE

const isWrong = (checked: Checked): boolean => !isUnknown(checked) && checked.task.expected !== word(checked.verdict)

const summary = (checked: ReadonlyArray<Checked>) => {
  const count = (tag: Linearizability.Verdict["_tag"]) => checked.filter(({ verdict }) => verdict._tag === tag).length
  const slowest = checked.reduce((a, b) => (b.seconds > a.seconds ? b : a))
  const compared = checked.filter(({ task }) => task.expected !== undefined)
  const matching = compared.filter(({ task, verdict }) => task.expected === word(verdict)).length
  return Console.log(
    [
      "",
      `${checked.length} ${checked.length === 1 ? "history" : "histories"}: ${count("Linearizable")} linearizable, ${count("NotLinearizable")} not, ${count("Unknown")} unknown.`,
      ...(compared.length === 0 ? [] : [`${matching} of ${compared.length} verdicts match.`]),
      `Slowest: ${slowest.task.file}, ${slowest.seconds.toFixed(2)} s.`
    ].join("\n")
  )
}
