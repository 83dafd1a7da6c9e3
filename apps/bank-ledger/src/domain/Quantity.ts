/**
 * How much of something: an exact decimal. Money is never a float here.
 */
import { BigDecimal, Either, ParseResult, Schema } from "effect"

export type Quantity = BigDecimal.BigDecimal

/** Longest text read as a quantity. Arithmetic on it stays cheap however hostile the input. */
export const maximumLength = 64

export const zero: Quantity = BigDecimal.make(0n, 0)

/**
 * Reads `-12.50`: an optional minus, digits, at most one point. No exponents: `1e999999999` would be nine
 * characters of text and a gigabyte of zeros.
 */
export const parse = (text: string): Either.Either<Quantity, string> => {
  if (text.length > maximumLength) return Either.left(`a decimal of at most ${maximumLength} characters`)
  let digits = ""
  let scale = 0
  let point = false
  const negative = text.startsWith("-")
  for (let at = negative ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 46 && !point) {
      point = true
    } else if (code >= 48 && code <= 57) {
      digits += text[at]
      if (point) scale++
    } else {
      return Either.left("a decimal such as -12.50")
    }
  }
  if (digits === "") return Either.left("a decimal such as -12.50")
  const value = BigInt(digits)
  return Either.right(BigDecimal.make(negative ? -value : value, scale))
}

/** Plain digits, without exponent and without trailing zeros: one text for each value. */
export const format = (self: Quantity): string => {
  const { scale, value } = BigDecimal.normalize(self)
  return fixed(value, scale)
}

/** Digits with exactly `precision` decimals, rounded half to even as bookkeepers (and hledger) do. */
export const formatFixed = (self: Quantity, precision: number): string => {
  if (self.scale <= precision) return fixed(self.value * 10n ** BigInt(precision - self.scale), precision)
  const unit = 10n ** BigInt(self.scale - precision)
  const negative = self.value < 0n
  const value = negative ? -self.value : self.value
  const rest = (value % unit) * 2n
  let rounded = value / unit
  if (rest > unit || (rest === unit && rounded % 2n === 1n)) rounded += 1n
  return fixed(negative ? -rounded : rounded, precision)
}

const fixed = (value: bigint, scale: number): string => {
  const negative = value < 0n
  let digits = (negative ? -value : value).toString()
  if (scale < 0) digits = value === 0n ? "0" : digits + "0".repeat(-scale)
  if (scale > 0) {
    digits = digits.padStart(scale + 1, "0")
    digits = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  }
  return negative ? `-${digits}` : digits
}

/** A quantity; travels and is stored as its shortest plain text, so that equal values are equal bytes. */
export const Quantity: Schema.Schema<Quantity, string> = Schema.transformOrFail(
  Schema.String.pipe(Schema.maxLength(maximumLength)),
  Schema.BigDecimalFromSelf,
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.mapLeft(parse(text), (expected) => new ParseResult.Type(ast, text, `expected ${expected}`)),
    encode: (quantity) => Either.right(format(quantity))
  }
).annotations({ identifier: "Quantity" })

/** A quantity above zero. */
export const PositiveQuantity = Quantity.pipe(
  Schema.filter((quantity) => BigDecimal.isPositive(quantity) || "more than zero")
)
