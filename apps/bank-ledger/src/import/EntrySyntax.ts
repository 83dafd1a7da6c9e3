/**
 * The lines of a transaction: its header, its postings, their comments.
 */
import { BigDecimal, Either, Option } from "effect"
import type { AccountName } from "../domain/AccountName.js"
import type * as Amount from "../domain/Amount.js"
import type { LocalDate } from "../domain/LocalDate.js"
import * as Quantity from "../domain/Quantity.js"
import type { Transaction } from "../domain/Transaction.js"
import { isSymbolStart, type Notation, scanAmount, type Written } from "./AmountSyntax.js"
import { scanDate } from "./DateSyntax.js"
import { isDigit, type Scanned, Scanner } from "./Scanner.js"

export interface Header {
  readonly date: LocalDate
  readonly secondaryDate: LocalDate | undefined
  readonly status: Transaction["status"]
  readonly code: string
  readonly description: string
  readonly comment: string
}

export interface PostingLine {
  /** Where the posting begins in its line. */
  readonly at: number
  readonly account: AccountName
  readonly written: Written | undefined
  readonly cost: Amount.Amount | undefined
  readonly assertion:
    | {
        readonly at: number
        readonly amount: Amount.Amount
        readonly only: boolean
        readonly inclusive: boolean
      }
    | undefined
  readonly comment: string
}

/** The account meant by a name; none if there can be no such account. */
export type Resolve = (name: string) => Option.Option<AccountName>

/** `2026-01-31=2026-02-02 * (code) payee | note  ; comment` */
export const scanHeader = (line: string, year: number | undefined): Scanned<Header> =>
  Either.gen(function* () {
    const scanner = new Scanner(line)
    const date = yield* scanDate(scanner, year)
    const secondaryDate = scanner.eat("=") ? yield* scanDate(scanner, Number(date.slice(0, 4))) : undefined
    if (!scanner.skipSpaces() && !scanner.done && scanner.next !== ";")
      return yield* scanner.expected("a space after the date")
    const status = scanStatus(scanner)
    let code = ""
    if (scanner.eat("(")) {
      code = scanner.takeWhile((char) => char !== ")")
      if (!scanner.eat(")")) return yield* scanner.expected(`a bracket ")" to close the code`)
      if (code.length > 200) return yield* scanner.refuse("a code has at most 200 characters")
    }
    const from = scanner.at
    const description = scanner.takeWhile((char) => char !== ";").trim()
    if (description.length > 1000) return yield* scanner.refuse("a description has at most 1000 characters", from)
    return { date, secondaryDate, status, code: code.trim(), description, comment: scanComment(scanner) }
  })

/** `  ! assets:cash   -5 EUR @ $1.10 = 20 EUR  ; comment`; `resolve` finds the account meant by a name. */
export const scanPosting = (line: string, notation: Notation, resolve: Resolve): Scanned<PostingLine> =>
  Either.gen(function* () {
    const scanner = new Scanner(line)
    scanner.skipSpaces()
    const at = scanner.at
    scanStatus(scanner)
    const account = yield* scanAccount(scanner, resolve)
    scanner.skipSpaces()
    const written = startsAmount(scanner.next) ? yield* scanAmount(scanner, notation) : undefined
    const cost = written === undefined ? undefined : yield* scanCost(scanner, written.amount, notation)
    const assertion = yield* scanAssertion(scanner, notation)
    scanner.skipSpaces()
    if (!scanner.done && scanner.next !== ";") {
      return yield* scanner.expected(
        written === undefined
          ? "an amount such as 12.50 EUR"
          : "a cost, a balance assertion, a comment or the end of the line"
      )
    }
    return { at, account, written, cost, assertion, comment: scanComment(scanner) }
  })

/** An account's name ends at two spaces, a tab or a comment; single spaces belong to it. */
export const scanAccount = (scanner: Scanner, resolve: Resolve): Scanned<AccountName> => {
  const from = scanner.at
  const first = scanner.next
  while (!scanner.done && !scanner.startsWith("  ") && !scanner.startsWith(" ;") && scanner.next !== "\t") scanner.at++
  const name = scanner.text.slice(from, scanner.at).trim()
  if ((first === "(" && name.endsWith(")")) || (first === "[" && name.endsWith("]"))) {
    return scanner.refuse(
      `the posting to ${name} is virtual: it would make money without taking it from somewhere; write an ordinary posting instead`,
      from
    )
  }
  if (name === "") return scanner.expected("an account", from)
  return Option.match(resolve(name), {
    onNone: () => scanner.expected("an account name such as assets:bank:checking, of at most 256 characters", from),
    onSome: Either.right
  })
}

const scanStatus = (scanner: Scanner): Transaction["status"] => {
  const status = scanner.eat("*") ? "Cleared" : scanner.eat("!") ? "Pending" : undefined
  scanner.skipSpaces()
  return status
}

const scanComment = (scanner: Scanner): string => (scanner.eat(";") ? scanner.rest.trim() : "")

const startsAmount = (char: string): boolean =>
  isDigit(char) || (char !== "" && "+-.,".includes(char)) || isSymbolStart(char)

/** `@ 1.10 USD` for each, `@@ 5.50 USD` for all; as a total. Ledger's lots in braces are passed over, as hledger does. */
const scanCost = (
  scanner: Scanner,
  { quantity }: Amount.Amount,
  notation: Notation
): Scanned<Amount.Amount | undefined> =>
  Either.gen(function* () {
    scanner.skipSpaces()
    while (scanner.next === "{" || scanner.next === "[") yield* passLot(scanner)
    const from = scanner.at
    const mark = ["@@", "(@@)", "@", "(@)"].find((mark) => scanner.eat(mark))
    if (mark === undefined) return undefined
    scanner.skipSpaces()
    const { amount: price } = yield* scanAmount(scanner, notation)
    scanner.skipSpaces()
    while (scanner.next === "{" || scanner.next === "[") yield* passLot(scanner)
    const total = mark.includes("@@")
      ? BigDecimal.multiply(price.quantity, BigDecimal.fromBigInt(BigInt(BigDecimal.sign(quantity))))
      : BigDecimal.multiply(price.quantity, quantity)
    if (Quantity.format(total).length > Quantity.maximumLength)
      return yield* scanner.refuse("the cost has too many digits", from)
    return { ...price, quantity: total }
  })

const passLot = (scanner: Scanner): Scanned<void> => {
  const from = scanner.at
  const close = scanner.eat("{{") ? "}}" : scanner.eat("{") ? "}" : "]"
  const end = scanner.text.indexOf(close, scanner.at)
  if (end < 0) return scanner.expected(`a closing ${close}`, from)
  scanner.at = end + close.length
  scanner.skipSpaces()
  return Either.void
}

const scanAssertion = (scanner: Scanner, notation: Notation): Scanned<PostingLine["assertion"]> =>
  Either.gen(function* () {
    scanner.skipSpaces()
    const at = scanner.at
    if (!scanner.eat("=")) return undefined
    const only = scanner.eat("=")
    const inclusive = scanner.eat("*")
    scanner.skipSpaces()
    const { amount } = yield* scanAmount(scanner, notation)
    yield* scanCost(scanner, amount, notation)
    return { at, amount, only, inclusive }
  })
