/**
 * A year in the books of a small bank, drawn from a seed: the same seed writes the same bytes.
 *
 * Amounts are whole cents throughout. What the bank owes its customers is a liability, so money coming in for a
 * customer is a credit, written negative.
 */
import { DateTime, Effect, Random } from "effect"
import { Book, type Leg } from "./Book.js"
import { type Customer, customers, merchants, shopsAbroad } from "./People.js"

const people = 56
const reserve = "assets:central bank"
const till = "assets:cash:till"

interface Day {
  readonly iso: string
  readonly month: number
  readonly day: number
  /** Sunday is 0. */
  readonly weekday: number
}

const days = (year: number): ReadonlyArray<Day> => {
  const first = DateTime.unsafeMake({ year, month: 1, day: 1 })
  return Array.from({ length: 366 }, (_, index) => DateTime.add(first, { days: index }))
    .filter((date) => DateTime.getPartUtc(date, "year") === year)
    .map((date) => ({
      iso: DateTime.formatIsoDateUtc(date),
      month: DateTime.getPartUtc(date, "month"),
      day: DateTime.getPartUtc(date, "day"),
      weekday: DateTime.getPartUtc(date, "weekDay")
    }))
}

const between = (low: number, high: number) => Random.nextIntBetween(low, high + 1)
const oneIn = (chance: number) => Effect.map(Random.nextIntBetween(0, chance), (roll) => roll === 0)
const pick = <A>(choices: ReadonlyArray<A>) =>
  Effect.map(Random.nextIntBetween(0, choices.length), (at) => choices[at]!)

const euros = (account: string, units: number): Leg => ({ account, commodity: "EUR", units })
const current = (customer: Customer) => `${customer.account}:current`

const lastOfQuarter = new Set(["03-31", "06-30", "09-30", "12-31"])

/** A journal for each quarter, and the one that declares what they share and includes them. */
export interface Sample {
  readonly main: string
  readonly quarters: ReadonlyArray<string>
  readonly transactions: number
}

export const write = (year: number): Effect.Effect<Sample> =>
  Effect.gen(function* () {
    const clients = yield* customers(people)
    const book = new Book()
    const quarters: Array<string> = []
    yield* opening(book, clients, year)
    for (const day of days(year)) {
      yield* banking(book, clients, day)
      for (const customer of clients) yield* living(book, customer, clients, day)
      if (lastOfQuarter.has(day.iso.slice(5))) quarters.push(book.take())
    }
    return { main: main(book, year), quarters, transactions: book.count }
  })

const main = (book: Book, year: number): string =>
  [
    `; The books of an invented bank for ${year}. Written by src/sample/generate.ts; don't edit.`,
    "",
    "decimal-mark .",
    "commodity 1,000.00 EUR",
    "commodity $1,000.00",
    "commodity 1,000.000 HLK",
    "commodity 1,000.000 NDW",
    "",
    ...book.accounts.map((account) => `account ${account}`),
    "",
    `P ${year}-01-01 $ 0.9200 EUR`,
    "",
    ...[1, 2, 3, 4].map((quarter) => `include ${year}-q${quarter}.journal`),
    ""
  ].join("\n")

const opening = (book: Book, clients: ReadonlyArray<Customer>, year: number) =>
  Effect.gen(function* () {
    book.write(
      `${year}-01-01 * Opening | capital`,
      [euros(reserve, 900_000_000), euros("equity:capital", -900_000_000)],
      { elide: true }
    )
    book.write(`${year}-01-01 * Opening | cash`, [euros(till, 20_000_000), euros(reserve, -20_000_000)])
    for (const customer of clients) {
      const deposit = yield* between(150_000, 900_000)
      const saved = yield* between(0, 2_000_000)
      const legs = [euros(current(customer), -deposit), euros(`${customer.account}:savings`, -saved)]
      if (customer.loan > 0) legs.push(euros(`assets:loans:${customer.account.split(":")[2]}`, customer.loan))
      book.write(
        `${year}-01-01 * Opening | ${customer.name}`,
        [...legs, euros(reserve, deposit + saved - customer.loan)],
        { elide: true }
      )
    }
  })

