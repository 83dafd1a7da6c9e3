import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Effect, Exit, Option, Schema } from "effect"
import { Bank, check } from "../src/Bank.js"
import type { Overdraft, Side } from "../src/domain/Account.js"
import { AccountName } from "../src/domain/AccountName.js"
import * as Amount from "../src/domain/Amount.js"
import * as Quantity from "../src/domain/Quantity.js"
import { account, amount, BankTest, Books, day, id, type Postings, quantity, transaction } from "./fixtures.js"

const none: Overdraft = { _tag: "None" }
const unlimited: Overdraft = { _tag: "Unlimited" }

const open = (name: string, overdraft: Overdraft = none, side: Side = "Debit") =>
  Effect.flatMap(Bank.client, (bank) => bank.OpenAccount({ account: account(name), side, overdraft }))

const post = (key: string, ...postings: Postings) =>
  Effect.flatMap(Bank.client, (bank) => bank.PostTransaction({ id: id(key), transaction: transaction(...postings) }))

const reserve = (key: string, debit: string, credit: string, text: string) =>
  Effect.flatMap(Bank.client, (bank) =>
    bank.Reserve({
      id: id(key),
      transfer: {
        date: day("2026-01-31"),
        description: "Test",
        debit: account(debit),
        credit: account(credit),
        amount: amount(text)
      }
    })
  )

/** `posted (available)` in each commodity. */
const balance = (name: string) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    return (yield* bank.Balance({ account: account(name) }))
      .map(
        ({ available, commodity, posted }) =>
          `${Amount.show({ commodity, quantity: posted })} (${Quantity.format(available)})`
      )
      .join(", ")
  })

/** The message of the failure that is expected. */
const refusal = <A, E extends { readonly _tag: string; readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => `${error._tag}: ${error.message}`)

const sound = Effect.gen(function* () {
  const books = yield* Books
  assert.deepStrictEqual(check(yield* books.now), [], "the books are sound")
  assert.strictEqual(yield* books.restoredDigest, yield* books.digest, "a snapshot carries all of the books")
})

/** `cash` and `shop`; `cash` got 100 EUR from `capital`. */
const setting = Effect.gen(function* () {
  yield* open("capital", unlimited)
  yield* open("cash")
  yield* open("shop")
  yield* post("capital", ["cash", "100 EUR"], ["capital", "-100 EUR"])
})

