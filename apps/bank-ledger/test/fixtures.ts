/**
 * A bank in this process, whose books a test can open.
 */
import { StateMachine } from "@synod/state-machine"
import { BigDecimal, Context, Effect, Layer } from "effect"
import { Bank } from "../src/Bank.js"
import { BankLive } from "../src/BankLive.js"
import type { AccountName } from "../src/domain/AccountName.js"
import type { Amount } from "../src/domain/Amount.js"
import type { Commodity } from "../src/domain/Commodity.js"
import type { Ledger } from "../src/domain/Ledger.js"
import type { LocalDate } from "../src/domain/LocalDate.js"
import type { Transaction, TransactionId } from "../src/domain/Transaction.js"

/** The bank's state as of the last command, and what can be asked of it beyond its queries. */
export class Books extends Context.Tag("test/Books")<
  Books,
  {
    readonly now: Effect.Effect<Ledger>
    readonly digest: Effect.Effect<string>
    /** The digest after a snapshot was taken and restored. */
    readonly restoredDigest: Effect.Effect<string>
  }
>() {}

const Observed = Layer.effectContext(
  Effect.gen(function* () {
    const executor = yield* Bank.executor
    let latest = () => executor.initial
    return Context.make(Bank.executor, {
      ...executor,
      open: (where) => Effect.tap(executor.open(where), ({ replicated }) => Effect.sync(() => (latest = replicated)))
    }).pipe(
      Context.add(Books, {
        now: Effect.sync(() => latest().state),
        digest: Effect.sync(() => executor.digest(latest())),
        restoredDigest: Effect.sync(() => executor.snapshot(latest())).pipe(
          Effect.flatMap(executor.restore),
          Effect.map(executor.digest),
          Effect.orDie
        )
      })
    )
  })
).pipe(Layer.provide(BankLive))

/** A new bank each time it is built. */
export const BankTest = StateMachine.layerLocal(Bank).pipe(Layer.provideMerge(Observed), Layer.fresh)

export const account = (name: string) => name as AccountName
export const id = (text: string) => text as TransactionId
export const day = (text: string) => text as LocalDate
export const quantity = (text: string) => BigDecimal.unsafeFromString(text)

/** `5.00 EUR` */
export const amount = (text: string): Amount => {
  const [digits = "", commodity = ""] = text.split(" ")
  return { quantity: quantity(digits), commodity: commodity as Commodity }
}

export type Postings = ReadonlyArray<readonly [account: string, amount: string]>

/** `transaction(["a", "5 EUR"], ["b", "-5 EUR"])`, with `5 USD @@ 4 EUR` for a cost. */
export const transaction = (...postings: Postings): Transaction => ({
  date: day("2026-01-31"),
  description: "Test",
  postings: postings.map(([name, text]) => {
    const [own = "", cost] = text.split(" @@ ")
    return { account: account(name), amount: amount(own), ...(cost === undefined ? {} : { cost: amount(cost) }) }
  })
})
