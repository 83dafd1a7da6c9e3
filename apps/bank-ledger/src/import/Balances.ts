/**
 * Balances of accounts while a journal is gone through, for its assertions.
 */
import { BigDecimal } from "effect"
import type { Amount } from "../domain/Amount.js"
import { type AccountName, isWithin } from "../domain/AccountName.js"
import type { Commodity } from "../domain/Commodity.js"
import * as Quantity from "../domain/Quantity.js"

export class Balances {
  private readonly accounts = new Map<AccountName, Map<Commodity, Quantity.Quantity>>()

  add(account: AccountName, { commodity, quantity }: Amount): void {
    let balances = this.accounts.get(account)
    if (balances === undefined) {
      balances = new Map()
      this.accounts.set(account, balances)
    }
    balances.set(commodity, BigDecimal.sum(balances.get(commodity) ?? Quantity.zero, quantity))
  }

  /** Of the account alone or, `inclusive`, with all accounts below it. */
  of(account: AccountName, inclusive: boolean): ReadonlyMap<Commodity, Quantity.Quantity> {
    if (!inclusive) return this.accounts.get(account) ?? new Map()
    const sums = new Map<Commodity, Quantity.Quantity>()
    for (const [name, balances] of this.accounts) {
      if (!isWithin(name, account)) continue
      for (const [commodity, quantity] of balances) {
        sums.set(commodity, BigDecimal.sum(sums.get(commodity) ?? Quantity.zero, quantity))
      }
    }
    return sums
  }
}
