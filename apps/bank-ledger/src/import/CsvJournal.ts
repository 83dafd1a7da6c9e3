/**
 * The table that `hledger print -O csv` writes: a row for each posting, `txnidx` telling which belong together.
 *
 * It carries no costs, so an exchange is recognised by its shape (two commodities, one in and one out); anything more
 * tangled is refused, and has to be imported from the journal itself.
 */
import { Array, BigDecimal, Either, Option, Schema } from "effect"
import { AccountName } from "../domain/AccountName.js"
import { Commodity, mergeStyles, type Style } from "../domain/Commodity.js"
import * as Transaction from "../domain/Transaction.js"
import * as Csv from "./Csv.js"
import { scanDate } from "./DateSyntax.js"
import type { Entry, Journal, Posting } from "./Journal.js"
import { scanNumber, understand } from "./NumberSyntax.js"
import { maximumProblems, type Position, Problem } from "./Problem.js"
import { type Scanned, Scanner } from "./Scanner.js"

const required = ["txnidx", "date", "description", "account", "amount", "commodity"] as const
const optional = ["date2", "status", "code", "comment", "posting-comment"] as const

type Column = (typeof required)[number] | (typeof optional)[number]

/** A row, by the names of its columns. */
type Line = (column: Column) => Csv.Cell

export const parse = (file: string, source: string): Journal => {
  const table = new Table(file, source)
  Either.match(Csv.parse(source), {
    onLeft: ({ message, place }) => table.refuse(place, message),
    onRight: (rows) => table.read(rows)
  })
  return table
}

class Table implements Journal {
  readonly entries: Array<Entry> = []
  readonly accounts = new Set<AccountName>()
  readonly problems: Array<Problem> = []
  private readonly met = new Map<Commodity, Style>()

  constructor(
    private readonly file: string,
    private readonly source: string
  ) {}

  get styles(): ReadonlyMap<Commodity, Style> {
    return this.met
  }

  refuse(place: Csv.Place, message: string): void {
    if (this.problems.length < maximumProblems) this.problems.push(new Problem({ ...this.position(place), message }))
  }

  read([header, ...rows]: ReadonlyArray<Csv.Row>): void {
    const start = { line: 1, from: 0, at: 0 }
    if (header === undefined) return this.refuse(start, "expected a header with the columns of hledger print -O csv")
    const names = header.map((cell) => cell.text.trim())
    const missing = required.filter((name) => !names.includes(name))
    if (missing.length > 0)
      return this.refuse(
        start,
        `expected a header with the columns ${required.join(", ")}; there is no ${missing.join(", ")}`
      )
    const records: Array<Line> = []
    // A transaction that lacks a row is not to be judged by the others.
    const incomplete = new Set<string | undefined>()
    for (const row of rows) {
      if (row.length === names.length) {
        const absent: Csv.Cell = { text: "", place: row[0]!.place }
        records.push((column) => row[names.indexOf(column)] ?? absent)
      } else {
        this.refuse(row[0]!.place, `expected ${names.length} cells as in the header, found ${row.length}`)
        incomplete.add(row[names.indexOf("txnidx")]?.text)
      }
    }
    for (const group of groups(records)) {
      if (!incomplete.has(group[0]("txnidx").text)) this.entry(group)
    }
  }

  private entry(records: Array.NonEmptyReadonlyArray<Line>): void {
    const first = records[0]
    const date = this.cell(first("date"), (scanner) => scanDate(scanner, undefined))
    const secondaryDate =
      first("date2").text === ""
        ? Option.some(undefined)
        : this.cell(first("date2"), (scanner) => scanDate(scanner, undefined))
    const status = this.status(first("status"))
    const postings = records.map((record) => this.posting(record))
    if (Option.isNone(date) || Option.isNone(secondaryDate) || Option.isNone(status)) return
    const texts = [
      ["description", 1000],
      ["code", 200],
      ["comment", Transaction.maximumComment]
    ] as const
    for (const [column, length] of texts) {
      if (first(column).text.length > length)
        return this.refuse(first(column).place, `expected at most ${length} characters`)
    }
    const complete = Option.all(postings)
    if (Option.isNone(complete)) return
    this.entries.push({
      position: this.position(first("txnidx").place),
      date: date.value,
      secondaryDate: secondaryDate.value,
      status: status.value,
      code: first("code").text,
      description: first("description").text,
      comment: first("comment").text,
      postings: complete.value
    })
  }