/** What the bank itself does. */
const banking = (book: Book, clients: ReadonlyArray<Customer>, { day, iso, month }: Day) =>
  Effect.gen(function* () {
    if (day === 1) {
      book.write(
        `${iso} * Hafenkontor Immobilien | rent of the branch`,
        [euros("expenses:premises:rent", 840_000), euros(reserve, -840_000)],
        { elide: true }
      )
      for (const customer of clients) {
        book.write(
          `${iso} * Account fee | ${customer.name}`,
          [euros(current(customer), 290), euros("income:fees:accounts", -290)],
          { elide: true }
        )
      }
    }
    if (day === 15) {
      const bill = yield* between(310_000, 360_000)
      book.write(
        `${iso} * Rechenwerk eG | computing centre`,
        [euros("expenses:computing", bill), euros(reserve, -bill)],
        { elide: true }
      )
    }
    if (day === 26) {
      book.write(
        `${iso} * Salaries of the bank`,
        [
          euros("expenses:staff:salaries", 4_120_000),
          euros("expenses:staff:social security", 865_200),
          euros(reserve, -4_985_200)
        ],
        { comment: "eleven people" }
      )
    }
    if (day === 28) {
      const delivery = yield* between(20, 60)
      book.write(`${iso} * Cash centre | notes for the till`, [
        { ...euros(till, delivery * 100_000), asserted: true },
        euros(reserve, -delivery * 100_000)
      ])
    }
    if (day === 3 && month % 3 === 1) {
      const rate = yield* between(8_850, 9_450)
      book.write(
        `${iso} * Dollars for the correspondent bank`,
        [
          { account: "assets:nostro:dollars", commodity: "USD", units: 1_000_000, cost: `@ 0.${rate} EUR` },
          euros(reserve, -rate * 100)
        ],
        { elide: true }
      )
    }
    if (day === 28 && month % 3 === 0) {
      for (const customer of clients) {
        const savings = `${customer.account}:savings`
        const interest = Math.round(-book.balance(savings, "EUR") * 0.0045)
        if (interest > 0) {
          book.write(`${iso} * Interest on savings | ${customer.name}`, [
            euros("expenses:interest:savings", interest),
            euros(savings, -interest)
          ])
        }
      }
    }
  })

/** What a customer does. */
const living = (book: Book, customer: Customer, clients: ReadonlyArray<Customer>, today: Day) =>
  Effect.gen(function* () {
    yield* monthly(book, customer, today)
    const { iso, weekday } = today
    if (!(yield* oneIn(weekday === 0 ? 3 : 6))) yield* cardPayment(book, customer, iso)
    if (yield* oneIn(14)) {
      const notes = (yield* between(2, 15)) * 1000
      const fee = (yield* oneIn(5)) ? 195 : 0
      book.write(`${iso} Cash withdrawal${fee > 0 ? " | machine of another bank" : ""}`, [
        euros(current(customer), notes + fee),
        euros(fee > 0 ? reserve : till, -notes),
        ...(fee > 0 ? [euros("income:fees:payments", -fee)] : [])
      ])
    }
    if (yield* oneIn(40)) {
      const friend = yield* pick(clients)
      const units = yield* between(500, 20_000)
      if (friend !== customer) {
        book.write(`${iso} * ${customer.name} | to ${friend.name}`, [
          euros(current(customer), units),
          euros(current(friend), -units)
        ])
      }
    }
    if (customer.travels) yield* abroad(book, customer, iso)
    if (customer.invests && weekday !== 0 && weekday !== 6 && (yield* oneIn(12))) yield* trade(book, customer, iso)
  })

