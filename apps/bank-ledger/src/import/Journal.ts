/**
 * A journal as it was read: dated, with positions, but not yet balanced.
 */
import type { Amount } from "../domain/Amount.js"
import type { AccountName } from "../domain/AccountName.js"
import type { Commodity, Style } from "../domain/Commodity.js"
import type { LocalDate } from "../domain/LocalDate.js"
import type { Transaction } from "../domain/Transaction.js"
import type { Position, Problem } from "./Problem.js"

export interface Assertion {
  readonly position: Position
  readonly amount: Amount
  /** `==`: there is nothing else in the account. */
  readonly only: boolean
  /** `=*`: with all accounts below it. */
  readonly inclusive: boolean
}

export interface Posting {
  readonly position: Position
  readonly account: AccountName
  /** Undefined where it was left out, to be inferred. */
  readonly amount: Amount | undefined
  /** Total, with the amount's sign. */
  readonly cost: Amount | undefined
  readonly assertion: Assertion | undefined
  readonly comment: string
}

export interface Entry {
  readonly position: Position
  readonly date: LocalDate
  readonly secondaryDate: LocalDate | undefined
  readonly status: Transaction["status"]
  readonly code: string
  readonly description: string
  readonly comment: string
  readonly postings: ReadonlyArray<Posting>
}

export interface Journal {
  readonly entries: ReadonlyArray<Entry>
  /** Declared by `account`, in addition to those that entries use. */
  readonly accounts: ReadonlySet<AccountName>
  readonly styles: ReadonlyMap<Commodity, Style>
  readonly problems: ReadonlyArray<Problem>
}
