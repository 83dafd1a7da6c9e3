import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql"
import { expect, it } from "@effect/vitest"
import { SqliteJournal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { RegisterStore, SqliteRegisterStore } from "@synod/register"
import { Effect } from "effect"
import { join } from "node:path"
import { directory } from "./Fixtures.js"
import { state, storeSuite } from "./StoreSuite.js"

const node = NodeId.make(1)
const open = (filename: string, cluster = "test") => SqliteRegisterStore.make({ filename, cluster, node })
const filename = Effect.map(directory, (path) => join(path, "registers.db"))

storeSuite(
  "RegisterStore in memory",
  Effect.map(RegisterStore.makeMemoryDisk, (disk) => ({ open: RegisterStore.makeMemory(disk) }))
)
storeSuite(
  "SqliteRegisterStore",
  Effect.map(filename, (path) => ({ open: open(path) }))
)

/** Does something to the file behind the store's back. */
const tamper = <A, E>(path: string, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(SqlClient.SqlClient, use), SqliteClient.layer({ filename: path }))

it.scoped("a damaged row is found, by key, body and time alike", () =>
  Effect.gen(function* () {
    const path = yield* filename
    yield* Effect.scoped(
      Effect.flatMap(open(path), (store) =>
        store.write(new Map(["a", "b", "c", "d"].map((key) => [key, state(1, key, true)])), 9)
      )
    )
    yield* tamper(
      path,
      (sql) => sql`UPDATE register SET body = (SELECT body FROM register WHERE key = 'b') WHERE key = 'a'`
    )
    yield* tamper(path, (sql) => sql`UPDATE register SET decided = 1 WHERE key = 'c'`)
    const store = yield* open(path)
    for (const key of ["a", "c"]) {
      const error = yield* Effect.flip(store.read([key]))
      expect(error).toMatchObject({ _tag: "JournalDamaged", reason: `register "${key}": its checksum differs` })
    }
    expect((yield* store.read(["d"])).size).toBe(1)
  })
)

it.scoped("a file of another cluster, or of a log, is refused", () =>
  Effect.gen(function* () {
    const path = yield* filename
    yield* Effect.scoped(open(path))
    const other = yield* Effect.flip(Effect.scoped(open(path, "other")))
    expect(other.message).toBe(`journal ${path} belongs to cluster "test", not to cluster "other"`)
    const asLog = yield* Effect.flip(Effect.scoped(SqliteJournal.make({ filename: path, cluster: "test", node })))
    expect(asLog._tag).toBe("JournalUnopenable")
    const log = join(yield* directory, "log.db")
    yield* Effect.scoped(SqliteJournal.make({ filename: log, cluster: "test", node }))
    expect((yield* Effect.flip(Effect.scoped(open(log))))._tag).toBe("JournalUnopenable")
  })
)

it.scoped("after a write that failed it answers nobody until it has recovered", () =>
  Effect.gen(function* () {
    const path = yield* filename
    const store = yield* open(path)
    yield* store.write(new Map([["a", state(1, "a")]]), 1)
    // The column takes numbers only, so that the statement fails.
    const failed = yield* Effect.flip(store.write(new Map([["b", state(2, "b", true)]]), "now" as unknown as number))
    expect(failed._tag).toBe("JournalFailed")
    expect((yield* Effect.flip(store.read(["a"])))._tag).toBe("JournalUnsettled")
    expect((yield* Effect.flip(store.write(new Map([["a", state(9)]]), 1)))._tag).toBe("JournalUnsettled")
    yield* store.recover
    expect((yield* store.read(["a", "b"])).size).toBe(1)
  })
)
