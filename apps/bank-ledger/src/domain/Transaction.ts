/**
 * What a bookkeeper writes: a day, a description, and postings that balance.
 */
import { BigDecimal, Schema } from "effect"
import { AccountName } from "./AccountName.js"
import * as Amount from "./Amount.js"
import type { Commodity } from "./Commodity.js"
import { LocalDate } from "./LocalDate.js"
import * as Text from "./Text.js"

/**
 * Chosen by whoever posts, so that a repeat is known as one. One namespace with reservations: a reservation
 * becomes the transaction of the same id.
 */
export const TransactionId = Schema.String.pipe(
  Schema.minLength(1),
  Schema.maxLength(128),
  Schema.filter((text) => Text.isPlain(text) || "an id without control characters"),
  Schema.brand("TransactionId")
)
export type TransactionId = typeof TransactionId.Type

/** Longest comment of a transaction or posting, all its lines together. */
export const maximumComment = 4000

/** Debits are positive, credits negative. */
export const Posting = Schema.Struct({
  account: AccountName,
  amount: Amount.Amount,
  /** What the amount cost or fetched as a whole, with the amount's sign, where another commodity was given for it. */
  cost: Schema.optionalWith(Amount.Amount, { exact: true }),
  comment: Schema.optionalWith(Text.Lines(maximumComment), { exact: true })
})
export type Posting = typeof Posting.Type

/** Most postings of one transaction: bounds the work of a single command. */
export const maximumPostings = 1000

export const Transaction = Schema.Struct({
  date: LocalDate,
  secondaryDate: Schema.optionalWith(LocalDate, { exact: true }),
  status: Schema.optionalWith(Schema.Literal("Pending", "Cleared"), { exact: true }),
  code: Schema.optionalWith(Text.Line(200), { exact: true }),
  /** Payee, or `payee | note`. */
  description: Text.Line(1000),
  comment: Schema.optionalWith(Text.Lines(maximumComment), { exact: true }),
  postings: Schema.Array(Posting).pipe(Schema.minItems(2), Schema.maxItems(maximumPostings))
})
export type Transaction = typeof Transaction.Type

export const equivalence = Schema.equivalence(Transaction)

/** What a posting weighs in its transaction: its cost where it has one, as hledger does. */
export interface Weighable {
  readonly amount: Amount.Amount
  readonly cost?: Amount.Amount | undefined
}

export const weight = (posting: Weighable): Amount.Amount => posting.cost ?? posting.amount

/**
 * By how much the postings are off, per commodity; empty if they balance.
 *
 * Amounts must cancel exactly. Where a cost in that commodity takes part, half a unit of the last decimal in use
 * (`precision`) is forgiven: `3 USD @ 0.33333 EUR` against `-1.00 EUR` is how people and hledger write it. Nothing
 * is lost by that: what changed hands is booked exactly, in each commodity, as an exchange.
 */
export const imbalance = (
  postings: Iterable<Weighable>,
  precision: (commodity: Commodity) => number | undefined
): ReadonlyArray<Amount.Amount> => {
  const weights: Array<Amount.Amount> = []
  const costed = new Set<Commodity>()
  for (const posting of postings) {
    weights.push(weight(posting))
    if (posting.cost !== undefined) costed.add(posting.cost.commodity)
  }
  return Amount.total(weights).filter((sum) => {
    if (Amount.isZero(sum)) return false
    const decimals = costed.has(sum.commodity) ? precision(sum.commodity) : undefined
    return (
      decimals === undefined || BigDecimal.greaterThan(BigDecimal.abs(sum.quantity), BigDecimal.make(5n, decimals + 1))
    )
  })
}
