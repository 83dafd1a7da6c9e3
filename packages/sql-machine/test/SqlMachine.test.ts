import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql"
import { SqlMachine, SqliteStore } from "@synod/sql-machine"
import { Envelope, Kind, StateMachine } from "@synod/state-machine"
import { Effect, Layer } from "effect"
import { Ledger, LedgerLive } from "./Ledger.js"
import { command, defect, executorOf, look, open, openProbe, Probe, run, success } from "./Log.js"

const count = (of: string) => look(`SELECT count(*) AS n FROM ${of}`)
const n = (value: number) => success([{ n: value }])

describe("SqlMachine", () => {
  it.scoped("is called like any other machine", () =>
    Effect.gen(function* () {
      const ledger = yield* Ledger.client
      yield* ledger.Deposit({ account: "ann", amount: 5 })
      yield* ledger.Deposit({ account: "bob", amount: 1 })
      yield* ledger.Transfer({ from: "ann", to: "bob", amount: 2 })
      const poor = yield* Effect.flip(ledger.Transfer({ from: "ann", to: "bob", amount: 4 }))
      const nobody = yield* Effect.flip(ledger.Transfer({ from: "ann", to: "nobody", amount: 1 }))
      assert.deepStrictEqual([poor._tag, nobody._tag], ["TooPoor", "NoAccount"])
      assert.strictEqual(yield* ledger.Balance({ account: "ann" }), 3)
      assert.strictEqual(yield* ledger.Balance({ account: "bob" }), 3)
    }).pipe(
      Effect.provide(
        StateMachine.layerLocal(Ledger).pipe(Layer.provide(LedgerLive), Layer.provide(SqliteStore.layerMemory))
      )
    )
  )

  it("is refused with another number of migrations than versions, and with migrations beyond its tables", () => {
    const make = (version: number, ...migrations: ReadonlyArray<string>) =>
      SqlMachine.make("Wrong", { version, migrations, commands: [], queries: [] })
    assert.throws(() => make(2, ""), Kind.InvalidMachine, "it is of version 2 and has 1 migrations")
    assert.throws(() => make(1, "CREATE TABLE synod_x (y)"), Kind.InvalidMachine, "synod_x is the machine's own")
    assert.throws(() => make(1, "PRAGMA user_version = 1"), Kind.InvalidMachine, "PRAGMA is not for the tables")
    assert.throws(() => make(1, "CREATE TEMP TABLE x (y)"), Kind.InvalidMachine, "TEMP is not for the tables")
    make(1, "CREATE TABLE x (pragma TEXT DEFAULT 'synod_x pragma') -- PRAGMA".replace("pragma TEXT", '"pragma" TEXT'))
  })

  describe("a command", () => {
    it.scoped("that fails leaves nothing behind, and those of its batch stay", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        const answers = log.call(
          run("INSERT INTO t VALUES (1, 'a')"),
          run("INSERT INTO t VALUES (2, 'b') FAIL"),
          run("INSERT INTO t VALUES (3, 'c')")
        )
        assert.deepStrictEqual(answers, [success([]), { _tag: "Failure", error: "as asked" }, success([])])
        assert.deepStrictEqual(log.query(look("SELECT id FROM t ORDER BY id")), success([{ id: 1 }, { id: 3 }]))
      })
    )

    it.scoped("whose SQL is wrong is a defect that every replica words alike", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        const answers = log.call(
          run("INSERT INTO t VALUES (1, 'a')"),
          run("INSERT INTO t VALUES (1, 'b')"),
          run("SELECT nonsense FROM t")
        )
        assert.deepStrictEqual(answers.slice(1), [
          defect("its handler died with a SqlFault: SQLITE_CONSTRAINT_PRIMARYKEY"),
          defect("its handler died with a SqlFault: SQLITE_ERROR")
        ])
        assert.deepStrictEqual(log.query(count("t")), n(1))
      })
    )

    it.scoped("is applied once, and answered with the first answer", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        const call = Envelope.call({
          session: 1,
          acknowledged: 0,
          first: 0,
          commands: [run("INSERT INTO t VALUES (NULL, 'a') RETURNING id")]
        })
        const [first] = log.apply(call)
        const [second] = log.apply(call)
        assert.strictEqual(first?._tag, "Replied")
        assert.deepStrictEqual(second && { ...second, slot: 0 }, first && { ...first, slot: 0 })
        assert.deepStrictEqual(log.query(count("t")), n(1))
      })
    )

    it.scoped("may nest transactions, which are savepoints", () =>
      Effect.gen(function* () {
        const insert = (id: number) =>
          Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO t VALUES (${id}, NULL)`)
        const nested = Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* insert(1)
          yield* Effect.ignore(sql.withTransaction(Effect.zipRight(insert(2), Effect.fail("undone"))))
          yield* sql.withTransaction(insert(3))
        })
        const look = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT id FROM t ORDER BY id`)
        const live = Probe.toLayer({ Run: () => Effect.asVoid(nested), Look: () => look })
        const log = yield* Effect.flatMap(executorOf(Probe, live), open)
        assert.deepStrictEqual(log.call(run("")), [success(undefined)])
        assert.deepStrictEqual(log.query(command("Look", { sql: "" })), success([{ id: 1 }, { id: 3 }]))
      })
    )

    it.scoped("that waits is a defect, and nothing of it stays", () =>
      Effect.gen(function* () {
        const slow = Effect.flatMap(SqlClient.SqlClient, (sql) =>
          Effect.zipRight(sql`INSERT INTO t VALUES (1, NULL)`, Effect.sleep("1 milli"))
        )
        const look = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT id FROM t`)
        const live = Probe.toLayer({ Run: () => slow, Look: () => look })
        const log = yield* Effect.flatMap(executorOf(Probe, live), open)
        assert.deepStrictEqual(log.call(run("")), [
          defect("its handler went asynchronous: it slept, or waited for a promise, a callback or another fiber")
        ])
        assert.deepStrictEqual(log.query(command("Look", { sql: "" })), success([]))
      })
    )
  })

  describe("a query", () => {
    it.scoped("that writes is a defect, and changes nothing", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        log.call(run("INSERT INTO t VALUES (1, 'a')"))
        const before = log.digest
        for (const sql of ["DELETE FROM t", "INSERT INTO t VALUES (2, 'b') RETURNING id", "UPDATE t SET value = 'x'"]) {
          assert.deepStrictEqual(
            log.query(look(sql)),
            defect("its handler died with a SqlFault: a query may not write", "Look")
          )
        }
        assert.strictEqual(log.digest, before)
      })
    )
  })

  describe("SQL of handlers", () => {
    const refused = (sql: string, reason: string) => [sql, `its handler died with a SqlFault: ${reason}`] as const

    it.scoped.each([
      refused("BEGIN", "it begins with BEGIN, and handlers select, insert, update and delete"),
      refused("COMMIT", "it begins with COMMIT, and handlers select, insert, update and delete"),
      refused(
        "/* x */ PRAGMA user_version = 3",
        "it begins with PRAGMA, and handlers select, insert, update and delete"
      ),
      refused("ATTACH 'x' AS y", "it begins with ATTACH, and handlers select, insert, update and delete"),
      refused("VACUUM", "it begins with VACUUM, and handlers select, insert, update and delete"),
      refused("CREATE TABLE x (y)", "it begins with CREATE, and handlers select, insert, update and delete"),
      refused("", "it is no statement, and handlers select, insert, update and delete"),
      refused("DELETE FROM synod_answer", "synod_answer is the machine's own"),
      refused('SELECT * FROM "Synod_Applied"', "synod_applied is the machine's own"),
      refused(
        "INSERT OR ROLLBACK INTO t VALUES (1, 2)",
        "ROLLBACK would undo what other commands have done: use ABORT"
      ),
      refused("SELECT * FROM pragma_page_count", "pragma_page_count may differ from replica to replica"),
      refused("SELECT sqlite_version()", "sqlite_version may differ from replica to replica"),
      refused("SELECT last_insert_rowid()", "last_insert_rowid may differ from replica to replica: use RETURNING"),
      refused("SELECT total_changes()", "total_changes may differ from replica to replica: use RETURNING"),
      refused(
        "SELECT datetime('now', 'localtime')",
        "replicas may stand in several time zones: local time is for clients"
      ),
      refused("SELECT 1; SELECT 2", "RangeError")
    ])("%s is refused", ([sql, reason]) =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        log.call(run("INSERT INTO t VALUES (7, 'a')"))
        const before = log.digest
        assert.deepStrictEqual(log.query(look(sql)), defect(reason, "Look"))
        assert.deepStrictEqual(log.call(run(sql)), [defect(reason)])
        assert.deepStrictEqual(log.query(count("t")), n(1))
        assert.notStrictEqual(log.digest, before, "the answer is recorded")
      })
    )

    it.scoped("may speak of such things in literals", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        assert.deepStrictEqual(log.call(run("SELECT 'ROLLBACK synod_x' AS a -- pragma_x")), [
          success([{ a: "ROLLBACK synod_x" }])
        ])
      })
    )

    it.scoped("sees the time agreed for the slot", () =>
      Effect.gen(function* () {
        const log = yield* openProbe()
        const sql = `SELECT CURRENT_TIMESTAMP AS a, datetime('now') AS b, date() AS c, strftime('%s', 'NOW') AS d,
          unixepoch('now', '+1 day') AS e, datetime(0, 'unixepoch') AS f, timediff('now', '1970-01-01') AS g,
          julianday('1970-01-01') AS h`
        const at = {
          a: "1970-01-01 00:00:02",
          b: "1970-01-01 00:00:02",
          c: "1970-01-01",
          d: "2",
          e: 86_402,
          f: "1970-01-01 00:00:00",
          g: "+0000-00-00 00:00:02.000",
          h: 2440587.5
        }
        assert.deepStrictEqual(log.call(run(sql)), [success([at])])
        assert.deepStrictEqual(log.query(look("SELECT datetime() AS b")), success([{ b: "1970-01-01 00:00:02" }]))
      })
    )

    it.scoped("rolls the dice of its place in the log", () =>
      Effect.gen(function* () {
        const roll = run("SELECT random() AS a, hex(randomblob(8)) AS b")
        const one = (yield* openProbe()).call(roll, roll)
        const other = (yield* openProbe()).call(roll, roll)
        assert.deepStrictEqual(one, other)
        assert.notDeepEqual(one[0], one[1])
      })
    )
  })
})
