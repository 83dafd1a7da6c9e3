/**
 * Amounts in a journal: `-5 EUR`, `$-5`, `-$5.00`, `€1.234,56`, `3 "green apples"`.
 */
import { BigDecimal, Either } from "effect"
import type { Amount } from "../domain/Amount.js"
import type { Commodity, Style } from "../domain/Commodity.js"
import type { Quantity } from "../domain/Quantity.js"
import { type Hints, type Raw, scanNumber, understand } from "./NumberSyntax.js"
import { isDigit, type Scanned, type Scanner } from "./Scanner.js"

/** What directives have said so far about how amounts are written. */
export interface Notation {
  readonly decimalMark: Style["decimalMark"] | undefined
  /** From `D`: what a bare number means. */
  readonly fallback: { readonly commodity: Commodity; readonly style: Style } | undefined
  readonly styleOf: (commodity: Commodity) => Style | undefined
}

export interface Written {
  readonly amount: Amount
  /** How it was written; undefined for a bare number that took its commodity from `D`. */
  readonly style: Style | undefined
}

const maximumSymbol = 32

/** Reads an amount. */
export const scanAmount = (scanner: Scanner, notation: Notation): Scanned<Written> =>
  Either.gen(function* () {
    const from = scanner.at
    const sign = scanSign(scanner)
    if (isSymbolStart(scanner.next)) {
      const commodity = yield* scanSymbol(scanner)
      const spaced = scanner.skipSpaces()
      const innerFrom = scanner.at
      const inner = scanSign(scanner)
      if (sign !== "" && inner !== "") return yield* scanner.expected("one sign", innerFrom)
      if (!startsNumber(scanner)) {
        return yield* scanner.expected(commodity === "" ? "an amount" : `a number after the commodity ${commodity}`)
      }
      const raw = yield* scanNumber(scanner)
      return yield* finish(scanner, raw, sign + inner, { commodity, spaced, side: "Left" }, notation)
    }
    if (!startsNumber(scanner)) return yield* scanner.expected("an amount such as 12.50 EUR", from)
    const raw = yield* scanNumber(scanner)
    const end = scanner.at
    const spaced = scanner.skipSpaces()
    if (isSymbolStart(scanner.next)) {
      const commodity = yield* scanSymbol(scanner)
      return yield* finish(scanner, raw, sign, { commodity, spaced, side: "Right" }, notation)
    }
    scanner.at = end
    const { fallback } = notation
    if (fallback === undefined) {
      return yield* finish(scanner, raw, sign, { commodity: "" as Commodity, spaced: false, side: "Right" }, notation)
    }
    const { quantity } = yield* understand(scanner, raw, hints(notation, fallback.commodity))
    return { amount: { quantity: signed(sign, quantity), commodity: fallback.commodity }, style: undefined }
  })

/** A commodity symbol by itself, as after `commodity`. */
export const scanSymbol = (scanner: Scanner): Scanned<Commodity> => {
  const from = scanner.at
  if (scanner.eat('"')) {
    const symbol = scanner.takeWhile((char) => char !== '"')
    if (!scanner.eat('"')) return scanner.expected("a closing quote after the commodity", from)
    return bounded(scanner, symbol, from)
  }
  const symbol = scanner.takeWhile(isSymbolChar)
  return symbol === "" ? scanner.expected("a commodity", from) : bounded(scanner, symbol, from)
}

export const isSymbolStart = (char: string): boolean => char === '"' || (isSymbolChar(char) && !"()[]".includes(char))

const bounded = (scanner: Scanner, symbol: string, from: number): Scanned<Commodity> =>
  symbol.length > maximumSymbol
    ? scanner.expected(`a commodity of at most ${maximumSymbol} characters`, from)
    : Either.right(symbol as Commodity)

const isSymbolChar = (char: string): boolean =>
  char !== "" && !isDigit(char) && !' \t\u00a0\u202f\u2009-+.,;@*"{}='.includes(char)

const startsNumber = ({ at, next, text }: Scanner): boolean =>
  isDigit(next) || ((next === "." || next === ",") && isDigit(text[at + 1] ?? ""))

const scanSign = (scanner: Scanner): string => {
  const sign = scanner.eat("-") ? "-" : scanner.eat("+") ? "+" : ""
  if (sign !== "") scanner.skipSpaces()
  return sign
}

const signed = (sign: string, quantity: Quantity): Quantity => (sign === "-" ? BigDecimal.negate(quantity) : quantity)

const hints = (notation: Notation, commodity: Commodity): Hints => ({
  decimalMark: notation.decimalMark,
  style: notation.styleOf(commodity) ?? notation.fallback?.style
})

const finish = (
  scanner: Scanner,
  raw: Raw,
  sign: string,
  symbol: { readonly commodity: Commodity; readonly spaced: boolean; readonly side: Style["side"] },
  notation: Notation
): Scanned<Written> =>
  Either.map(understand(scanner, raw, hints(notation, symbol.commodity)), ({ quantity, written }) => ({
    amount: { quantity: signed(sign, quantity), commodity: symbol.commodity },
    style: { ...written, side: symbol.side, spaced: symbol.spaced }
  }))