const monthly = (book: Book, customer: Customer, { day, iso }: Day) =>
  Effect.gen(function* () {
    const account = current(customer)
    if (day === 27) {
      book.write(
        `${iso} * (SAL) ${customer.employer} | salary`,
        [euros(reserve, customer.salary), euros(account, -customer.salary)],
        { elide: true }
      )
    }
    if (day === 2) {
      book.write(
        `${iso} * ${customer.landlord} | rent`,
        [euros(account, customer.rent), euros(reserve, -customer.rent)],
        { elide: true }
      )
    }
    if (day === 5) {
      const bill = yield* between(5_200, 14_800)
      book.write(`${iso} * Stadtwerke Energie | electricity and gas`, [euros(account, bill), euros(reserve, -bill)], {
        elide: true
      })
    }
    if (day === 8 && customer.saving > 0) {
      book.write(`${iso} * Standing order | savings`, [
        euros(account, customer.saving),
        euros(`${customer.account}:savings`, -customer.saving)
      ])
    }
    if (day === 20 && customer.loan > 0) {
      const loan = `assets:loans:${customer.account.split(":")[2]}`
      const interest = Math.round(book.balance(loan, "EUR") * 0.0031)
      const principal = Math.round(customer.loan * 0.0025)
      book.write(`${iso} * Loan instalment | ${customer.name}`, [
        euros(account, interest + principal),
        euros(loan, -principal),
        euros("income:interest:loans", -interest)
      ])
    }
  })

const cardPayment = (book: Book, customer: Customer, iso: string) =>
  Effect.gen(function* () {
    const [kind, low, high] = yield* pick([
      ["groceries", 380, 9400],
      ["groceries", 250, 4200],
      ["meals", 420, 3900],
      ["travel", 290, 7800],
      ["shopping", 990, 18_900],
      ["health", 495, 6400]
    ] as const)
    const shop = yield* pick<string>(merchants[kind])
    const status = (yield* oneIn(30)) ? "!" : "*"
    const units = yield* between(low, high)
    const legs = [euros(current(customer), units), euros(reserve, -units)]
    const reference = (yield* oneIn(9)) ? `  ; ref:${yield* between(10_000, 99_999)}, kind:${kind}` : ""
    book.write(`${iso} ${status} ${shop}${reference}`, legs, { elide: true })
  })

/** Dollars: bought at the day's rate, spent abroad. */
const abroad = (book: Book, customer: Customer, iso: string) =>
  Effect.gen(function* () {
    const dollars = `${customer.account}:dollars`
    if (yield* oneIn(45)) {
      const units = yield* between(5_000, 90_000)
      const rate = yield* between(8_850, 9_450)
      const price = Math.round((units * rate) / 10_000)
      const fee = Math.max(150, Math.round(price * 0.008))
      book.write(`${iso} * Foreign exchange | ${customer.name}`, [
        { account: dollars, commodity: "USD", units: -units, cost: `@ 0.${rate} EUR` },
        euros(current(customer), price + fee),
        euros("income:fees:exchange", -fee)
      ])
    }
    const held = -book.balance(dollars, "USD")
    if (held > 2_000 && (yield* oneIn(11))) {
      const units = yield* between(300, Math.min(held, 14_000))
      const shop = yield* pick(shopsAbroad)
      book.write(
        `${iso} * ${shop}`,
        [
          { account: dollars, commodity: "USD", units },
          { account: "assets:nostro:dollars", commodity: "USD", units: -units }
        ],
        { elide: true }
      )
    }
  })

/** Shares, in thousandths: bought and sold against the bank, at a cost or for a total. */
const trade = (book: Book, customer: Customer, iso: string) =>
  Effect.gen(function* () {
    const share = yield* pick(["NDW", "HLK"] as const)
    const custody = `${customer.account}:custody`
    const held = -book.balance(custody, share)
    const sells = held > 1000 && (yield* oneIn(3))
    const units = sells ? yield* between(500, held) : yield* between(400, 9_000)
    const price = share === "NDW" ? yield* between(3_800, 4_900) : yield* between(11_200, 13_900)
    const total = Math.round((units * price) / 1000)
    const euro = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")} EUR`
    const cost = (yield* oneIn(2)) ? `@ ${euro(price)}` : `@@ ${euro(total)}`
    book.write(`${iso} * ${sells ? "Sale" : "Purchase"} of ${share} | ${customer.name}`, [
      { account: custody, commodity: share, units: sells ? units : -units, cost },
      euros(current(customer), sells ? 490 - total : total + 490),
      euros("income:fees:trading", -490)
    ])
  })
