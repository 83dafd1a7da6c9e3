/**
 * From entries as written to transactions that balance: infers what was left out, checks what was asserted.
 */
import { Array, BigDecimal, Either, Order } from "effect"
import * as Amount from "../domain/Amount.js"
import type { Commodity, Style } from "../domain/Commodity.js"
import * as Quantity from "../domain/Quantity.js"
import * as Transaction from "../domain/Transaction.js"
import { Balances } from "./Balances.js"
import type { Assertion, Entry, Journal, Posting } from "./Journal.js"
import * as Problem from "./Problem.js"

/** A transaction in order, and where it was written. */
export interface Balanced {
  readonly position: Problem.Position
  readonly transaction: Transaction.Transaction
}

export interface Result {
  /** By date; entries of one day in the order they were written. */
  readonly transactions: ReadonlyArray<Balanced>
  /** Entries that move nothing: no postings, or a single one of zero to assert a balance. */
  readonly idle: number
  readonly problems: ReadonlyArray<Problem.Problem>
}

/** Amounts to add to accounts, still without what is to be inferred. */
type Weighed = Posting & { readonly amount: Amount.Amount }

export const balance = ({
  entries,
  problems: before,
  styles
}: Pick<Journal, "entries" | "problems" | "styles">): Result => {
  const problems = [...before]
  const transactions: Array<Balanced> = []
  let idle = 0
  const asserting = entries.some((entry) => entry.postings.some((posting) => posting.assertion !== undefined))
  const balances = asserting ? new Balances() : undefined
  for (const entry of Array.sort(entries, byDate)) {
    if (problems.length >= Problem.maximumProblems) break
    // What an earlier entry was to add is missing once one was refused: nothing can be said of balances from there on.
    const result = balanceEntry(entry, styles, problems.length === 0 ? balances : undefined)
    if (Either.isLeft(result)) {
      problems.push(result.left)
    } else if (result.right.length < 2) {
      idle++
    } else {
      transactions.push({ position: entry.position, transaction: toTransaction(entry, result.right) })
    }
  }
  return { transactions, idle, problems }
}

const byDate = Order.mapInput(Order.string, (entry: Entry) => entry.date)

const balanceEntry = (
  entry: Entry,
  styles: ReadonlyMap<Commodity, Style>,
  balances: Balances | undefined
): Either.Either<ReadonlyArray<Weighed>, Problem.Problem> =>
  Either.gen(function* () {
    const weighed: Array<Weighed> = []
    let elided: Posting | undefined
    for (const posting of entry.postings) {
      const amount = posting.amount ?? (yield* assigned(posting, balances))
      if (amount !== undefined) {
        weighed.push({ ...posting, amount })
        balances?.add(posting.account, amount)
        yield* asserted(posting, balances)
      } else if (elided === undefined) {
        elided = posting
      } else {
        return yield* Either.left(
          Problem.at(
            posting.position,
            "expected an amount: only one posting of a transaction can leave it out (two spaces stand between account and amount)"
          )
        )
      }
    }
    if (elided !== undefined) {
      for (const posting of inferred(elided, weighed)) {
        weighed.push(posting)
        balances?.add(posting.account, posting.amount)
      }
      yield* asserted(elided, balances)
      return yield* bounded(entry, weighed)
    }
    const precision = (commodity: Commodity) => styles.get(commodity)?.precision
    const off = Transaction.imbalance(weighed, precision)
    if (off.length === 0) return yield* bounded(entry, weighed)
    const converted = withImpliedCost(weighed, off)
    if (converted !== undefined) return yield* bounded(entry, converted)
    return yield* Either.left(
      Problem.at(
        entry.position,
        `the transaction is off by ${off.map((amount) => Amount.show(amount, widened(styles.get(amount.commodity), amount))).join(" and ")}`
      )
    )
  })

/** The style, with as many decimals as it takes to show the amount in full. */
const widened = (style: Style | undefined, { quantity }: Amount.Amount): Style | undefined =>
  style && { ...style, precision: Math.max(style.precision, BigDecimal.normalize(quantity).scale) }

const bounded = (entry: Entry, postings: ReadonlyArray<Weighed>) =>
  postings.length > Transaction.maximumPostings
    ? Either.left(
        Problem.at(entry.position, `expected at most ${Transaction.maximumPostings} postings in a transaction`)
      )
    : Either.right(postings)

