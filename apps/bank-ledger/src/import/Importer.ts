/**
 * Has a plan carried out by a bank.
 */
import { Outcome } from "@synod/state-machine"
import { Data, Effect, Schema } from "effect"
import { Bank } from "../Bank.js"
import type { Overdraft } from "../domain/Account.js"
import { type Plan, type Planned, sideOf } from "./Plan.js"
import * as Problem from "./Problem.js"

/** How many transactions are on their way at once; they set out in the plan's order. */
export const inFlight = 256

export interface Options {
  /** Granted to accounts that the import opens; those already open keep their terms. */
  readonly overdraft: Overdraft
  /** Go on after a transaction that the bank refuses. */
  readonly keepGoing: boolean
  /** Run after each command that was answered. */
  readonly onProgress: Effect.Effect<void>
}

export interface Report {
  readonly posted: number
  /** Transactions that an earlier import had posted. */
  readonly before: number
  /** Of those, how many had other words then (description, comment, status): the first import's stand. */
  readonly reworded: number
  readonly refused: ReadonlyArray<Problem.Problem>
  /** Not asked for any more after a refusal. */
  readonly left: number
}

/** The bank could not be reached, or gave no answer. */
export class ImportInterrupted extends Data.TaggedError("ImportInterrupted")<{ readonly reason: string }> {
  override get message() {
    return `The import was interrupted (${this.reason}); run it again, nothing is posted twice.`
  }
}

/** Commands that a plan takes, for a progress bar. */
export const size = (plan: Plan): number => plan.styles.size + plan.accounts.length + plan.transactions.length

/**
 * Carries a plan out. With an overdraft that is limited, what is posted first decides what can be posted next: then one
 * transaction is sent at a time, and the first refusal ends it before anything behind it is posted.
 */
export const run = (plan: Plan, { keepGoing, onProgress, overdraft }: Options) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    const counts = { posted: 0, before: 0, reworded: 0, left: 0 }
    const refused: Array<Problem.Problem> = []

    const post = ({ id, named, position, transaction }: Planned) =>
      answered(bank.PostTransaction({ id, transaction })).pipe(
        Effect.match({
          onSuccess: (outcome) => {
            if (outcome === "Posted") counts.posted++
            else counts.before++
          },
          onFailure: (refusal) => {
            if (refusal._tag === "DuplicateId" && !named) {
              // The id stands for what was moved: that is the same, so only the words can differ.
              counts.before++
              counts.reworded++
            } else {
              refused.push(Problem.at(position, refusal.message))
            }
          }
        })
      )

    for (const [commodity, style] of plan.styles) {
      yield* answered(bank.DescribeCommodity({ commodity, style }))
      yield* onProgress
    }
    yield* Effect.forEach(
      plan.accounts,
      (account) =>
        answered(bank.OpenAccount({ account, side: sideOf(account), overdraft })).pipe(
          Effect.catchTag("AccountExists", () => Effect.void),
          Effect.zipRight(onProgress)
        ),
      { concurrency: inFlight, discard: true }
    )
    yield* Effect.forEach(
      plan.transactions,
      (planned) =>
        Effect.suspend(() => {
          if (refused.length === 0 || (keepGoing && refused.length < Problem.maximumProblems)) {
            return Effect.zipRight(post(planned), onProgress)
          }
          counts.left++
          return Effect.void
        }),
      { concurrency: overdraft._tag === "Unlimited" ? inFlight : 1, discard: true }
    )
    return { ...counts, refused } satisfies Report
  })

const isOverloaded = Schema.is(Outcome.Overloaded)
const Unanswered = Schema.Union(
  Outcome.Unavailable,
  Outcome.OutcomeUnknown,
  Outcome.SessionExpired,
  Outcome.CommandDefect
)
const isUnanswered = Schema.is(Unanswered)

/** Waits as long as an overloaded bank asks for; whatever else comes in the way of an answer interrupts the import. */
const answered = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  call.pipe(
    Effect.tapError((error) => (isOverloaded(error) ? Effect.sleep(error.retryAfter) : Effect.void)),
    Effect.retry({ while: isOverloaded }),
    Effect.mapError((error) =>
      isOverloaded(error) || isUnanswered(error)
        ? new ImportInterrupted({ reason: error.message })
        : (error as Exclude<E, Outcome.Overloaded | typeof Unanswered.Type>)
    )
  )
