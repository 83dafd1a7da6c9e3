/**
 * An account's statement as a table, in the manner of `hledger register`.
 */
import * as Amount from "../domain/Amount.js"
import type { StatementLine } from "../Bank.js"
import type { Commodity, Style } from "../domain/Commodity.js"

const descriptionWidth = 40
const amountWidth = 20

export const render = (
  lines: ReadonlyArray<typeof StatementLine.Type>,
  styles: ReadonlyMap<Commodity, Style>
): string =>
  lines
    .map(({ amount, balance, date, description, number }) => {
      const style = styles.get(amount.commodity)
      return [
        String(number).padStart(7),
        date,
        cut(description).padEnd(descriptionWidth),
        Amount.show(amount, style).padStart(amountWidth),
        Amount.show({ ...amount, quantity: balance }, style).padStart(amountWidth)
      ].join("  ")
    })
    .join("\n")

const cut = (text: string): string => {
  const chars = Array.from(text)
  return chars.length > descriptionWidth ? `${chars.slice(0, descriptionWidth - 2).join("")}..` : text
}
