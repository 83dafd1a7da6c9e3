/**
 * Two-phase transfers: reserved first, then settled (in full or for less) or voided.
 */
import type { BigDecimal } from "effect"
import { Schema } from "effect"
import { AccountName } from "./AccountName.js"
import * as Amount from "./Amount.js"
import { LocalDate } from "./LocalDate.js"
import * as Text from "./Text.js"
import type { Posting, Transaction } from "./Transaction.js"

/** From the credited account to the debited one. */
export const Transfer = Schema.Struct({
  date: LocalDate,
  description: Text.Line(1000),
  debit: AccountName,
  credit: AccountName,
  amount: Amount.PositiveAmount
}).pipe(Schema.filter((transfer) => transfer.debit !== transfer.credit || "two different accounts"))
export type Transfer = typeof Transfer.Type

export const sameTransfer = Schema.equivalence(Transfer)

export const Status = Schema.Union(
  Schema.TaggedStruct("Open", {}),
  Schema.TaggedStruct("Settled", { quantity: Amount.Amount.fields.quantity }),
  Schema.TaggedStruct("Voided", {})
)
export type Status = typeof Status.Type

/** Kept after it is closed: a late or repeated Settle must find out what became of it. */
export const Reservation = Schema.Struct({ transfer: Transfer, status: Status })
export type Reservation = typeof Reservation.Type

export const postings = (self: Transfer, amount: Amount.Amount): readonly [Posting, Posting] => [
  { account: self.debit, amount },
  { account: self.credit, amount: Amount.negate(amount) }
]

/** The transaction a reservation becomes when `quantity` of it is settled. */
export const settled = (self: Transfer, quantity: BigDecimal.BigDecimal): Transaction => ({
  date: self.date,
  description: self.description,
  postings: postings(self, { ...self.amount, quantity })
})
