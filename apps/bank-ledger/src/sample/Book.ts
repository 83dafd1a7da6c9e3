/**
 * Writes transactions as an accountant would: aligned, the last amount left out where it is plain.
 */

import { compare } from "../domain/AccountName.js"

/** Hundredths of the currency for money, thousandths for shares. */
export interface Leg {
  readonly account: string
  readonly commodity: "EUR" | "USD" | "NDW" | "HLK"
  readonly units: number
  /** `@ …` or `@@ …` */
  readonly cost?: string
  /** ` = …` with the balance known at this point. */
  readonly asserted?: boolean
}

const decimals = { EUR: 2, USD: 2, NDW: 3, HLK: 3 } as const

/** `1,234.50`, from units. */
const number = (units: number, precision: number): string => {
  const digits = String(Math.abs(units)).padStart(precision + 1, "0")
  const whole = digits.slice(0, -precision).replace(/\B(?=(?:\d{3})+$)/g, ",")
  return `${whole}.${digits.slice(-precision)}`
}

export const amount = (units: number, commodity: Leg["commodity"]): string => {
  const sign = units < 0 ? "-" : ""
  const digits = number(units, decimals[commodity])
  return commodity === "USD" ? `$${sign}${digits}` : `${sign}${digits} ${commodity}`
}

export class Book {
  private readonly lines: Array<string> = []
  private readonly balances = new Map<string, number>()
  count = 0

  balance(account: string, commodity: Leg["commodity"]): number {
    return this.balances.get(`${account} ${commodity}`) ?? 0
  }

  /** Writes a transaction. With `elide`, the last leg's amount is left for the reader to infer. */
  write(
    header: string,
    legs: ReadonlyArray<Leg>,
    options: { readonly elide?: boolean; readonly comment?: string } = {}
  ): void {
    this.count++
    this.lines.push(header)
    if (options.comment !== undefined) this.lines.push(`    ; ${options.comment}`)
    legs.forEach((leg, index) => {
      const key = `${leg.account} ${leg.commodity}`
      const balance = (this.balances.get(key) ?? 0) + leg.units
      this.balances.set(key, balance)
      if (options.elide === true && index === legs.length - 1) {
        this.lines.push(`    ${leg.account}`)
      } else {
        const cost = leg.cost === undefined ? "" : ` ${leg.cost}`
        const assertion = leg.asserted === true ? ` = ${amount(balance, leg.commodity)}` : ""
        this.lines.push(
          `    ${leg.account.padEnd(44)}  ${amount(leg.units, leg.commodity).padStart(14)}${cost}${assertion}`
        )
      }
    })
    this.lines.push("")
  }

  /** What was written since the last call. */
  take(): string {
    return this.lines.splice(0).join("\n")
  }

  /** Every account, and those above it: hledger lists declared accounts before others. */
  get accounts(): ReadonlyArray<string> {
    const names = new Set<string>()
    for (const key of this.balances.keys()) {
      const parts = key.slice(0, -4).split(":")
      for (let depth = 1; depth <= parts.length; depth++) names.add(parts.slice(0, depth).join(":"))
    }
    return Array.from(names).sort(compare)
  }
}
