/**
 * Why a command or query was refused. A refusal changes nothing, and its message is one sentence for a person.
 */
import { Schema } from "effect"
import { AccountName } from "./AccountName.js"
import * as Amount from "./Amount.js"
import { TransactionId } from "./Transaction.js"

export class AccountNotFound extends Schema.TaggedError<AccountNotFound>()("AccountNotFound", {
  account: AccountName
}) {
  override get message() {
    return `There is no account ${this.account}.`
  }
}

export class AccountExists extends Schema.TaggedError<AccountExists>()("AccountExists", {
  account: AccountName
}) {
  override get message() {
    return `Account ${this.account} is already open on other terms.`
  }
}

export class AccountFrozen extends Schema.TaggedError<AccountFrozen>()("AccountFrozen", {
  account: AccountName
}) {
  override get message() {
    return `Account ${this.account} is frozen: nothing can be posted to it.`
  }
}

export class InsufficientFunds extends Schema.TaggedError<InsufficientFunds>()("InsufficientFunds", {
  account: AccountName,
  /** What was to leave the account, net of what comes in by the same command. */
  needed: Amount.Amount,
  /** What may leave it: balance less reservations, plus the overdraft allowed. */
  available: Amount.Amount
}) {
  override get message() {
    return `Account ${this.account} can give ${Amount.show(this.available)}, not ${Amount.show(this.needed)}.`
  }
}

export class Unbalanced extends Schema.TaggedError<Unbalanced>()("Unbalanced", {
  /** For each commodity that does not cancel out, the sum of its postings (at cost). */
  off: Schema.NonEmptyArray(Amount.Amount)
}) {
  override get message() {
    return `The transaction is off by ${this.off.map((amount) => Amount.show(amount)).join(" and ")}.`
  }
}

export class DuplicateId extends Schema.TaggedError<DuplicateId>()("DuplicateId", {
  id: TransactionId
}) {
  override get message() {
    return `The id ${this.id} was used before for something else.`
  }
}

export class ReservationNotFound extends Schema.TaggedError<ReservationNotFound>()("ReservationNotFound", {
  id: TransactionId
}) {
  override get message() {
    return `There is no reservation ${this.id}.`
  }
}

export class ReservationClosed extends Schema.TaggedError<ReservationClosed>()("ReservationClosed", {
  id: TransactionId,
  status: Schema.Literal("Settled", "Voided")
}) {
  override get message() {
    return `Reservation ${this.id} was already ${this.status === "Settled" ? "settled" : "voided"}.`
  }
}

export class SettlementTooLarge extends Schema.TaggedError<SettlementTooLarge>()("SettlementTooLarge", {
  id: TransactionId,
  reserved: Amount.Amount,
  asked: Amount.Amount
}) {
  override get message() {
    return `Reservation ${this.id} holds ${Amount.show(this.reserved)}, not ${Amount.show(this.asked)}.`
  }
}
