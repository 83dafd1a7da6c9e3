/**
 * What must hold of the books at every slot. Tests run it after each command; an operator may run it any time.
 */
import { BigDecimal, HashMap, Option } from "effect"
import * as Account from "./Account.js"
import type { AccountName } from "./AccountName.js"
import * as Amount from "./Amount.js"
import type { Commodity } from "./Commodity.js"
import type { Ledger } from "./Ledger.js"
import * as Quantity from "./Quantity.js"
import * as Reservation from "./Reservation.js"

/**
 * Every way in which the books contradict themselves, as sentences; empty for sound books.
 *
 * 1. Conservation: in each commodity, all accounts and `exchanged` sum to zero.
 * 2. Nothing but transactions moves money: each position is the sum of the postings recorded.
 * 3. Each statement has a line for each posting, and its last balance is the position.
 * 4. What is reserved is what open reservations hold.
 * 5. No account is below its limit.
 *
 * Reads everything: linear in all that was ever posted.
 */
export const check = (ledger: Ledger): ReadonlyArray<string> => [
  ...conserved(ledger),
  ...accountedFor(ledger),
  ...statements(ledger),
  ...reserved(ledger),
  ...limits(ledger)
]

const conserved = function* (ledger: Ledger): Iterable<string> {
  const sums = new Tally<Commodity>()
  for (const { positions } of HashMap.values(ledger.accounts)) {
    for (const [commodity, { posted }] of positions) sums.add(commodity, posted)
  }
  for (const [commodity, quantity] of ledger.exchanged) sums.add(commodity, quantity)
  for (const [commodity, quantity] of sums) {
    if (!BigDecimal.isZero(quantity)) yield `Accounts and exchanges are off by ${Amount.show({ commodity, quantity })}.`
  }
}

const accountedFor = function* (ledger: Ledger): Iterable<string> {
  const posted = new Tally<string>()
  const exchanged = new Tally<Commodity>()
  for (const { postings } of HashMap.values(ledger.transactions)) {
    const converted = postings.some((posting) => posting.cost !== undefined)
    for (const { account, amount } of postings) {
      posted.add(key(account, amount.commodity), amount.quantity)
      if (converted) exchanged.add(amount.commodity, BigDecimal.negate(amount.quantity))
    }
  }
  for (const [name, { positions }] of ledger.accounts) {
    for (const [commodity, position] of positions) {
      const expected = posted.take(key(name, commodity))
      if (!BigDecimal.equals(position.posted, expected)) {
        yield `Account ${name} holds ${Amount.show({ commodity, quantity: position.posted })} but transactions gave it ${Amount.show(
          { commodity, quantity: expected }
        )}.`
      }
    }
  }
  for (const [where, quantity] of posted) {
    if (!BigDecimal.isZero(quantity))
      yield `Transactions posted ${Quantity.format(quantity)} to ${where}, which holds none.`
  }
  for (const [commodity, quantity] of ledger.exchanged) {
    const expected = exchanged.take(commodity)
    if (!BigDecimal.equals(quantity, expected)) {
      yield `Exchanges hold ${Amount.show({ commodity, quantity })} but transactions exchanged ${Amount.show({
        commodity,
        quantity: expected
      })}.`
    }
  }
}

const statements = function* (ledger: Ledger): Iterable<string> {
  for (const [name, account] of ledger.accounts) {
    const balances = new Map<Commodity, Quantity.Quantity>()
    for (let number = 1; number <= HashMap.size(account.lines); number++) {
      const line = HashMap.get(account.lines, number)
      if (Option.isNone(line)) {
        yield `The statement of ${name} lacks line ${number}.`
        return
      }
      const { amount, balance } = line.value
      const expected = BigDecimal.sum(balances.get(amount.commodity) ?? Quantity.zero, amount.quantity)
      if (!BigDecimal.equals(balance, expected)) yield `The running balance in line ${number} of ${name} is wrong.`
      balances.set(amount.commodity, balance)
    }
    for (const [commodity, position] of account.positions) {
      if (!BigDecimal.equals(position.posted, balances.get(commodity) ?? Quantity.zero)) {
        yield `The statement of ${name} does not end at its balance in ${commodity}.`
      }
    }
  }
}

const reserved = function* (ledger: Ledger): Iterable<string> {
  const held = new Tally<string>()
  for (const { status, transfer } of HashMap.values(ledger.reservations)) {
    if (status._tag !== "Open") continue
    for (const { account, amount } of Reservation.postings(transfer, transfer.amount)) {
      const holder = HashMap.get(ledger.accounts, account)
      if (Option.isSome(holder) && Account.takes(holder.value, amount)) {
        held.add(key(account, amount.commodity), transfer.amount.quantity)
      }
    }
  }
  for (const [name, { positions }] of ledger.accounts) {
    for (const [commodity, position] of positions) {
      const expected = held.take(key(name, commodity))
      if (!BigDecimal.equals(position.reserved, expected)) {
        yield `Account ${name} reserves ${Amount.show({ commodity, quantity: position.reserved })} but reservations hold ${Amount.show(
          { commodity, quantity: expected }
        )}.`
      }
    }
  }
  for (const [where] of held) yield `A reservation holds money of ${where}, which reserves none.`
}

/** Reckoned here once more, not by the functions that let commands through. */
const limits = function* (ledger: Ledger): Iterable<string> {
  for (const [name, { positions, terms }] of ledger.accounts) {
    const { overdraft, side } = terms
    if (overdraft._tag === "Unlimited") continue
    for (const [commodity, { posted, reserved }] of positions) {
      const own = BigDecimal.subtract(side === "Debit" ? posted : BigDecimal.negate(posted), reserved)
      const limit =
        overdraft._tag === "UpTo" ? overdraft.limits.find((limit) => limit.commodity === commodity) : undefined
      if (BigDecimal.isNegative(BigDecimal.sum(own, limit?.quantity ?? Quantity.zero))) {
        yield `Account ${name} is below its limit in ${commodity}.`
      }
    }
  }
}

const key = (account: AccountName, commodity: Commodity): string => `${account} in ${commodity}`

/** Running sums by key. */
class Tally<K> implements Iterable<readonly [K, Quantity.Quantity]> {
  private readonly sums = new Map<K, Quantity.Quantity>()

  add(key: K, quantity: Quantity.Quantity): void {
    this.sums.set(key, BigDecimal.sum(this.sums.get(key) ?? Quantity.zero, quantity))
  }

  /** The sum of a key, which is then forgotten: what remains in the end was not asked for. */
  take(key: K): Quantity.Quantity {
    const sum = this.sums.get(key) ?? Quantity.zero
    this.sums.delete(key)
    return sum
  }

  [Symbol.iterator](): Iterator<readonly [K, Quantity.Quantity]> {
    return this.sums.entries()
  }
}
