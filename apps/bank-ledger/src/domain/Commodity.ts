/**
 * What is counted: a currency, a share, apples. And how people write it.
 */
import { type BigDecimal, Schema } from "effect"
import { isPlain } from "./Text.js"
import * as Quantity from "./Quantity.js"

/** The symbol or name as written in a journal, without quotes. May be empty: hledger allows bare numbers. */
export const Commodity = Schema.String.pipe(
  Schema.maxLength(32),
  Schema.filter(
    (text) => (isPlain(text) && !text.includes('"')) || "a commodity without quotes and control characters"
  ),
  Schema.brand("Commodity")
)
export type Commodity = typeof Commodity.Type

/** How amounts of a commodity are shown: where the symbol stands, which marks the digits carry. */
export const Style = Schema.Struct({
  side: Schema.Literal("Left", "Right"),
  spaced: Schema.Boolean,
  decimalMark: Schema.Literal(".", ","),
  /** Between groups of digits; empty for none. */
  groupMark: Schema.Literal("", ".", ",", " ", "\u00a0", "\u202f", "\u2009"),
  /** Sizes of the groups, from the decimal mark leftwards; the last one repeats. */
  groups: Schema.Array(Schema.Int.pipe(Schema.between(1, 255))).pipe(Schema.maxItems(16)),
  /** Decimals shown. */
  precision: Schema.Int.pipe(Schema.between(0, 32))
})
export type Style = typeof Style.Type

export const defaultStyle: Style = {
  side: "Right",
  spaced: true,
  decimalMark: ".",
  groupMark: "",
  groups: [],
  precision: 0
}

/** The first style's look with the larger precision, as hledger does with the amounts it meets. */
export const mergeStyles = (first: Style, second: Style): Style => ({
  ...first,
  ...(first.groupMark === "" && second.decimalMark === first.decimalMark
    ? { groupMark: second.groupMark, groups: second.groups }
    : {}),
  precision: Math.max(first.precision, second.precision)
})

const needsQuotes = (symbol: string): boolean => {
  for (const char of symbol) if ("0123456789-+.@*;\t\n {}=".includes(char)) return true
  return false
}

/** An amount as a journal writes it: `-1.234,50 EUR`, `$-5`, `3 "green apples"`. */
export const show = (commodity: Commodity, quantity: BigDecimal.BigDecimal, style: Style): string => {
  const number = showNumber(quantity, style)
  if (commodity === "") return number
  const symbol = needsQuotes(commodity) ? `"${commodity}"` : commodity
  const space = style.spaced ? " " : ""
  return style.side === "Left" ? `${symbol}${space}${number}` : `${number}${space}${symbol}`
}

const showNumber = (quantity: BigDecimal.BigDecimal, style: Style): string => {
  const plain = Quantity.formatFixed(quantity, style.precision)
  const negative = plain.startsWith("-")
  const [whole = "", decimals] = (negative ? plain.slice(1) : plain).split(".")
  const grouped = style.groupMark === "" ? whole : group(whole, style)
  return `${negative ? "-" : ""}${grouped}${decimals === undefined ? "" : style.decimalMark + decimals}`
}

const group = (whole: string, style: Style): string => {
  const parts: Array<string> = []
  let end = whole.length
  for (let index = 0; end > 0; index++) {
    const size = style.groups[Math.min(index, style.groups.length - 1)] ?? end
    parts.unshift(whole.slice(Math.max(0, end - size), end))
    end -= size
  }
  return parts.join(style.groupMark)
}
