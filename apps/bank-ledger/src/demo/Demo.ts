/**
 * The main job, told as it happens: a bank's year is imported, the leader is killed in the middle, another one takes over, the
 * import completes, the killed replica returns and catches up. In the end every claim is checked.
 */
import { BigDecimal, Clock, Console, Duration, Effect, Fiber, Option, Schedule } from "effect"
import * as Path from "node:path"
import { Bank } from "../Bank.js"
import * as Amount from "../domain/Amount.js"
import * as Importer from "../import/Importer.js"
import * as JournalReader from "../import/JournalReader.js"
import * as Plan from "../import/Plan.js"
import { Cluster } from "./Cluster.js"
import * as Progress from "./Progress.js"
import * as Verdict from "./Verdict.js"

export const samplePath = Path.resolve(import.meta.dirname, "../../sample/bank.journal")

/** A new leader must answer within this. */
const longestPause = Duration.seconds(1)

/** Succeeds with whether all held. */
export const run = Effect.gen(function* () {
  const cluster = yield* Cluster
  yield* Console.log(`Synod: a bank ledger on ${cluster.setting}, one SQLite journal each`)
  const [plan] = Plan.make([yield* JournalReader.read(samplePath)])
  if (plan === undefined || plan.problems.length > 0) {
    return yield* Effect.dieMessage(`the sample can't be read: ${plan?.problems[0]?.message}`)
  }
  const postings = plan.transactions.reduce((sum, { transaction }) => sum + transaction.postings.length, 0)
  yield* Console.log(
    `  the sample: a year, ${count(plan.transactions.length)} transactions, ${count(postings)} postings, ${count(
      plan.accounts.length
    )} accounts`
  )
  yield* Console.log(`  node ${yield* leader} leads`)

  const total = Importer.size(plan)
  const progress = Progress.make(total)
  const importing = yield* Effect.fork(
    Importer.run(plan, {
      overdraft: { _tag: "Unlimited" },
      keepGoing: false,
      onProgress: progress.step
    })
  )

  yield* progress.reached(total / 2)
  const killed = yield* leader
  yield* Console.log(`\n  node ${killed}, the leader, is killed: ${cluster.killing}`)
  yield* progress.watch
  yield* cluster.kill(killed)
  const successor = yield* leader
  yield* Console.log(`  node ${successor} leads`)

  const report = yield* Fiber.join(importing)
  const pause = progress.longestPause()
  yield* Console.log(`\n  the import is complete, in ${(progress.elapsed() / 1000).toFixed(1)} s`)

  const returnedAt = yield* Clock.currentTimeMillis
  yield* cluster.start(killed)
  const target = (yield* cluster.status(successor)).chosenThrough
  yield* until(
    Effect.map(cluster.status(killed), ({ appliedThrough }) => appliedThrough >= target),
    "30 seconds"
  )
  const caughtUp = (yield* Clock.currentTimeMillis) - returnedAt
  yield* Console.log(`  node ${killed} is back and has caught up, ${count(target)} slots in ${caughtUp} ms`)

  yield* until(
    Effect.map(Effect.forEach(cluster.nodes, cluster.status), (all) =>
      all.every(({ appliedThrough }) => appliedThrough === all[0]!.appliedThrough)
    ),
    "10 seconds"
  )
  const digests = yield* Effect.forEach(cluster.nodes, (node) =>
    Effect.map(cluster.digest(node), (digest) => ({ node, ...digest }))
  )
  const bank = yield* Bank.client
  const { accounts, exchanged } = yield* bank.TrialBalance()
  const outOfBalance = Amount.total([...accounts.flatMap(({ balances }) => balances), ...exchanged]).filter(
    ({ quantity }) => !BigDecimal.isZero(quantity)
  )

  return yield* Verdict.report({
    throughput: total / (progress.elapsed() / 1000),
    pause,
    longestPause: Duration.toMillis(longestPause),
    planned: plan.transactions.length,
    posted: report.posted,
    again: report.before,
    refused: report.refused.length + report.left,
    balances: totals(accounts),
    outOfBalance,
    digests
  })
})

/** The node that leads, once one does and says so. */
const leader = Effect.gen(function* () {
  const cluster = yield* Cluster
  const statuses = yield* Effect.forEach(cluster.nodes, (node) => Effect.option(cluster.status(node)), {
    concurrency: "unbounded"
  })
  const leading = statuses.flatMap((status) =>
    Option.isSome(status) && status.value.phase === "Leading" ? [status.value] : []
  )
  // A leader that was deposed may not know yet; the others follow the right one.
  const followed = leading.find(
    ({ node }) =>
      statuses.filter((status) => Option.isSome(status) && status.value.leader === node).length > size(statuses) / 2
  )
  return yield* followed === undefined ? Effect.fail("NoLeader" as const) : Effect.succeed(followed.node)
}).pipe(
  Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 1000 }),
  Effect.orDieWith(() => new Error("no leader within 20 seconds"))
)

const size = (statuses: ReadonlyArray<unknown>) => statuses.length

const until = <E, R>(condition: Effect.Effect<boolean, E, R>, bound: Duration.DurationInput) =>
  condition.pipe(
    Effect.orElseSucceed(() => false),
    Effect.filterOrFail(
      (holds) => holds,
      () => "NotYet" as const
    ),
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo(bound))),
    Effect.ignore
  )

const totals = (
  accounts: ReadonlyArray<{ readonly account: string; readonly balances: ReadonlyArray<Amount.Amount> }>
) => {
  const roots = new Map<string, Array<Amount.Amount>>()
  for (const { account, balances } of accounts) {
    const root = account.split(":")[0]!
    roots.set(root, [...(roots.get(root) ?? []), ...balances])
  }
  return Array.from(roots, ([root, amounts]) => ({ root, amounts: Amount.total(amounts) }))
}

const count = (n: number): string => n.toLocaleString("en-GB")
