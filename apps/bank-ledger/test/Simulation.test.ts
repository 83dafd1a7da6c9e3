/**
 * The bank in simulated worlds: crashes, partitions and failing disks neither make money nor lose any.
 */
import { Simulation } from "@synod/simulator"
import { Effect } from "effect"
import { Bank, check } from "../src/Bank.js"
import { BankLive } from "../src/BankLive.js"
import { account, amount, day, id, transaction } from "./fixtures.js"

const names = ["equity", "alice", "bob"]

Simulation.test(Bank, {
  layer: BankLive,
  workload: (bank, { client, count, seeded }) => {
    const [from, to] = seeded.shuffle(names) as [string, string]
    const cents = (most: number) => `${seeded.between(1, most)}.${seeded.between(10, 99)} EUR`
    // The same few ids for everyone, so that clients meet on them.
    const key = id(String(seeded.between(1, 12)))
    if (count < names.length) {
      const overdraft = names[count] === "equity" ? { _tag: "Unlimited" as const } : { _tag: "None" as const }
      return bank.OpenAccount({ account: account(names[count]!), side: "Debit", overdraft })
    }
    switch (seeded.pick(["post", "post", "reserve", "settle", "void", "balance", "trial"])) {
      case "post": {
        const money = cents(50)
        return bank.PostTransaction({
          id: id(`${client}/${count}`),
          transaction: transaction([to, money], [from, `-${money}`])
        })
      }
      case "reserve":
        return bank.Reserve({
          id: key,
          transfer: {
            date: day("2026-01-31"),
            description: "",
            debit: account(to),
            credit: account(from),
            amount: amount(cents(20))
          }
        })
      case "settle":
        return bank.Settle({ id: key })
      case "void":
        return bank.Void({ id: key })
      case "balance":
        return bank.Balance({ account: account(from) })
      default:
        return Effect.asVoid(bank.TrialBalance())
    }
  },
  invariant: (ledger) => check(ledger)[0],
  seeds: 12
})
