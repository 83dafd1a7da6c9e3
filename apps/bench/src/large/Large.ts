/**
 * `npm run bench -- --large`: a ledger larger than one would keep in memory, on one replica with its files on disk: how many
 * transfers a second, in how much memory, how long a snapshot takes and a restart. A small one is held against the same as a
 * value.
 */
import { SqliteJournal } from "@synod/journal"
import { Replica, Single } from "@synod/replica"
import { SqliteStore } from "@synod/sql-machine"
import { Console, Duration, Effect, Layer, Ref } from "effect"
import * as Path from "node:path"
import * as Directory from "../Directory.js"
import { type Client, Large, LargeLive, Value, ValueLive } from "./Ledger.js"

export interface Plan {
  readonly accounts: number
  /** Of the ledger that is also a value. */
  readonly small: number
  readonly seconds: number
}

/** Callers of the closed loop. */
const callers = 256

/** Accounts opened by one command. */
const atOnce = 1_000

const cluster = "large"

const journal = (directory: string, name: string) =>
  Layer.merge(SqliteJournal.layer({ filename: Path.join(directory, `${name}.journal`) }), Single.layer({ cluster }))

const store = (directory: string, name: string) =>
  SqliteStore.layer({ filename: Path.join(directory, `${name}.sqlite`) })

const onTables = (directory: string, name: string) =>
  Replica.layer(Large).pipe(Layer.provide(LargeLive), Layer.provide([store(directory, name), journal(directory, name)]))

const asValue = (directory: string) =>
  Replica.layer(Value).pipe(Layer.provide(ValueLive), Layer.provide(journal(directory, "value")))

export const run = ({ accounts, seconds, small }: Plan) =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const perValue = yield* Effect.provide(
      Effect.flatMap(Value.client, work({ accounts: small, seconds })),
      asValue(directory)
    )
    const perTable = yield* Effect.provide(
      Effect.flatMap(Large.client, work({ accounts: small, seconds })),
      onTables(directory, "small")
    )
    yield* Console.log(
      `${whole(small)} accounts: ${whole(perTable)} transfers/s on tables, ${whole(perValue)} as a value ` +
        `(${(100 * (perTable / perValue)).toFixed(0)} %)\n`
    )
    const perLarge = yield* Effect.provide(
      Effect.flatMap(Large.client, work({ accounts, seconds: 3 * seconds })),
      onTables(directory, "large")
    )
    yield* Console.log(`${whole(accounts)} accounts: ${whole(perLarge)} transfers/s on tables; ${memory()}`)
    const [restart, balance] = yield* Effect.timed(
      Effect.provide(
        Effect.flatMap(Large.client, (ledger) => ledger.Balance({ account: accounts - 1 })),
        onTables(directory, "large")
      )
    )
    yield* Console.log(`restarted and asked in ${took(restart)} (balance ${balance})`)
    yield* Effect.provide(snapshot, LargeLive.pipe(Layer.provide(store(directory, "large"))))
    yield* Console.log(`at the end: ${memory()}`)
  }).pipe(Effect.scoped)

/** Opens the accounts, and transfers among them; how many a second. */
const work =
  ({ accounts, seconds }: { readonly accounts: number; readonly seconds: number }) =>
  (ledger: Client | Effect.Effect.Success<typeof Large.client>) =>
    Effect.gen(function* () {
      const loading = Effect.forEach(
        Array.from({ length: accounts / atOnce }, (_, i) => i * atOnce),
        (first) => ledger.Open({ first, count: atOnce, balance: 100 }),
        { concurrency: 4, discard: true }
      )
      const [loaded] = yield* Effect.timed(loading)
      yield* Console.log(`  ${whole(accounts)} accounts opened in ${took(loaded)}; ${memory()}`)
      const done = yield* Ref.make(0)
      const caller = (caller: number) =>
        Effect.gen(function* () {
          // A walk over all accounts, in steps that hit no page twice in a row.
          for (let i = caller; ; i += callers) {
            yield* ledger.Transfer({ from: (i * 7_919) % accounts, to: (i * 104_729 + 1) % accounts, amount: 1 })
            yield* Ref.update(done, (count) => count + 1)
          }
        })
      const telling = Effect.forever(
        Effect.delay(
          Effect.flatMap(Ref.get(done), (count) => Console.log(`  ${whole(count)} transfers; ${memory()}`)),
          `${Math.max(1, seconds / 4)} seconds`
        )
      )
      yield* Effect.forEach(
        Array.from({ length: callers }, (_, i) => caller(i)),
        (one) => one,
        {
          concurrency: "unbounded",
          discard: true
        }
      ).pipe(Effect.race(telling), Effect.timeoutOption(`${seconds} seconds`))
      return (yield* Ref.get(done)) / seconds
    })

/** Freezes the machine and reads all of its snapshot, as a replica does that writes it to its journal. */
const snapshot = Effect.gen(function* () {
  const executor = yield* Large.executor
  const machine = yield* executor.open({ cluster, node: 1 })
  let bytes = 0
  const [frozen, { next }] = yield* Effect.timed(machine.freeze)
  const [read] = yield* Effect.timed(
    Effect.gen(function* () {
      for (;;) {
        const piece = yield* next(256 * 1024)
        if (piece === undefined) return
        bytes += piece.length
      }
    })
  )
  yield* Console.log(
    `a snapshot: ${(bytes / 2 ** 20).toFixed(1)} MiB, frozen in ${took(frozen)}, read in ${took(read)}`
  )
}).pipe(Effect.scoped)

const memory = (): string => `${whole(process.memoryUsage().rss / 2 ** 20)} MiB resident`

const took = (duration: Duration.Duration): string => `${Duration.toSeconds(duration).toFixed(2)} s`

const whole = (number: number): string => Math.round(number).toLocaleString("en")
