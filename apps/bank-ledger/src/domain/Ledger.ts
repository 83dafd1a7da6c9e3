/**
 * The books: everything the machine remembers, and the operations that change it.
 *
 * ```
 *  accounts      name ─► terms, positions (per commodity: posted, reserved), statement lines
 *  transactions  id   ─► what was posted
 *  reservations  id   ─► transfer and what became of it
 *  exchanged     commodity ─► what conversions at a cost took out of it (positive) or put in (negative)
 *  styles        commodity ─► how its amounts are written
 * ```
 *
 * Money is conserved: in every commodity the accounts' postings and `exchanged` sum to zero, after every command.
 * All maps are persistent, so a command costs a few map updates however long the books are.
 */
import { BigDecimal, Either, HashMap, Option, Schema } from "effect"
import * as Account from "./Account.js"
import { AccountName } from "./AccountName.js"
import type { Amount } from "./Amount.js"
import * as Commodity from "./Commodity.js"
import * as Errors from "./Errors.js"
import * as Quantity from "./Quantity.js"
import * as Reservation from "./Reservation.js"
import * as Transaction from "./Transaction.js"

export const Ledger = Schema.Struct({
  accounts: Schema.HashMap({ key: AccountName, value: Account.Account }),
  transactions: Schema.HashMap({ key: Transaction.TransactionId, value: Transaction.Transaction }),
  reservations: Schema.HashMap({ key: Transaction.TransactionId, value: Reservation.Reservation }),
  exchanged: Schema.HashMap({ key: Commodity.Commodity, value: Quantity.Quantity }),
  styles: Schema.HashMap({ key: Commodity.Commodity, value: Commodity.Style })
})
export type Ledger = typeof Ledger.Type

export const empty: Ledger = {
  accounts: HashMap.empty(),
  transactions: HashMap.empty(),
  reservations: HashMap.empty(),
  exchanged: HashMap.empty(),
  styles: HashMap.empty()
}

type Posting = Transaction.Posting
type TransactionId = Transaction.TransactionId

export const account = (self: Ledger, name: AccountName): Either.Either<Account.Account, Errors.AccountNotFound> =>
  Either.fromOption(HashMap.get(self.accounts, name), () => new Errors.AccountNotFound({ account: name }))

/** Opens an account; doing it again on the same terms changes nothing. */
export const open = (
  self: Ledger,
  name: AccountName,
  terms: Account.Terms
): Either.Either<Ledger, Errors.AccountExists> =>
  Option.match(HashMap.get(self.accounts, name), {
    onNone: () => Either.right({ ...self, accounts: HashMap.set(self.accounts, name, Account.open(terms)) }),
    onSome: (existing) =>
      Account.sameTerms(existing.terms, terms)
        ? Either.right(self)
        : Either.left(new Errors.AccountExists({ account: name }))
  })

/** Freezes or thaws an account; doing it twice is doing it once. */
export const freeze = (
  self: Ledger,
  name: AccountName,
  frozen: boolean
): Either.Either<Ledger, Errors.AccountNotFound> =>
  Either.map(account(self, name), (found) => ({
    ...self,
    accounts: HashMap.set(self.accounts, name, { ...found, frozen })
  }))

/** The first style of a commodity stays; a later one can only add decimals and a group mark. */
export const describe = (self: Ledger, commodity: Commodity.Commodity, style: Commodity.Style): Ledger => ({
  ...self,
  styles: HashMap.modifyAt(self.styles, commodity, (known) =>
    Option.some(Option.match(known, { onNone: () => style, onSome: (first) => Commodity.mergeStyles(first, style) }))
  )
})

/** Posts a balanced transaction under an id. The same content under the same id again changes nothing. */
export const post = (
  self: Ledger,
  id: TransactionId,
  transaction: Transaction.Transaction
): Either.Either<
  Ledger,
  Errors.DuplicateId | Errors.Unbalanced | Errors.AccountNotFound | Errors.AccountFrozen | Errors.InsufficientFunds
> =>
  Either.gen(function* () {
    const known = HashMap.get(self.transactions, id)
    if (Option.isSome(known) && Transaction.equivalence(known.value, transaction)) return self
    if (Option.isSome(known) || HashMap.has(self.reservations, id))
      return yield* Either.left(new Errors.DuplicateId({ id }))
    const [first, ...others] = Transaction.imbalance(transaction.postings, (commodity) => precision(self, commodity))
    if (first !== undefined) return yield* Either.left(new Errors.Unbalanced({ off: [first, ...others] }))
    yield* admit(self, transaction.postings)
    return book(self, id, transaction)
  })

/** Reserves a transfer: nothing is posted, but what it would take out of an account can't be spent otherwise. */
export const reserve = (
  self: Ledger,
  id: TransactionId,
  transfer: Reservation.Transfer
): Either.Either<
  Ledger,
  Errors.DuplicateId | Errors.AccountNotFound | Errors.AccountFrozen | Errors.InsufficientFunds
> =>
  Either.gen(function* () {
    const known = HashMap.get(self.reservations, id)
    if (Option.isSome(known) && Reservation.sameTransfer(known.value.transfer, transfer)) return self
    if (Option.isSome(known) || HashMap.has(self.transactions, id))
      return yield* Either.left(new Errors.DuplicateId({ id }))
    yield* admit(self, Reservation.postings(transfer, transfer.amount))
    return withReservation(hold(self, transfer, transfer.amount.quantity), id, { transfer, status: { _tag: "Open" } })
  })

/**
 * Settles a reservation for its amount or less; the rest is free again. Settling closes it: one settlement each.
 * It can't fail for funds, those were reserved; it does fail while an account is frozen.
 */