/** The amount left out takes what the others leave, in each commodity. */
const inferred = (elided: Posting, others: ReadonlyArray<Weighed>): ReadonlyArray<Weighed> => {
  const sums = Amount.total(others.map(Transaction.weight))
  const off = sums.filter((sum) => !Amount.isZero(sum))
  return (off.length > 0 ? off : sums.slice(0, 1)).map((sum) => ({ ...elided, amount: Amount.negate(sum) }))
}

/** `= 5 EUR` without an amount: as much as it takes to get there. */
const assigned = (
  { account, assertion }: Posting,
  balances: Balances | undefined
): Either.Either<Amount.Amount | undefined, Problem.Problem> => {
  if (assertion === undefined) return Either.right(undefined)
  if (balances === undefined) {
    return Either.left(
      Problem.at(
        assertion.position,
        "the amount that leads to this balance isn't known, as an earlier transaction was refused"
      )
    )
  }
  const { commodity, quantity } = assertion.amount
  const found = balances.of(account, assertion.inclusive).get(commodity) ?? Quantity.zero
  return Either.right({ commodity, quantity: BigDecimal.subtract(quantity, found) })
}

const asserted = (
  { account, assertion }: Posting,
  balances: Balances | undefined
): Either.Either<void, Problem.Problem> => {
  if (assertion === undefined || balances === undefined) return Either.void
  const found = balances.of(account, assertion.inclusive)
  const differing = difference(assertion, found)
  return differing === undefined
    ? Either.void
    : Either.left(
        Problem.at(
          assertion.position,
          `the balance of ${account}${assertion.inclusive ? " and below" : ""} is ${Amount.show(differing)}, not ${
            differing.commodity === assertion.amount.commodity
              ? Amount.show(assertion.amount)
              : `nothing but ${Amount.show(assertion.amount)}`
          } as asserted`
        )
      )
}

/** The balance that contradicts an assertion. */
const difference = (
  { amount, only }: Assertion,
  found: ReadonlyMap<Commodity, Quantity.Quantity>
): Amount.Amount | undefined => {
  const quantity = found.get(amount.commodity) ?? Quantity.zero
  if (!BigDecimal.equals(quantity, amount.quantity)) return { quantity, commodity: amount.commodity }
  if (!only) return undefined
  for (const [commodity, quantity] of found) {
    if (commodity !== amount.commodity && !BigDecimal.isZero(quantity)) return { quantity, commodity }
  }
  return undefined
}

/**
 * An exchange without a price: exactly two commodities, one in and one out, no costs given. hledger takes it that one
 * was paid with the other, and so do we: the first commodity's postings share the second's sum between them.
 */
export const withImpliedCost = <P extends Transaction.Weighable>(
  postings: ReadonlyArray<P>,
  off: ReadonlyArray<Amount.Amount>
): ReadonlyArray<P> | undefined => {
  const [bought, paid] = off
  if (off.length !== 2 || bought === undefined || paid === undefined) return undefined
  if (BigDecimal.sign(bought.quantity) === BigDecimal.sign(paid.quantity)) return undefined
  if (postings.some((posting) => posting.cost !== undefined)) return undefined
  const sharing = postings.filter((posting) => posting.amount.commodity === bought.commodity)
  const last = sharing.at(-1)
  let rest = BigDecimal.negate(paid.quantity)
  return postings.map((posting) => {
    if (posting.amount.commodity !== bought.commodity) return posting
    const share = posting === last ? rest : proportion(posting.amount.quantity, bought.quantity, paid.quantity)
    rest = BigDecimal.subtract(rest, share)
    return { ...posting, cost: { quantity: share, commodity: paid.commodity } }
  })
}

/** Decimals of a share that doesn't come out even; the last share takes what is left. */
const shareDecimals = 12

const proportion = (part: Quantity.Quantity, whole: Quantity.Quantity, of: Quantity.Quantity): Quantity.Quantity =>
  BigDecimal.round(BigDecimal.negate(BigDecimal.unsafeDivide(BigDecimal.multiply(part, of), whole)), {
    scale: shareDecimals
  })

const toTransaction = (entry: Entry, postings: ReadonlyArray<Weighed>): Transaction.Transaction => ({
  date: entry.date,
  ...(entry.secondaryDate === undefined ? {} : { secondaryDate: entry.secondaryDate }),
  ...(entry.status === undefined ? {} : { status: entry.status }),
  ...(entry.code === "" ? {} : { code: entry.code }),
  description: entry.description,
  ...(entry.comment === "" ? {} : { comment: entry.comment }),
  postings: postings.map(({ account, amount, comment, cost }) => ({
    account,
    amount,
    ...(cost === undefined ? {} : { cost }),
    ...(comment === "" ? {} : { comment })
  }))
})