  private posting(record: Line): Option.Option<Posting> {
    const account = Option.orElse(decodeAccount(record("account").text), () =>
      this.expected(record("account"), "an account name such as assets:bank:checking, of at most 256 characters")
    )
    const commodity = Option.orElse(decodeCommodity(record("commodity").text), () =>
      this.expected(record("commodity"), "a commodity of at most 32 characters")
    )
    const number = this.cell(record("amount"), scanSigned)
    const comment = record("posting-comment")
    if (comment.text.length > Transaction.maximumComment) {
      return this.expected(comment, `at most ${Transaction.maximumComment} characters`)
    }
    return Option.map(Option.all({ account, commodity, number }), ({ account, commodity, number }) => {
      this.meet(commodity, number.written)
      return {
        position: this.position(record("account").place),
        account,
        amount: { quantity: number.quantity, commodity },
        cost: undefined,
        assertion: undefined,
        comment: comment.text
      }
    })
  }

  private status(cell: Csv.Cell): Option.Option<Transaction.Transaction["status"]> {
    switch (cell.text) {
      case "":
        return Option.some(undefined)
      case "*":
        return Option.some("Cleared")
      case "!":
        return Option.some("Pending")
      default:
        return this.expected(cell, `a status, * or ! or nothing`)
    }
  }

  /** Reads a whole cell, or notes why it can't be read. */
  private cell<A>(cell: Csv.Cell, scan: (scanner: Scanner) => Scanned<A>): Option.Option<A> {
    const scanner = new Scanner(cell.text)
    const whole = Either.flatMap(scan(scanner), (value) =>
      scanner.done ? Either.right(value) : scanner.expected("the end of the cell")
    )
    return Either.match(whole, {
      onLeft: ({ at, message }) => {
        this.refuse({ ...cell.place, at: cell.place.at + at + (this.source[cell.place.at] === '"' ? 1 : 0) }, message)
        return Option.none()
      },
      onRight: Option.some
    })
  }

  private expected(cell: Csv.Cell, what: string): Option.Option<never> {
    this.refuse(cell.place, `expected ${what}`)
    return Option.none()
  }

  private meet(commodity: Commodity, written: Pick<Style, "decimalMark" | "groupMark" | "groups" | "precision">): void {
    const style = { ...placement(commodity), ...written }
    const known = this.met.get(commodity)
    this.met.set(commodity, known === undefined ? style : mergeStyles(known, style))
  }

  private position(place: Csv.Place): Position {
    return { file: this.file, line: place.line, column: Csv.columnOf(this.source, place) }
  }
}

const decodeAccount = Schema.decodeOption(AccountName)
const decodeCommodity = Schema.decodeOption(Commodity)

/** Rows that follow each other under the same `txnidx`. */
const groups = (records: ReadonlyArray<Line>): ReadonlyArray<Array.NonEmptyReadonlyArray<Line>> =>
  Array.isNonEmptyReadonlyArray(records)
    ? Array.groupWith(records, (self, that) => self("txnidx").text === that("txnidx").text)
    : []

const scanSigned = (scanner: Scanner) => {
  const negative = scanner.eat("-")
  return Either.map(
    Either.flatMap(scanNumber(scanner), (raw) =>
      understand(scanner, raw, { decimalMark: undefined, style: undefined })
    ),
    ({ quantity, written }) => ({ quantity: negative ? BigDecimal.negate(quantity) : quantity, written })
  )
}

/** The table says nothing of where a symbol stands: signs such as $ before the number, names such as EUR after it. */
const placement = (commodity: Commodity): Pick<Style, "side" | "spaced"> =>
  [...commodity].length === 1 && !/[\p{L}\p{N}]/u.test(commodity)
    ? { side: "Left", spaced: false }
    : { side: "Right", spaced: true }
