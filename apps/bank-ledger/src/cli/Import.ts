/**
 * `import FILE…` and `check FILE…`
 */
import { Args, Command, Options } from "@effect/cli"
import { Console, Effect } from "effect"
import type { Overdraft } from "../domain/Account.js"
import * as Import from "../import/Import.js"
import * as Importer from "../import/Importer.js"
import type { Plan } from "../import/Plan.js"
import { CliFailure, counted } from "./Failure.js"
import { Progress } from "./Progress.js"

const files = Args.text({ name: "file" }).pipe(
  Args.withDescription("A journal of hledger or ledger, or a table written by hledger print -O csv."),
  Args.atLeast(1)
)

const format = Options.choice("format", Import.formats).pipe(
  Options.withDescription("What the files are; auto takes .csv for a table and all else for a journal."),
  Options.withDefault("auto" as const)
)

const keepGoing = Options.boolean("keep-going").pipe(
  Options.withDescription("Import what is in order, even if something else in the files is not.")
)

const overdraft = Options.choiceWithValue("overdraft", [
  ["unlimited", { _tag: "Unlimited" }],
  ["none", { _tag: "None" }]
] satisfies Array<[string, Overdraft]>).pipe(
  Options.withDescription("Whether accounts opened by this import may go below zero, as they may in a journal."),
  Options.withDefault({ _tag: "Unlimited" } as Overdraft)
)

export const settings = { files, format, keepGoing, overdraft }

/** Posts what files hold. Unless told to keep going, nothing at all is posted if anything in them is wrong. */
export const runImport = (options: {
  readonly files: ReadonlyArray<string>
  readonly format: Import.Format
  readonly keepGoing: boolean
  readonly overdraft: Overdraft
}) =>
  Effect.gen(function* () {
    const plans = yield* Import.read(options.files, options.format)
    const problems = plans.flatMap((plan) => plan.problems)
    if (problems.length > 0 && !options.keepGoing) {
      return yield* new CliFailure({
        problems,
        sentence: `Nothing was imported because of ${counted(problems.length, "problem")}; with --keep-going, what is in order is.`
      })
    }
    const progress = yield* Progress
    const onProgress = yield* progress.start(
      "Importing",
      plans.reduce((sum, plan) => sum + Importer.size(plan), 0)
    )
    const reports = yield* Effect.forEach(plans, (plan) => Importer.run(plan, { ...options, onProgress }))
    const sum = (of: (report: Importer.Report) => number) => reports.reduce((sum, report) => sum + of(report), 0)
    const [posted, before, reworded, left] = [
      sum((report) => report.posted),
      sum((report) => report.before),
      sum((report) => report.reworded),
      sum((report) => report.left)
    ]
    yield* Console.log(
      `Imported ${counted(posted, "transaction")}` +
        (before > 0 ? `; ${before} had been imported before` : "") +
        (reworded > 0 ? ` (${reworded} in other words, which stand)` : "") +
        "."
    )
    const refused = reports.flatMap((report) => report.refused)
    if (problems.length + refused.length > 0) {
      return yield* new CliFailure({
        problems: [...problems, ...refused],
        sentence:
          `Not imported because of ${counted(problems.length + refused.length, "problem")}` +
          (left > 0 ? `, and ${counted(left, "transaction")} after ${left === 1 ? "it" : "them"}.` : ".")
      })
    }
  })

/** Reads files and reports what is wrong with them; asks nothing of the bank. */
export const check = Command.make("check", { files, format }, ({ files, format }) =>
  Effect.gen(function* () {
    const plans = yield* Import.read(files, format)
    const problems = plans.flatMap((plan: Plan) => plan.problems)
    const transactions = plans.reduce((sum, plan) => sum + plan.transactions.length + plan.idle, 0)
    if (problems.length > 0) {
      return yield* new CliFailure({ problems, sentence: `Found ${counted(problems.length, "problem")}.` })
    }
    yield* Console.log(`${counted(transactions, "transaction")} in order.`)
  })
).pipe(Command.withDescription("Read files and report what is wrong with them, without importing anything."))
