/**
 * The bank: what may be asked of it. Shared by servers, clients and browsers; no I/O, no handlers.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Schema } from "effect"
import { Terms } from "./domain/Account.js"
import { AccountName } from "./domain/AccountName.js"
import { Amount } from "./domain/Amount.js"
import { Commodity, Style } from "./domain/Commodity.js"
import * as Errors from "./domain/Errors.js"
import * as Ledger from "./domain/Ledger.js"
import { LocalDate } from "./domain/LocalDate.js"
import { PositiveQuantity, Quantity } from "./domain/Quantity.js"
import { Transfer } from "./domain/Reservation.js"
import { Transaction, TransactionId } from "./domain/Transaction.js"

export { check } from "./domain/Audit.js"

/** Whether a command did something now, or was a repeat of one that had done it before. */
export const Outcome = Schema.Literal("Posted", "PostedBefore")

// Commands

/** Opens an account; again on the same terms it does nothing. */
const OpenAccount = Rpc.make("OpenAccount", {
  payload: { account: AccountName, ...Terms.fields },
  error: Errors.AccountExists
})

/** Posts a balanced transaction; again under the same id with the same content it does nothing. */
const PostTransaction = Rpc.make("PostTransaction", {
  payload: { id: TransactionId, transaction: Transaction },
  success: Outcome,
  error: Schema.Union(
    Errors.Unbalanced,
    Errors.AccountNotFound,
    Errors.AccountFrozen,
    Errors.InsufficientFunds,
    Errors.DuplicateId
  )
})

/** First phase of a transfer: from here on its money can't be spent otherwise. */
const Reserve = Rpc.make("Reserve", {
  payload: { id: TransactionId, transfer: Transfer },
  error: Schema.Union(Errors.AccountNotFound, Errors.AccountFrozen, Errors.InsufficientFunds, Errors.DuplicateId)
})

/** Second phase: posts what was reserved, or only `quantity` of it; the rest is free again. */
const Settle = Rpc.make("Settle", {
  payload: Schema.Struct({ id: TransactionId, quantity: Schema.optionalWith(PositiveQuantity, { exact: true }) }),
  error: Schema.Union(
    Errors.ReservationNotFound,
    Errors.ReservationClosed,
    Errors.SettlementTooLarge,
    Errors.AccountNotFound,
    Errors.AccountFrozen
  )
})

/** Second phase, the other way: all that was reserved is free again. */
const Void = Rpc.make("Void", {
  payload: { id: TransactionId },
  error: Schema.Union(Errors.ReservationNotFound, Errors.ReservationClosed)
})

/** Nothing can be posted to a frozen account, nor reserved from or for it. */
const FreezeAccount = Rpc.make("FreezeAccount", { payload: { account: AccountName }, error: Errors.AccountNotFound })
const UnfreezeAccount = Rpc.make("UnfreezeAccount", {
  payload: { account: AccountName },
  error: Errors.AccountNotFound
})

/** Says how amounts of a commodity are written; the first to say so decides the look, anyone can add decimals. */
const DescribeCommodity = Rpc.make("DescribeCommodity", { payload: { commodity: Commodity, style: Style } })

// Queries

/** An account's position in each commodity it ever held; debits positive. */
const Balance = Rpc.make("Balance", {
  payload: { account: AccountName },
  success: Schema.Array(
    Schema.Struct({
      commodity: Commodity,
      posted: Quantity,
      /** Posted less what open reservations hold; without any overdraft. */
      available: Quantity
    })
  ),
  error: Errors.AccountNotFound
})

/** Most lines of one page. */
export const maximumPage = 1000

export const StatementLine = Schema.Struct({
  /** From 1, in the order of posting. */
  number: Schema.Int,
  transaction: TransactionId,
  date: LocalDate,
  description: Schema.String,
  amount: Amount,
  /** Of the amount's commodity, just after this line. */
  balance: Quantity
})

/** A page of an account's lines, oldest first. Pages don't shift while others post: lines are only ever added. */
const Statement = Rpc.make("Statement", {
  payload: {
    account: AccountName,
    /** The last line already seen; 0 to begin. */
    after: Schema.Int.pipe(Schema.nonNegative()),
    limit: Schema.Int.pipe(Schema.between(1, maximumPage))
  },
  success: Schema.Struct({
    lines: Schema.Array(StatementLine),
    /** What to ask for next; none after the last line. */
    next: Schema.optionalWith(Schema.Int, { as: "Option" })
  }),
  error: Errors.AccountNotFound
})

/** How many lines an account's statement has: whoever follows it knows when there are more. */
const Lines = Rpc.make("Lines", {
  payload: { account: AccountName },
  success: Schema.Int,
  error: Errors.AccountNotFound
})

/** All balances at one moment. They and what was exchanged sum to zero in every commodity. */
const TrialBalance = Rpc.make("TrialBalance", {
  success: Schema.Struct({
    accounts: Schema.Array(Schema.Struct({ account: AccountName, balances: Schema.Array(Amount) })),
    exchanged: Schema.Array(Amount)
  })
})

/** The commodities described, and how their amounts are written. */
const Commodities = Rpc.make("Commodities", {
  success: Schema.Array(Schema.Struct({ commodity: Commodity, style: Style }))
})

export const Bank = StateMachine.make("Bank", {
  version: 1,
  state: Ledger.Ledger,
  initial: Ledger.empty,
  commands: [OpenAccount, PostTransaction, Reserve, Settle, Void, FreezeAccount, UnfreezeAccount, DescribeCommodity],
  queries: [Balance, Statement, Lines, TrialBalance, Commodities]
})