describe("PostTransaction", () => {
  it.effect("posts any number of postings in several commodities", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("dollars", unlimited)
      const outcome = yield* post(
        "1",
        ["shop", "12.50 EUR"],
        ["cash", "-10.25 EUR"],
        ["cash", "-2.25 EUR"],
        ["dollars", "-3 USD"],
        ["shop", "3 USD"]
      )
      assert.strictEqual(outcome, "Posted")
      assert.strictEqual(yield* balance("cash"), "87.5 EUR (87.5)")
      assert.strictEqual(yield* balance("shop"), "12.5 EUR (12.5), 3 USD (3)")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("says which commodity is off by how much", () =>
    Effect.gen(function* () {
      yield* setting
      assert.strictEqual(
        yield* refusal(post("1", ["shop", "5 EUR"], ["cash", "-4.99 EUR"], ["shop", "2 USD"])),
        "Unbalanced: The transaction is off by 0.01 EUR and 2 USD."
      )
      assert.strictEqual(yield* balance("cash"), "100 EUR (100)", "a refusal changes nothing")
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("balances at cost and books the exchange", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("dollars", unlimited)
      yield* post("1", ["dollars", "100 USD @@ 92.50 EUR"], ["cash", "-92.50 EUR"])
      const trial = yield* Effect.flatMap(Bank.client, (bank) => bank.TrialBalance())
      assert.deepStrictEqual(
        trial.exchanged.map((amount) => Amount.show(amount)),
        ["92.5 EUR", "-100 USD"]
      )
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("forgives half a unit of the last decimal where a cost was rounded, and nowhere else", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("dollars", unlimited)
      const bank = yield* Bank.client
      yield* bank.DescribeCommodity({
        commodity: amount("0 EUR").commodity,
        style: { side: "Right", spaced: true, decimalMark: ".", groupMark: "", groups: [], precision: 2 }
      })
      yield* post("1", ["dollars", "3 USD @@ 0.995 EUR"], ["cash", "-1.00 EUR"])
      assert.include(
        yield* refusal(post("2", ["dollars", "3 USD @@ 0.9949 EUR"], ["cash", "-1.00 EUR"])),
        "off by -0.0051 EUR"
      )
      assert.include(yield* refusal(post("3", ["shop", "0.999 EUR"], ["cash", "-1.00 EUR"])), "off by -0.001 EUR")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("takes the same id with the same content once, and with other content not at all", () =>
    Effect.gen(function* () {
      yield* setting
      assert.strictEqual(yield* post("1", ["shop", "5.0 EUR"], ["cash", "-5.0 EUR"]), "Posted")
      const books = yield* Books
      const before = yield* books.now
      assert.strictEqual(yield* post("1", ["shop", "5 EUR"], ["cash", "-5 EUR"]), "PostedBefore")
      assert.strictEqual(yield* books.now, before, "nothing changed")
      assert.strictEqual(
        yield* refusal(post("1", ["shop", "6 EUR"], ["cash", "-6 EUR"])),
        "DuplicateId: The id 1 was used before for something else."
      )
      assert.strictEqual(yield* balance("cash"), "95 EUR (95)")
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("refuses accounts that don't exist or are frozen", () =>
    Effect.gen(function* () {
      yield* setting
      const bank = yield* Bank.client
      assert.strictEqual(
        yield* refusal(post("1", ["nowhere", "5 EUR"], ["cash", "-5 EUR"])),
        "AccountNotFound: There is no account nowhere."
      )
      yield* bank.FreezeAccount({ account: account("shop") })
      assert.strictEqual(
        yield* refusal(post("1", ["shop", "5 EUR"], ["cash", "-5 EUR"])),
        "AccountFrozen: Account shop is frozen: nothing can be posted to it."
      )
      yield* bank.UnfreezeAccount({ account: account("shop") })
      assert.strictEqual(yield* post("1", ["shop", "5 EUR"], ["cash", "-5 EUR"]), "Posted")
    }).pipe(Effect.provide(BankTest))
  )
})

describe("limits", () => {
  it.effect("hold on the net of all postings to an account", () =>
    Effect.gen(function* () {
      yield* setting
      assert.strictEqual(
        yield* refusal(post("1", ["shop", "100.01 EUR"], ["cash", "-100.01 EUR"])),
        "InsufficientFunds: Account cash can give 100 EUR, not 100.01 EUR."
      )
      yield* post("2", ["cash", "-150 EUR"], ["shop", "100 EUR"], ["cash", "50 EUR"])
      assert.strictEqual(yield* balance("cash"), "0 EUR (0)")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("allow an overdraft in the commodities named", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("giro", { _tag: "UpTo", limits: [amount("20 EUR")] })
      yield* post("1", ["shop", "20 EUR"], ["giro", "-20 EUR"])
      assert.include(yield* refusal(post("2", ["shop", "0.01 EUR"], ["giro", "-0.01 EUR"])), "can give 0 EUR")
      assert.include(yield* refusal(post("3", ["shop", "1 USD"], ["giro", "-1 USD"])), "can give 0 USD")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("are seen from the account's own side", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("customer", none, "Credit")
      assert.include(
        yield* refusal(post("1", ["customer", "1 EUR"], ["shop", "-1 EUR"])),
        "Account customer can give 0 EUR"
      )
      yield* post("2", ["cash", "30 EUR"], ["customer", "-30 EUR"])
      yield* post("3", ["customer", "30 EUR"], ["cash", "-30 EUR"])
      assert.include(
        yield* refusal(post("4", ["customer", "1 EUR"], ["cash", "-1 EUR"])),
        "Account customer can give 0 EUR"
      )
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )
})

describe("OpenAccount", () => {
  it.effect("does nothing on the same terms and is refused on others", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("cash")
      assert.strictEqual(yield* balance("cash"), "100 EUR (100)")
      assert.strictEqual(
        yield* refusal(open("cash", unlimited)),
        "AccountExists: Account cash is already open on other terms."
      )
    }).pipe(Effect.provide(BankTest))
  )
})

describe("two-phase transfers", () => {
  it.effect("reserved money can't be spent twice", () =>
    Effect.gen(function* () {
      yield* setting
      yield* reserve("r", "shop", "cash", "80 EUR")
      assert.strictEqual(yield* balance("cash"), "100 EUR (20)")
      assert.strictEqual(yield* balance("shop"), "", "what is on its way in is not there yet")
      assert.include(yield* refusal(post("1", ["shop", "21 EUR"], ["cash", "-21 EUR"])), "can give 20 EUR, not 21 EUR")
      assert.include(yield* refusal(reserve("s", "shop", "cash", "21 EUR")), "can give 20 EUR, not 21 EUR")
      yield* post("2", ["shop", "20 EUR"], ["cash", "-20 EUR"])
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("settle in full, once", () =>
    Effect.gen(function* () {
      yield* setting
      const bank = yield* Bank.client
      yield* reserve("r", "shop", "cash", "80 EUR")
      yield* bank.Settle({ id: id("r") })
      yield* bank.Settle({ id: id("r") })
      assert.strictEqual(yield* balance("cash"), "20 EUR (20)")
      assert.strictEqual(yield* balance("shop"), "80 EUR (80)")
      assert.strictEqual(
        yield* refusal(bank.Void({ id: id("r") })),
        "ReservationClosed: Reservation r was already settled."
      )
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("settle for less and set the rest free", () =>
    Effect.gen(function* () {
      yield* setting
      const bank = yield* Bank.client
      yield* reserve("r", "shop", "cash", "80 EUR")
      assert.strictEqual(
        yield* refusal(bank.Settle({ id: id("r"), quantity: quantity("80.01") })),
        "SettlementTooLarge: Reservation r holds 80 EUR, not 80.01 EUR."
      )
      yield* bank.Settle({ id: id("r"), quantity: quantity("55.5") })
      assert.strictEqual(yield* balance("cash"), "44.5 EUR (44.5)")
      assert.strictEqual(
        yield* refusal(bank.Settle({ id: id("r") })),
        "ReservationClosed: Reservation r was already settled."
      )
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("can be voided, twice, also while an account is frozen", () =>
    Effect.gen(function* () {
      yield* setting
      const bank = yield* Bank.client
      yield* reserve("r", "shop", "cash", "80 EUR")
      yield* bank.FreezeAccount({ account: account("cash") })
      assert.include(yield* refusal(bank.Settle({ id: id("r") })), "AccountFrozen")
      yield* bank.Void({ id: id("r") })
      yield* bank.Void({ id: id("r") })
      assert.strictEqual(yield* balance("cash"), "100 EUR (100)")
      assert.include(yield* refusal(bank.Settle({ id: id("r") })), "was already voided")
      assert.include(yield* refusal(bank.Void({ id: id("x") })), "There is no reservation x")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("share their ids with transactions", () =>
    Effect.gen(function* () {
      yield* setting
      yield* reserve("r", "shop", "cash", "80 EUR")
      yield* reserve("r", "shop", "cash", "80.00 EUR")
      assert.strictEqual(yield* balance("cash"), "100 EUR (20)", "reserved once")
      assert.include(yield* refusal(reserve("r", "shop", "cash", "79 EUR")), "DuplicateId")
      assert.include(yield* refusal(reserve("capital", "shop", "cash", "1 EUR")), "DuplicateId")
      assert.include(yield* refusal(post("r", ["shop", "80 EUR"], ["cash", "-80 EUR"])), "DuplicateId")
    }).pipe(Effect.provide(BankTest))
  )

  it.effect("hold on both sides where both give", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("customer", none, "Credit")
      yield* post("1", ["cash", "30 EUR"], ["customer", "-30 EUR"])
      yield* reserve("r", "customer", "cash", "30 EUR")
      assert.strictEqual(yield* balance("customer"), "-30 EUR (0)")
      assert.strictEqual(yield* balance("cash"), "130 EUR (100)")
      yield* Effect.flatMap(Bank.client, (bank) => bank.Settle({ id: id("r") }))
      assert.strictEqual(yield* balance("customer"), "0 EUR (0)")
      yield* sound
    }).pipe(Effect.provide(BankTest))
  )
})

describe("Statement", () => {
  it.effect("is paged, oldest first, with a running balance of each commodity", () =>
    Effect.gen(function* () {
      yield* setting
      yield* open("dollars", unlimited)
      yield* post("1", ["shop", "10 EUR"], ["cash", "-10 EUR"])
      yield* post("2", ["cash", "7 USD"], ["dollars", "-7 USD"])
      yield* post("3", ["shop", "2 EUR"], ["cash", "-1 EUR"], ["cash", "-1 EUR"])
      const bank = yield* Bank.client
      const pages: Array<ReadonlyArray<string>> = []
      for (let after = Option.some(0); Option.isSome(after);) {
        const page = yield* bank.Statement({ account: account("cash"), after: after.value, limit: 2 })
        pages.push(
          page.lines.map(({ amount, balance, number, transaction }) =>
            [number, transaction, Amount.show(amount), Quantity.format(balance)].join(" ")
          )
        )
        after = page.next
      }
      assert.deepStrictEqual(pages, [
        ["1 capital 100 EUR 100", "2 1 -10 EUR 90"],
        ["3 2 7 USD 7", "4 3 -1 EUR 89"],
        ["5 3 -1 EUR 88"]
      ])
      const beyond = yield* bank.Statement({ account: account("cash"), after: 99, limit: 2 })
      assert.deepStrictEqual(beyond, { lines: [], next: Option.none() })
    }).pipe(Effect.provide(BankTest))
  )
})

describe("payloads", () => {
  it.effect("are refused beyond their bounds", () =>
    Effect.gen(function* () {
      yield* setting
      const refused = (...postings: Postings) => Effect.map(Effect.exit(post("1", ...postings)), Exit.isFailure)
      assert.isTrue(yield* refused(["cash", "5 EUR"]), "one posting")
      assert.isTrue(yield* refused(["", "5 EUR"], ["cash", "-5 EUR"]), "no account")
      assert.isTrue(yield* refused(["a::b", "5 EUR"], ["cash", "-5 EUR"]), "an empty part of a name")
      assert.isTrue(yield* refused(["cash", `${"9".repeat(70)} EUR`], ["shop", `-${"9".repeat(70)} EUR`]), "70 digits")
      assert.strictEqual(yield* balance("cash"), "100 EUR (100)")
    }).pipe(Effect.provide(BankTest))
  )
})

describe("AccountName", () => {
  it("is a path of parts with something in them", () => {
    const isName = Schema.is(AccountName)
    for (const good of ["a", "assets:bank checking", "aktiva:bank:größe", "a:b;c", "(a)"])
      assert.isTrue(isName(good), good)
    for (const bad of [
      "",
      ":",
      "a:",
      ":a",
      "a::b",
      " a",
      "a ",
      "a: b",
      "a :b",
      "a  b",
      "a\tb",
      "a\nb",
      "a".repeat(257)
    ]) {
      assert.isFalse(isName(bad), JSON.stringify(bad))
    }
  })
})

describe("Quantity", () => {
  it("reads plain decimals only, and writes one text for each value", () => {
    const read = (text: string) => Quantity.parse(text)
    for (const bad of ["", "-", ".", "1e9", "0x1", "1.2.3", " 1", "+1", "1_0", "--1", "9".repeat(65)]) {
      assert.strictEqual(read(bad)._tag, "Left", bad)
    }
    for (const [text, plain] of [
      ["-012.50", "-12.5"],
      [".5", "0.5"],
      ["5.", "5"],
      ["-0", "0"],
      ["100", "100"]
    ] as const) {
      const result = read(text)
      assert.strictEqual(result._tag === "Right" ? Quantity.format(result.right) : undefined, plain)
    }
    assert.strictEqual(Quantity.format(BigDecimal.make(15n, -3)), "15000")
    assert.strictEqual(Quantity.format(BigDecimal.make(1n, 30)), `0.${"0".repeat(29)}1`)
  })

  it("rounds half to even", () => {
    const rounded = (text: string) => Quantity.formatFixed(quantity(text), 2)
    assert.deepStrictEqual(["5.125", "5.135", "-5.125", "-5.1251", "0.005", "0.015", "1", "-0.004"].map(rounded), [
      "5.12",
      "5.14",
      "-5.12",
      "-5.13",
      "0.00",
      "0.02",
      "1.00",
      "0.00"
    ])
  })
})
