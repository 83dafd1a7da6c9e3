/**
 * One account: its terms, its position in each commodity, and its statement.
 */
import { BigDecimal, HashMap, Option, Schema } from "effect"
import { Amount } from "./Amount.js"
import { Commodity } from "./Commodity.js"
import * as Quantity from "./Quantity.js"
import { TransactionId } from "./Transaction.js"

/**
 * The side on which the account grows. What a bank owes its customers is a liability: credit, negative in the
 * books. A customer's "money in the account" is therefore the balance seen from the account's own side.
 */
export const Side = Schema.Literal("Debit", "Credit")
export type Side = typeof Side.Type

/** How far an account may go below zero, seen from its own side. Commodities not named may not. */
export const Overdraft = Schema.Union(
  Schema.TaggedStruct("None", {}),
  Schema.TaggedStruct("Unlimited", {}),
  Schema.TaggedStruct("UpTo", { limits: Schema.Array(Amount).pipe(Schema.maxItems(100)) })
)
export type Overdraft = typeof Overdraft.Type

export const Terms = Schema.Struct({ side: Side, overdraft: Overdraft })
export type Terms = typeof Terms.Type

/** Whether two openings of an account ask for the same. */
export const sameTerms = Schema.equivalence(Terms)

export const Position = Schema.Struct({
  /** Sum of all postings; debits positive. */
  posted: Quantity.Quantity,
  /** Held by open reservations that would take it out; never negative. */
  reserved: Quantity.Quantity
})
export type Position = typeof Position.Type

/** A line of the statement: what was posted, and the balance of that commodity just after. */
export const Line = Schema.Struct({
  transaction: TransactionId,
  amount: Amount,
  balance: Quantity.Quantity
})
export type Line = typeof Line.Type

/**
 * Lines are numbered from 1 in the order they were posted and kept in a persistent map: adding one shares all the
 * others with the state before, and a page of a statement is read without walking what precedes it.
 */
export const Account = Schema.Struct({
  terms: Terms,
  frozen: Schema.Boolean,
  positions: Schema.HashMap({ key: Commodity, value: Position }),
  lines: Schema.HashMap({ key: Schema.Int, value: Line })
})
export type Account = typeof Account.Type

export const open = (terms: Terms): Account => ({
  terms,
  frozen: false,
  positions: HashMap.empty(),
  lines: HashMap.empty()
})

const flat: Position = { posted: Quantity.zero, reserved: Quantity.zero }

export const position = (self: Account, commodity: Commodity): Position =>
  Option.getOrElse(HashMap.get(self.positions, commodity), () => flat)

/** How much a change takes out of the account; negative if it puts in. */
export const outflow = (self: Account, change: Quantity.Quantity): Quantity.Quantity =>
  self.terms.side === "Debit" ? BigDecimal.negate(change) : change

/** Posted less what reservations hold, with the books' sign. */
export const available = (self: Account, { posted, reserved }: Position): Quantity.Quantity =>
  self.terms.side === "Debit" ? BigDecimal.subtract(posted, reserved) : BigDecimal.sum(posted, reserved)

/** What may still be taken out of the account in a commodity, overdraft included; none if there is no limit. */
export const headroom = (self: Account, commodity: Commodity): Option.Option<Quantity.Quantity> => {
  if (self.terms.overdraft._tag === "Unlimited") return Option.none()
  const free = available(self, position(self, commodity))
  const own = self.terms.side === "Debit" ? free : BigDecimal.negate(free)
  const limit =
    self.terms.overdraft._tag === "None"
      ? undefined
      : self.terms.overdraft.limits.find((limit) => limit.commodity === commodity)
  return Option.some(limit === undefined ? own : BigDecimal.sum(own, limit.quantity))
}

/** Adds a posting: moves the position and writes the next line. */
export const post =
  (transaction: TransactionId, amount: Amount) =>
  (self: Account): Account => {
    const before = position(self, amount.commodity)
    const balance = BigDecimal.sum(before.posted, amount.quantity)
    return {
      ...self,
      positions: HashMap.set(self.positions, amount.commodity, { ...before, posted: balance }),
      lines: HashMap.set(self.lines, HashMap.size(self.lines) + 1, { transaction, amount, balance })
    }
  }

/** Whether a posting of this amount would take something out, rather than put in. */
export const takes = (self: Account, amount: Amount): boolean => BigDecimal.isPositive(outflow(self, amount.quantity))

/** Changes by `quantity` what reservations hold of a commodity. */
export const reserve =
  (commodity: Commodity, quantity: Quantity.Quantity) =>
  (self: Account): Account => {
    const before = position(self, commodity)
    return {
      ...self,
      positions: HashMap.set(self.positions, commodity, {
        ...before,
        reserved: BigDecimal.sum(before.reserved, quantity)
      })
    }
  }
