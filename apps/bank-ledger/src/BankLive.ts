/**
 * What the bank does when asked: each handler hands over to the books.
 */
import { Array, Effect, HashMap, Option, Order } from "effect"
import { Bank } from "./Bank.js"
import * as Account from "./domain/Account.js"
import * as AccountName from "./domain/AccountName.js"
import type { Amount } from "./domain/Amount.js"
import type { Commodity } from "./domain/Commodity.js"
import * as Ledger from "./domain/Ledger.js"
import type { Quantity } from "./domain/Quantity.js"

export const BankLive = Bank.toLayer({
  OpenAccount: (books, { account, ...terms }) => Effect.map(Ledger.open(books, account, terms), done),

  PostTransaction: (books, { id, transaction }) =>
    Effect.map(
      Ledger.post(books, id, transaction),
      (next) => [next === books ? "PostedBefore" : "Posted", next] as const
    ),

  Reserve: (books, { id, transfer }) => Effect.map(Ledger.reserve(books, id, transfer), done),

  Settle: (books, { id, quantity }) => Effect.map(Ledger.settle(books, id, Option.fromNullable(quantity)), done),

  Void: (books, { id }) => Effect.map(Ledger.voidReservation(books, id), done),

  FreezeAccount: (books, { account }) => Effect.map(Ledger.freeze(books, account, true), done),

  UnfreezeAccount: (books, { account }) => Effect.map(Ledger.freeze(books, account, false), done),

  DescribeCommodity: (books, { commodity, style }) => Effect.succeed(done(Ledger.describe(books, commodity, style))),

  Balance: (books, { account }) =>
    Effect.map(Ledger.account(books, account), (found) =>
      byCommodity(found.positions, (commodity, position) => ({
        commodity,
        posted: position.posted,
        available: Account.available(found, position)
      }))
    ),

  Statement: (books, { account, after, limit }) =>
    Effect.map(Ledger.account(books, account), ({ lines }) => {
      const last = Math.min(HashMap.size(lines), after + limit)
      return {
        lines: Array.filterMap(
          Array.makeBy(Math.max(0, last - after), (index) => after + 1 + index),
          (number) =>
            Option.gen(function* () {
              const line = yield* HashMap.get(lines, number)
              const { date, description } = yield* HashMap.get(books.transactions, line.transaction)
              return { number, ...line, date, description }
            })
        ),
        next: last < HashMap.size(lines) ? Option.some(last) : Option.none()
      }
    }),

  Lines: (books, { account }) => Effect.map(Ledger.account(books, account), ({ lines }) => HashMap.size(lines)),

  TrialBalance: (books) =>
    Effect.succeed({
      accounts: Array.fromIterable(books.accounts)
        .sort(([left], [right]) => AccountName.compare(left, right))
        .map(([account, { positions }]) => ({
          account,
          balances: byCommodity(positions, (commodity, { posted }): Amount => ({ commodity, quantity: posted }))
        })),
      exchanged: byCommodity(books.exchanged, (commodity, quantity: Quantity): Amount => ({ commodity, quantity }))
    }),

  Commodities: (books) => Effect.succeed(byCommodity(books.styles, (commodity, style) => ({ commodity, style })))
})

const done = (books: Ledger.Ledger): readonly [void, Ledger.Ledger] => [undefined, books]

/** In the order of commodity names, so that every replica answers in the same words. */
const byCommodity = <A, B>(self: HashMap.HashMap<Commodity, A>, f: (commodity: Commodity, value: A) => B): Array<B> =>
  Array.fromIterable(self)
    .sort(([left], [right]) => Order.string(left, right))
    .map(([commodity, value]) => f(commodity, value))
