/**
 * Dates as journals write them: `2026-01-31`, `2026/1/31`, `2026.1.31`, and `1/31` once the year is known.
 */
import { Either, Option } from "effect"
import * as LocalDate from "../domain/LocalDate.js"
import { isDigit, type Scanned, type Scanner } from "./Scanner.js"

const example = "a date such as 2026-01-31"

/** Reads a date; one without a year is in `year`, or refused if that is undefined. */
export const scanDate = (scanner: Scanner, year: number | undefined): Scanned<LocalDate.LocalDate> => {
  const from = scanner.at
  const first = scanner.takeWhile(isDigit)
  const separator = scanner.next
  if (first === "" || first.length > 4 || !"-/.".includes(separator) || separator === "") {
    return scanner.expected(example, from)
  }
  scanner.at++
  const second = scanner.takeWhile(isDigit)
  if (second === "" || second.length > 2) return scanner.expected(example, from)
  const full = first.length === 4
  let third = ""
  if (full) {
    if (!scanner.eat(separator)) {
      return scanner.expected(`the same separator "${separator}" throughout a date such as 2026-01-31`, from)
    }
    third = scanner.takeWhile(isDigit)
    if (third === "" || third.length > 2) return scanner.expected(example, from)
  } else if (first.length > 2) {
    return scanner.expected("a year of four digits", from)
  } else if (year === undefined) {
    return scanner.expected("a date with its year (or a Y directive before it)", from)
  }
  const date = full
    ? LocalDate.make(Number(first), Number(second), Number(third))
    : LocalDate.make(year ?? 0, Number(first), Number(second))
  return Option.match(date, {
    onNone: () => scanner.expected("a day of the calendar", from),
    onSome: Either.right
  })
}