export const settle = (
  self: Ledger,
  id: TransactionId,
  quantity: Option.Option<Quantity.Quantity>
): Either.Either<
  Ledger,
  | Errors.ReservationNotFound
  | Errors.ReservationClosed
  | Errors.SettlementTooLarge
  | Errors.AccountNotFound
  | Errors.AccountFrozen
> =>
  Either.gen(function* () {
    const { status, transfer } = yield* reservation(self, id)
    const reserved = transfer.amount
    const settled = Option.getOrElse(quantity, () => reserved.quantity)
    if (status._tag === "Settled" && BigDecimal.equals(status.quantity, settled)) return self
    if (status._tag !== "Open") return yield* Either.left(new Errors.ReservationClosed({ id, status: status._tag }))
    if (BigDecimal.greaterThan(settled, reserved.quantity)) {
      return yield* Either.left(
        new Errors.SettlementTooLarge({ id, reserved, asked: { ...reserved, quantity: settled } })
      )
    }
    const released = hold(self, transfer, BigDecimal.negate(reserved.quantity))
    const transaction = Reservation.settled(transfer, settled)
    for (const posting of transaction.postings) yield* usable(released, posting.account)
    return withReservation(book(released, id, transaction), id, {
      transfer,
      status: { _tag: "Settled", quantity: settled }
    })
  })

/** Gives a reservation up; also for frozen accounts, as nothing is posted. */
export const voidReservation = (
  self: Ledger,
  id: TransactionId
): Either.Either<Ledger, Errors.ReservationNotFound | Errors.ReservationClosed> =>
  Either.gen(function* () {
    const { status, transfer } = yield* reservation(self, id)
    if (status._tag === "Voided") return self
    if (status._tag === "Settled") return yield* Either.left(new Errors.ReservationClosed({ id, status: "Settled" }))
    const released = hold(self, transfer, BigDecimal.negate(transfer.amount.quantity))
    return withReservation(released, id, { transfer, status: { _tag: "Voided" } })
  })

const precision = (self: Ledger, commodity: Commodity.Commodity): number | undefined =>
  Option.getOrUndefined(HashMap.get(self.styles, commodity))?.precision

const reservation = (self: Ledger, id: TransactionId) =>
  Either.fromOption(HashMap.get(self.reservations, id), () => new Errors.ReservationNotFound({ id }))

const withReservation = (self: Ledger, id: TransactionId, value: Reservation.Reservation): Ledger => ({
  ...self,
  reservations: HashMap.set(self.reservations, id, value)
})

const usable = (
  self: Ledger,
  name: AccountName
): Either.Either<Account.Account, Errors.AccountNotFound | Errors.AccountFrozen> =>
  Either.flatMap(account(self, name), (found) =>
    found.frozen ? Either.left(new Errors.AccountFrozen({ account: name })) : Either.right(found)
  )

/** Every account open and not frozen, and none taken below its limit by the net of all postings to it. */
const admit = (
  self: Ledger,
  postings: ReadonlyArray<Posting>
): Either.Either<void, Errors.AccountNotFound | Errors.AccountFrozen | Errors.InsufficientFunds> =>
  Either.gen(function* () {
    const changes = new Map<AccountName, Map<Commodity.Commodity, Quantity.Quantity>>()
    for (const { account, amount } of postings) {
      const ofAccount = changes.get(account) ?? new Map<Commodity.Commodity, Quantity.Quantity>()
      ofAccount.set(amount.commodity, BigDecimal.sum(ofAccount.get(amount.commodity) ?? Quantity.zero, amount.quantity))
      changes.set(account, ofAccount)
    }
    for (const [name, ofAccount] of changes) {
      const found = yield* usable(self, name)
      for (const [commodity, change] of ofAccount) {
        const needed = Account.outflow(found, change)
        const headroom = Account.headroom(found, commodity)
        if (BigDecimal.isPositive(needed) && Option.exists(headroom, BigDecimal.lessThan(needed))) {
          return yield* Either.left(
            new Errors.InsufficientFunds({
              account: name,
              needed: { quantity: needed, commodity },
              available: { quantity: Option.getOrElse(headroom, () => Quantity.zero), commodity }
            })
          )
        }
      }
    }
  })

/** Books a transaction that was found in order. */
const book = (self: Ledger, id: TransactionId, transaction: Transaction.Transaction): Ledger => {
  let { accounts, exchanged } = self
  const converted = transaction.postings.some((posting) => posting.cost !== undefined)
  for (const { account, amount } of transaction.postings) {
    accounts = HashMap.modify(accounts, account, Account.post(id, amount))
    if (converted) exchanged = add(exchanged, amount)
  }
  return { ...self, accounts, exchanged, transactions: HashMap.set(self.transactions, id, transaction) }
}

/** Takes an amount that entered accounts out of `exchanged`; what cancels out leaves no trace. */
const add = (exchanged: Ledger["exchanged"], { commodity, quantity }: Amount): Ledger["exchanged"] => {
  const sum = BigDecimal.subtract(
    Option.getOrElse(HashMap.get(exchanged, commodity), () => Quantity.zero),
    quantity
  )
  return BigDecimal.isZero(sum) ? HashMap.remove(exchanged, commodity) : HashMap.set(exchanged, commodity, sum)
}

/** Adds `quantity` (negative to let go) to what is held of each account that the transfer would take from. */
const hold = (self: Ledger, transfer: Reservation.Transfer, quantity: Quantity.Quantity): Ledger => {
  const { commodity } = transfer.amount
  let { accounts } = self
  for (const { account, amount } of Reservation.postings(transfer, transfer.amount)) {
    accounts = HashMap.modify(accounts, account, (found) =>
      Account.takes(found, amount) ? Account.reserve(commodity, quantity)(found) : found
    )
  }
  return { ...self, accounts }
}
