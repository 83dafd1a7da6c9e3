/**
 * Numbers as people write them: `1234.5`, `1,234.50`, `1.234,56`, `1 234,56`, `1.5E3`.
 *
 * A single mark can mean either thing: `1,000` is a thousand, or one with three decimals. As in hledger it is the
 * decimal mark, unless a `decimal-mark`, `commodity` or `D` directive says that the commodity writes it otherwise.
 * Stricter than hledger in one point: a group mark must have three digits between it and the next mark or end.
 */
import { BigDecimal, Either } from "effect"
import type { Style } from "../domain/Commodity.js"
import type { Quantity } from "../domain/Quantity.js"
import { isDigit, type Scanned, type Scanner } from "./Scanner.js"

/** Most digits of a number, the point aside; no one keeps more, and arithmetic stays cheap. */
export const maximumDigits = 30

/** Largest power of ten in `1E3`. */
const maximumExponent = 20

type DecimalMark = Style["decimalMark"]
type GroupMark = Style["groupMark"]

/** Digits and the marks between them, not yet understood. */
export interface Raw {
  readonly from: number
  /** One more than there are marks; the first and the last may be empty. */
  readonly runs: ReadonlyArray<string>
  readonly marks: ReadonlyArray<string>
  readonly exponent: number
}

export interface Understood {
  /** Not negative. */
  readonly quantity: Quantity
  readonly written: Pick<Style, "decimalMark" | "groupMark" | "groups" | "precision">
}

/** What is known of how the number's commodity is written. */
export interface Hints {
  /** From a `decimal-mark` directive: no doubt is left. */
  readonly decimalMark: DecimalMark | undefined
  /** From a `commodity` or `D` directive: settles numbers that could be read in two ways. */
  readonly style: Style | undefined
}

const isSpaceMark = (char: string): boolean =>
  char === " " || char === "\u00a0" || char === "\u202f" || char === "\u2009"
const isDecimalMark = (char: string): char is DecimalMark => char === "." || char === ","

export const scanNumber = (scanner: Scanner): Scanned<Raw> => {
  const from = scanner.at
  const runs = [scanner.takeWhile(isDigit)]
  const marks: Array<string> = []
  let digits = runs[0]!.length
  for (;;) {
    const mark = scanner.next
    const after = scanner.text[scanner.at + 1] ?? ""
    if (!isDecimalMark(mark) && !(isSpaceMark(mark) && digits > 0 && isDigit(after))) break
    scanner.at++
    const run = scanner.takeWhile(isDigit)
    digits += run.length
    marks.push(mark)
    runs.push(run)
    if (run === "") break
  }
  if (digits === 0) return scanner.expected("a number", from)
  if (digits > maximumDigits) return scanner.expected(`a number of at most ${maximumDigits} digits`, from)
  return Either.map(scanExponent(scanner), (exponent) => ({ from, runs, marks, exponent }))
}

const scanExponent = (scanner: Scanner): Scanned<number> => {
  const from = scanner.at
  if (!scanner.eat("E") && !scanner.eat("e")) return Either.right(0)
  const negative = scanner.eat("-")
  if (!negative) scanner.eat("+")
  const digits = scanner.takeWhile(isDigit)
  if (digits === "") {
    scanner.at = from
    return Either.right(0)
  }
  if (digits.length > 3 || Number(digits) > maximumExponent) {
    return scanner.expected(`an exponent of at most ${maximumExponent}`, from)
  }
  return Either.right(negative ? -Number(digits) : Number(digits))
}

/** Decides which marks separate groups and which one the decimals. */
export const understand = (
  scanner: Scanner,
  { exponent, from, marks, runs }: Raw,
  hints: Hints
): Scanned<Understood> => {
  const last = marks.at(-1)
  const decimal = last !== undefined && isDecimalMark(last) && isDecimal(last, marks, runs, hints) ? last : undefined
  const groupMarks = decimal === undefined ? marks : marks.slice(0, -1)
  const groupMark = groupMarks[0] ?? ""
  const wholeRuns = decimal === undefined ? runs : runs.slice(0, -1)
  if (groupMarks.some((mark) => mark !== groupMark) || groupMark === decimal) {
    return scanner.expected(
      "a number with one kind of mark between groups of digits, and another before decimals",
      from
    )
  }
  if (groupMark !== "" && (wholeRuns[0] === "" || wholeRuns.at(-1)!.length !== 3)) {
    return scanner.expected(`three digits after the mark "${groupMark}" between groups of digits`, from)
  }
  const decimals = decimal === undefined ? "" : runs.at(-1)!
  const scale = decimals.length - exponent
  const digits = BigInt(wholeRuns.join("") + decimals)
  return Either.right({
    quantity: scale >= 0 ? BigDecimal.make(digits, scale) : BigDecimal.make(digits * 10n ** BigInt(-scale), 0),
    written: {
      decimalMark: decimal ?? (groupMark === "." ? "," : "."),
      groupMark: groupMark as GroupMark,
      groups: wholeRuns
        .slice(1)
        .map((run) => run.length)
        .reverse(),
      precision: Math.max(0, scale)
    }
  })
}

const isDecimal = (last: DecimalMark, marks: Raw["marks"], runs: Raw["runs"], hints: Hints): boolean => {
  if (hints.decimalMark !== undefined) return last === hints.decimalMark
  if (marks.length > 1) return last !== marks[0]
  if (runs[0] === "" || runs[1] === "") return true
  const { style } = hints
  if (style === undefined) return true
  return style.precision > 0 ? style.decimalMark === last : style.groupMark !== last
}
