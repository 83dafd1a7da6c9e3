/**
 * The bank ledger as a library: its machine, its handlers, its importer.
 */

/** What may be asked of the bank, and what must hold of its books. */
export * as Bank from "./Bank.js"

/** What the bank does when asked. */
export { BankLive } from "./BankLive.js"

/** From the names of files to plans. */
export * as Import from "./import/Import.js"

/** Has a plan carried out by a bank. */
export * as Importer from "./import/Importer.js"

/** Balances in the layout of `hledger balance`. */
export * as BalanceReport from "./report/BalanceReport.js"
