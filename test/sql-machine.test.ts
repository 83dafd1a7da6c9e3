/**
 * Three replicas of a machine on SQL tables, with their files on disk: one is killed, misses what is trimmed meanwhile, and comes
 * back by a snapshot.
 */
import { Rpc } from "@effect/rpc"
import { SqlClient } from "@effect/sql"
import { assert, it } from "@effect/vitest"
import { InProcess, ReplicaConfig } from "@synod/replica"
import { SqliteStore, SqlMachine } from "@synod/sql-machine"
import { Effect, Layer, Logger, Schedule, Schema } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const Deposit = Rpc.make("Deposit", { payload: { account: Schema.String, amount: Schema.Int }, success: Schema.Int })
const Total = Rpc.make("Total", { success: Schema.Int })

const Ledger = SqlMachine.make("Ledger", {
  version: 1,
  migrations: ["CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT, WITHOUT ROWID"],
  commands: [Deposit],
  queries: [Total]
})

const LedgerLive = Ledger.toLayer({
  Deposit: ({ account, amount }) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ balance: number }>`INSERT INTO account VALUES (${account}, ${amount})
        ON CONFLICT DO UPDATE SET balance = balance + excluded.balance RETURNING balance`
      return row!.balance
    }),
  Total: () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ total: number }>`SELECT sum(balance) AS total FROM account`
      return row!.total
    })
})

const cluster = (directory: string) =>
  InProcess.layer(Ledger, { directory }).pipe(
    Layer.provide(LedgerLive),
    Layer.provide(SqliteStore.layer({ filename: ({ node }) => join(directory, `ledger-${node}.sqlite`) })),
    Layer.provide(
      Layer.succeed(ReplicaConfig.ReplicaConfig, { ...ReplicaConfig.defaults, snapshotSlots: 20, margin: 5, keep: 4 })
    )
  )

/** Waits until all replicas hold the same, for some seconds at most. */
const level = Effect.flatMap(InProcess.InProcess, ({ digest, nodes }) =>
  Effect.flatMap(Effect.forEach(nodes, digest), (digests) =>
    new Set(digests.map(({ appliedThrough, digest }) => `${appliedThrough} ${digest}`)).size === 1
      ? Effect.succeed(digests[0]!)
      : Effect.fail("they differ" as const)
  )
).pipe(Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.intersect(Schedule.recurs(200)))))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-ledger-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const quiet = Logger.remove(Logger.defaultLogger)

it.scopedLive("a replica on tables comes back by a snapshot, and all of them after a restart", () =>
  Effect.gen(function* () {
    const path = yield* directory
    const deposits = (from: number, count: number) =>
      Effect.flatMap(Ledger.client, (ledger) =>
        Effect.forEach(
          Array.from({ length: count }, (_, i) => from + i),
          (i) => ledger.Deposit({ account: `account ${i % 50}`, amount: 1 }),
          { discard: true }
        )
      )
    const before = yield* Effect.gen(function* () {
      const { kill, start, status } = yield* InProcess.InProcess
      yield* deposits(0, 30)
      const node = 3 as Parameters<typeof kill>[0]
      yield* kill(node)
      yield* deposits(30, 120)
      yield* start(node)
      yield* deposits(150, 10)
      const digest = yield* level
      const { snapshotThrough } = yield* status(node)
      assert.isAbove(snapshotThrough, 0)
      return digest
    }).pipe(Effect.provide(cluster(path)))
    yield* Effect.gen(function* () {
      const ledger = yield* Ledger.client
      assert.strictEqual(yield* ledger.Total(), 160)
      const after = yield* level
      assert.isAtLeast(after.appliedThrough, before.appliedThrough)
    }).pipe(Effect.provide(cluster(path)))
  }).pipe(Effect.provide(quiet))
)
