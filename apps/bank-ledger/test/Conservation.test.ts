/**
 * Random commands, sensible and not: after each, the books are sound.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, HashMap, Layer, Option } from "effect"
import { Bank, check } from "../src/Bank.js"
import type { Overdraft } from "../src/domain/Account.js"
import { account, amount, BankTest, Books, day, id, transaction } from "./fixtures.js"

const runs = 100
const commandsPerRun = 40

/** Printed with every failure; `FC_SEED=… npx vitest run Conservation` replays one. */
const seed = Number(process.env["FC_SEED"] ?? 20_260_131)

const names = ["a", "a:b", "c", "d", "nowhere"]
const name = fc.constantFrom(...names.slice(0, 4).flatMap((name) => [name, name, name, name]), "nowhere")
const key = fc.integer({ min: 1, max: 24 }).map(String)
const cents = fc.integer({ min: -3000, max: 3000 })
const commodity = fc.constantFrom("EUR", "EUR", "EUR", "USD", "NDW")

const text = (units: number, commodity: string) => {
  const digits = String(Math.abs(units)).padStart(3, "0")
  return `${units < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)} ${commodity}`
}

/** Mostly balanced: what is given is taken elsewhere. Some have a cost, some are off. */
const postings = fc
  .tuple(
    fc.array(fc.tuple(name, name, cents, commodity), { minLength: 1, maxLength: 3 }),
    fc.option(fc.tuple(name, name, cents, fc.integer({ min: 1, max: 3000 })), { freq: 3 }),
    fc.option(fc.tuple(name, cents), { freq: 8 })
  )
  .map(([moves, exchange, mistake]) => [
    ...moves.flatMap(([from, to, units, commodity]) => [
      [to, text(units, commodity)] as const,
      [from, text(-units, commodity)] as const
    ]),
    ...Option.match(Option.fromNullable(exchange), {
      onNone: () => [],
      onSome: ([from, to, units, price]) => [
        [to, `${text(units, "USD")} @@ ${text(price, "EUR")}`] as const,
        [from, text(-price, "EUR")] as const
      ]
    }),
    ...(mistake === null ? [] : [[mistake[0], text(mistake[1], "EUR")] as const])
  ])

const command = fc.oneof(
  { weight: 8, arbitrary: fc.record({ _tag: fc.constant("Post" as const), key, postings }) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        _tag: fc.constant("Reserve" as const),
        key,
        debit: name,
        credit: name,
        units: fc.integer({ min: 1, max: 3000 }),
        commodity
      })
      .filter(({ credit, debit }) => credit !== debit)
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("Settle" as const),
      key,
      units: fc.option(fc.integer({ min: 1, max: 3000 }))
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Void" as const), key }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Freeze" as const), name, frozen: fc.boolean() }) }
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

const overdrafts: ReadonlyArray<Overdraft> = [
  { _tag: "Unlimited" },
  { _tag: "UpTo", limits: [amount("60 EUR")] },
  { _tag: "UpTo", limits: [amount("25 EUR")] },
  { _tag: "None" }
]

const run = (command: Command) =>
  Effect.gen(function* () {
    const bank = yield* Bank.client
    switch (command._tag) {
      case "Post":
        return yield* bank.PostTransaction({ id: id(command.key), transaction: transaction(...command.postings) })
      case "Reserve":
        return yield* bank.Reserve({
          id: id(command.key),
          transfer: {
            date: day("2026-01-31"),
            description: "",
            debit: account(command.debit),
            credit: account(command.credit),
            amount: amount(text(command.units, command.commodity))
          }
        })
      case "Settle":
        return yield* bank.Settle({
          id: id(command.key),
          ...(command.units === null ? {} : { quantity: amount(text(command.units, "EUR")).quantity })
        })
      case "Void":
        return yield* bank.Void({ id: id(command.key) })
      case "Freeze":
        return yield* (command.frozen ? bank.FreezeAccount : bank.UnfreezeAccount)({ account: account(command.name) })
    }
  })

