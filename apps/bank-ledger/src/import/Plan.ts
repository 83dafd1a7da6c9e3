/**
 * What an import is going to ask of the bank, in order. Made before anything is asked.
 */
import { Array, HashSet } from "effect"
import { createHash } from "node:crypto"
import type { AccountName } from "../domain/AccountName.js"
import type { Commodity, Style } from "../domain/Commodity.js"
import * as Quantity from "../domain/Quantity.js"
import type { Side } from "../domain/Account.js"
import type { Transaction, TransactionId } from "../domain/Transaction.js"
import { balance } from "./Balancing.js"
import type { Journal } from "./Journal.js"
import type { Position, Problem } from "./Problem.js"

export interface Plan {
  readonly styles: ReadonlyMap<Commodity, Style>
  readonly accounts: ReadonlyArray<AccountName>
  readonly transactions: ReadonlyArray<Planned>
  /** Entries that move nothing; there is nothing to ask for. */
  readonly idle: number
  readonly problems: ReadonlyArray<Problem>
}

export interface Planned {
  readonly id: TransactionId
  /** The id was written in the journal; others are derived from the content. */
  readonly named: boolean
  readonly position: Position
  readonly transaction: Transaction
}

/** Plans the import of journals that are imported together. */
export const make = (journals: ReadonlyArray<Journal>): ReadonlyArray<Plan> => {
  const identify = identifier()
  return journals.map((journal) => {
    const { idle, problems, transactions } = balance(journal)
    const accounts = HashSet.fromIterable([
      ...journal.accounts,
      ...transactions.flatMap(({ transaction }) => transaction.postings.map((posting) => posting.account))
    ])
    return {
      styles: journal.styles,
      accounts: Array.fromIterable(accounts).sort(),
      transactions: transactions.map(({ position, transaction }) => ({
        ...identify(transaction),
        position,
        transaction
      })),
      idle,
      problems
    }
  })
}

/**
 * Gives each transaction its id: that of an `id:` tag in its comment, else a digest of what it moves (the day, the
 * accounts, the amounts) and how many of the very same came before it in this import.
 *
 * Not of the file: a journal grows at its end, and importing it again tomorrow must post the new transactions only. Not
 * of the words: correcting a payee or marking a payment as cleared must not pay again.
 */
const identifier = () => {
  const seen = new Map<string, number>()
  return (transaction: Transaction): Pick<Planned, "id" | "named"> => {
    const tag = idTag(transaction.comment ?? "")
    if (tag !== undefined) return { id: tag as TransactionId, named: true }
    const digest = createHash("sha256").update(moved(transaction)).digest("base64url").slice(0, digestLength)
    const earlier = seen.get(digest) ?? 0
    seen.set(digest, earlier + 1)
    return { id: `import-${digest}-${earlier + 1}` as TransactionId, named: false }
  }
}

/** Characters of base64: 132 bits, no two alike in any journal there will ever be. */
const digestLength = 22

const moved = ({ date, postings }: Transaction): string =>
  JSON.stringify([
    date,
    ...postings.map(({ account, amount, cost }) => [
      account,
      Quantity.format(amount.quantity),
      amount.commodity,
      ...(cost === undefined ? [] : [Quantity.format(cost.quantity), cost.commodity])
    ])
  ])

/** The value of an `id:` tag, as hledger writes tags: up to a comma or the end of the line. */
const idTag = (comment: string): string | undefined => {
  for (const line of comment.split("\n")) {
    const at = line.startsWith("id:") ? 0 : Math.max(line.indexOf(" id:"), line.indexOf(",id:")) + 1
    if (at === 0 && !line.startsWith("id:")) continue
    const value = (line.slice(at + 3).split(",", 1)[0] ?? "").trim()
    if (value !== "" && value.length <= 128) return value
  }
  return undefined
}

/** The side on which hledger's kind of account grows, by the first part of its name. */
export const sideOf = (account: AccountName): Side =>
  creditNormal.has((account.split(":", 1)[0] ?? "").toLowerCase()) ? "Credit" : "Debit"

const creditNormal = new Set(["liability", "liabilities", "equity", "income", "revenue", "revenues"])
