/**
 * Balances in the layout of `hledger balance`, so that the two can be held against each other with `diff`.
 */
import { Order } from "effect"
import * as Amount from "../domain/Amount.js"
import type { Commodity, Style } from "../domain/Commodity.js"

/** Width of the column of amounts; longer ones push the names to the right, as in hledger. */
const width = 20

export interface Line {
  readonly account: string
  readonly balances: ReadonlyArray<Amount.Amount>
}

/** One line for each commodity of each account that holds any, and the totals below a rule. */
export const render = (lines: ReadonlyArray<Line>, styles: ReadonlyMap<Commodity, Style>): string => {
  const shown = (amount: Amount.Amount) => Amount.show(amount, styles.get(amount.commodity)).padStart(width)
  const held = lines.map(({ account, balances }) => ({ account, amounts: inOrder(balances) }))
  const totals = inOrder(Amount.total(held.flatMap(({ amounts }) => amounts)))
  return [
    ...held.flatMap(({ account, amounts }) =>
      amounts.map((amount, index) => (index === amounts.length - 1 ? `${shown(amount)}  ${account}` : shown(amount)))
    ),
    "-".repeat(width),
    // hledger names the totals' last line as it does an account's: with two spaces, and then nothing.
    `${(totals.length === 0 ? ["0".padStart(width)] : totals.map(shown)).join("\n")}  `
  ].join("\n")
}

const inOrder = (amounts: ReadonlyArray<Amount.Amount>): ReadonlyArray<Amount.Amount> =>
  amounts.filter((amount) => !Amount.isZero(amount)).sort(Order.mapInput(Order.string, (amount) => amount.commodity))