describe("conservation", () => {
  it("the books are sound after every command, and a refusal leaves them as they were", async () => {
    const outcomes = new Map<string, number>()
    const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)

    const property = fc.asyncProperty(
      fc.array(command, { minLength: commandsPerRun / 2, maxLength: commandsPerRun }),
      (commands) =>
        Effect.runPromise(
          Effect.gen(function* () {
            const bank = yield* Bank.client
            const books = yield* Books
            yield* Effect.forEach(names.slice(0, 4), (name, index) =>
              bank.OpenAccount({
                account: account(name),
                side: name === "c" ? "Credit" : "Debit",
                overdraft: overdrafts[index]!
              })
            )
            for (const command of commands) {
              const before = yield* books.now
              const outcome = yield* Effect.either(run(command))
              const after = yield* books.now
              assert.deepStrictEqual(check(after), [], JSON.stringify(command))
              if (outcome._tag === "Left") assert.strictEqual(after, before, `${outcome.left._tag} changed the books`)
              count(`${command._tag} ${outcome._tag === "Left" ? outcome.left._tag : "done"}`)
            }
            assert.strictEqual(yield* books.restoredDigest, yield* books.digest, "a snapshot carries all of the books")
            if (HashMap.size((yield* books.now).transactions) > 0) count("transactions")
          }).pipe(Effect.provide(Layer.fresh(BankTest)))
        )
    )
    await fc.assert(property, { numRuns: runs, seed })

    // A sound ledger to which nothing ever happened proves nothing.
    for (const outcome of [
      "Post done",
      "Post Unbalanced",
      "Post AccountNotFound",
      "Post AccountFrozen",
      "Post InsufficientFunds",
      "Post DuplicateId",
      "Reserve done",
      "Reserve InsufficientFunds",
      "Settle done",
      "Settle SettlementTooLarge",
      "Settle ReservationClosed",
      "Void done",
      "transactions"
    ]) {
      assert.isAbove(outcomes.get(outcome) ?? 0, 0, `${outcome} happened (seed ${seed})`)
    }
  }, 120_000)
})

describe("check", () => {
  it.effect("finds what is made up", () =>
    Effect.gen(function* () {
      const bank = yield* Bank.client
      const books = yield* Books
      const unlimited = { _tag: "Unlimited" } as const
      yield* bank.OpenAccount({ account: account("a"), side: "Debit", overdraft: unlimited })
      yield* bank.OpenAccount({ account: account("b"), side: "Debit", overdraft: { _tag: "None" } })
      yield* bank.PostTransaction({ id: id("1"), transaction: transaction(["b", "5 EUR"], ["a", "-5 EUR"]) })
      const sound = yield* books.now
      assert.deepStrictEqual(check(sound), [])
      const eur = amount("0 EUR").commodity
      const altered = (posted: string, reserved: string) => ({
        ...sound,
        accounts: HashMap.modify(sound.accounts, account("b"), (found) => ({
          ...found,
          positions: HashMap.set(found.positions, eur, {
            posted: amount(`${posted} EUR`).quantity,
            reserved: amount(`${reserved} EUR`).quantity
          })
        }))
      })
      assert.deepStrictEqual(check(altered("6", "0")), [
        "Accounts and exchanges are off by 1 EUR.",
        "Account b holds 6 EUR but transactions gave it 5 EUR.",
        "The statement of b does not end at its balance in EUR."
      ])
      assert.deepStrictEqual(check(altered("5", "7")), [
        "Account b reserves 7 EUR but reservations hold 0 EUR.",
        "Account b is below its limit in EUR."
      ])
      assert.deepStrictEqual(check({ ...sound, transactions: HashMap.empty() }), [
        "Account a holds -5 EUR but transactions gave it 0 EUR.",
        "Account b holds 5 EUR but transactions gave it 0 EUR."
      ])
      assert.deepStrictEqual(check({ ...sound, exchanged: HashMap.make([eur, amount("1 EUR").quantity]) }), [
        "Accounts and exchanges are off by 1 EUR.",
        "Exchanges hold 1 EUR but transactions exchanged 0 EUR."
      ])
    }).pipe(Effect.provide(BankTest))
  )
})
