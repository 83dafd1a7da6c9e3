/**
 * A day in the books, without clock or zone: `2026-01-31`.
 */
import { Option, Schema } from "effect"

const daysIn = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(month)
      ? 30
      : 31

const exists = (year: number, month: number, day: number): boolean =>
  year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)

/** ISO text, so that the order of texts is the order of days. */
export const LocalDate = Schema.String.pipe(
  Schema.length(10),
  Schema.pattern(/^\d{4}-\d{2}-\d{2}$/),
  Schema.filter(
    (text) =>
      exists(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8))) || "a day of the calendar"
  ),
  Schema.brand("LocalDate")
)
export type LocalDate = typeof LocalDate.Type

/** None if there is no such day. */
export const make = (year: number, month: number, day: number): Option.Option<LocalDate> =>
  exists(year, month, day)
    ? Option.some(
        `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}` as LocalDate
      )
    : Option.none()
