/**
 * A quantity of a commodity.
 */
import { BigDecimal, Schema } from "effect"
import { Commodity, defaultStyle, show as showIn, type Style } from "./Commodity.js"
import { format, Quantity } from "./Quantity.js"

export const Amount = Schema.Struct({ quantity: Quantity, commodity: Commodity })
export type Amount = typeof Amount.Type

/** An amount above zero, for what is moved in a direction given elsewhere. */
export const PositiveAmount = Amount.pipe(
  Schema.filter((amount) => BigDecimal.isPositive(amount.quantity) || "an amount above zero")
)

export const negate = (self: Amount): Amount => ({ ...self, quantity: BigDecimal.negate(self.quantity) })

export const isZero = (self: Amount): boolean => BigDecimal.isZero(self.quantity)

/** As a person writes it; without a style, with all its digits and the commodity on the right. */
export const show = (self: Amount, style?: Style): string =>
  showIn(
    self.commodity,
    self.quantity,
    style ?? { ...defaultStyle, precision: (format(self.quantity).split(".")[1] ?? "").length }
  )

/** Sums by commodity, in the order the commodities are first met. */
export const total = (amounts: Iterable<Amount>): ReadonlyArray<Amount> => {
  const sums = new Map<Commodity, BigDecimal.BigDecimal>()
  for (const { commodity, quantity } of amounts) {
    const sum = sums.get(commodity)
    sums.set(commodity, sum === undefined ? quantity : BigDecimal.sum(sum, quantity))
  }
  return Array.from(sums, ([commodity, quantity]) => ({ commodity, quantity }))
}
