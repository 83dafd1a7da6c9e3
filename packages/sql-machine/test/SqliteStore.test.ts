import { assert, describe, it } from "@effect/vitest"
import { SqlMachine, SqliteStore, SqlStore } from "@synod/sql-machine"
import { Envelope, Kind, Machine, Snapshot, type Executor, type StateMachine } from "@synod/state-machine"
import { Effect, Either, Layer } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { connect } from "../src/internal/sqlite.js"
import { executorOf, type Log, look, open, openProbe, Probe, ProbeLive, run, success, where } from "./Log.js"

const directory = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-sql-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

/** A store whose databases the test can reach. */
const reachable = (filename: string, bounds: { readonly checkpointPages?: number } = {}) => {
  const opened: Array<SqlStore.Database> = []
  const layer = Layer.map(SqliteStore.layer({ filename, ...bounds }), (context) => {
    const store = Effect.runSync(Effect.provide(SqlStore.SqlStore, context))
    const open = (owner: SqlStore.Owner) => {
      const database = store.open(owner)
      opened.push(database)
      return database
    }
    return { ...context, unsafeMap: new Map([[SqlStore.SqlStore.key, { open }]]) } as typeof context
  })
  return { layer, database: () => opened.at(-1)! }
}

/** Two commands of which the second needs more room than the first. */
const filling = [
  Envelope.call({
    session: 1,
    acknowledged: 1,
    first: 1,
    commands: [run("INSERT INTO t VALUES (2, 'small')"), run("INSERT INTO t VALUES (3, zeroblob(100000))")]
  })
]

type Runnable = StateMachine.Runnable<any, Executor.Executor>

const ids = look("SELECT id FROM t ORDER BY id")

const insert = (log: Log, id: number, bytes = 10): void =>
  void log.call(run(`INSERT INTO t VALUES (${id}, zeroblob(${bytes}))`))

/** All pieces of a snapshot. */
const pieces = (frozen: Machine.Frozen, bytes: number) =>
  Effect.gen(function* () {
    const all: Array<Uint8Array> = []
    for (;;) {
      const piece = yield* frozen.next(bytes)
      if (piece === undefined) return all
      all.push(piece)
    }
  })

const prepare = (machine: Machine.Machine, all: ReadonlyArray<Uint8Array>, at: Machine.At) =>
  Effect.gen(function* () {
    const restoration = yield* machine.restore
    for (const piece of all) yield* restoration.write(piece)
    return yield* restoration.end(at)
  })

describe("a machine in a file", () => {
  it.scoped("goes on where it stood, with its sessions", () =>
    Effect.gen(function* () {
      const filename = Path.join(yield* directory, "probe.sqlite")
      const before = yield* Effect.scoped(
        Effect.map(openProbe(SqliteStore.layer({ filename })), (log) => {
          for (let id = 1; id <= 20; id++) insert(log, id)
          return { at: log.machine.at(), digest: log.digest }
        })
      )
      const log = yield* openProbe(SqliteStore.layer({ filename }))
      assert.deepStrictEqual({ at: log.machine.at(), digest: log.digest }, before)
      assert.strictEqual(log.machine.durableThrough(), 21)
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(filename)).sort(), [
        "probe.sqlite",
        "probe.sqlite-shm",
        "probe.sqlite-wal"
      ])
    })
  )

  it.scoped("is refused when it is another one's, and left as it is", () =>
    Effect.gen(function* () {
      const filename = Path.join(yield* directory, "probe.sqlite")
      const store = SqliteStore.layer({ filename })
      yield* Effect.scoped(openProbe(store))
      const bytes = Fs.readFileSync(filename)
      const refusal = (machine: Runnable, live: Layer.Layer<any, never, SqlStore.SqlStore>, at: object) =>
        Effect.flatMap(executorOf(machine, live, store), (executor) =>
          Effect.flip(Effect.scoped(executor.open({ ...where, ...at })))
        ).pipe(Effect.map(({ cause, message, passing }) => ({ cause: { ...(cause as object) }, message, passing })))

      assert.deepInclude(yield* refusal(Probe, ProbeLive, { cluster: "other" }), {
        message: `Probe can't go on: its database is of cluster "test", not "other"`,
        passing: false
      })
      assert.deepInclude(yield* refusal(Probe, ProbeLive, { node: 2 }), {
        message: `Probe can't go on: its database is of node 1, not 2`
      })
      const Other = SqlMachine.make("Other", { version: 1, migrations: [""], commands: [], queries: [] })
      assert.deepInclude((yield* refusal(Other, Other.toLayer({}), {})).cause, {
        subject: "machine",
        found: "Probe",
        expected: "Other"
      })
      assert.isTrue(bytes.equals(Fs.readFileSync(filename)))
    })
  )

  it.scoped("is refused when it is another program's, or no database", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const filename = Path.join(path, "probe.sqlite")
      const notes = SqliteStore.memory()
      notes.connection().exec("CREATE TABLE notes (text)")
      const tried = (name: string) =>
        Effect.map(Effect.flip(openProbe(SqliteStore.layer({ filename: Path.join(path, name) }))), (error) =>
          error instanceof Machine.MachineFailed ? error.reason : String(error)
        )
      Fs.writeFileSync(filename, notes.bytes())
      assert.strictEqual(yield* tried("probe.sqlite"), "its database is that of another program (its tables: notes)")
      Fs.writeFileSync(filename, "x".repeat(5_000))
      assert.strictEqual(yield* tried("probe.sqlite"), "file is not a database")
      assert.include(yield* tried("nowhere/probe.sqlite"), "directory does not exist")
    })
  )

  it.scoped("is brought on by migrations, all of one or nothing, and refused by the version before", () =>
    Effect.gen(function* () {
      const filename = Path.join(yield* directory, "probe.sqlite")
      const store = SqliteStore.layer({ filename })
      yield* Effect.scoped(Effect.map(openProbe(store), (log) => insert(log, 1)))
      const live = (machine: typeof Probe) =>
        machine.toLayer({ Run: () => Effect.void, Look: () => Effect.succeed("of the new version") })
      const make = (...migrations: ReadonlyArray<string>) =>
        SqlMachine.make("Probe", {
          version: 1 + migrations.length,
          migrations: ["CREATE TABLE t (id INTEGER PRIMARY KEY, value ANY) STRICT", ...migrations],
          commands: Probe.commands,
          queries: Probe.queries
        })
      const openVersion = (machine: ReturnType<typeof make>) =>
        Effect.flatMap(executorOf(machine, live(machine as typeof Probe), store), open)

      const wrong = make("ALTER TABLE t ADD COLUMN more TEXT", "CREATE TABLE t (again)")
      assert.include((yield* Effect.flip(openVersion(wrong))).reason, "table t already exists")
      assert.throws(() => make("ALTER TABLE t ADD COLUMN more TEXT; END"), Kind.InvalidMachine, "END would end")
      yield* Effect.scoped(
        Effect.map(openProbe(store), (log) => assert.deepStrictEqual(log.query(ids), success([{ id: 1 }])))
      )

      const next = make("ALTER TABLE t ADD COLUMN more TEXT")
      const log = yield* Effect.scoped(openVersion(next))
      assert.deepStrictEqual(log.machine.at(), { slot: 2, time: 2_000 })
      assert.strictEqual((yield* Effect.flip(openProbe(store))).reason, "its database is of version 2, not 1")
    })
  )

  it.scoped("stands still when it is frozen, however much is written meanwhile", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const { layer } = reachable(Path.join(path, "one.sqlite"), { checkpointPages: 1 })
      const log = yield* openProbe(layer)
      for (let id = 1; id <= 300; id++) insert(log, id, 2_000)
      const { at, digest } = yield* log.machine.digest
      const all = yield* Effect.scoped(
        Effect.gen(function* () {
          const frozen = yield* log.machine.freeze
          assert.deepStrictEqual(frozen.at, at)
          assert.strictEqual(log.machine.durableThrough(), at.slot)
          const all: Array<Uint8Array> = []
          for (;;) {
            const piece = yield* frozen.next(10_000)
            if (piece === undefined) return all
            assert.isAtMost(piece.length, 10_000)
            all.push(piece)
            log.call(run(`UPDATE t SET value = zeroblob(3000) WHERE id % 7 = ${all.length % 7}`))
            insert(log, 1_000 + all.length, 5_000)
          }
        })
      )
      assert.isAbove(all.length, 50)
      assert.notStrictEqual((yield* log.machine.digest).digest, digest)

      const other = yield* openProbe(SqliteStore.layer({ filename: Path.join(path, "two.sqlite") }))
      insert(other, 9)
      const prepared = yield* prepare(other.machine, all, at)
      assert.deepStrictEqual(other.query(ids), success([{ id: 9 }]), "nothing changes before it is adopted")
      yield* prepared.adopt
      assert.deepStrictEqual(yield* other.machine.digest, { at, digest })
      assert.deepStrictEqual(other.machine.at(), at)
      insert(other, 2_000)
    })
  )

  it.scoped("has the old state or the new one, whenever it is looked at", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const filename = Path.join(path, "two.sqlite")
      const source = yield* openProbe()
      for (let id = 1; id <= 50; id++) insert(source, id, 2_000)
      const at = source.machine.at()
      const all = yield* Effect.scoped(Effect.flatMap(source.machine.freeze, (frozen) => pieces(frozen, 4_096)))
      /** What another process would find now. */
      const found = Effect.gen(function* () {
        const copy = Path.join(yield* directory, "two.sqlite")
        for (const end of ["", "-wal", "-restoring", "-restoring-wal"]) {
          if (Fs.existsSync(filename + end)) Fs.copyFileSync(filename + end, copy + end)
        }
        const log = yield* openProbe(SqliteStore.layer({ filename: copy }))
        assert.deepStrictEqual(
          Fs.readdirSync(Path.dirname(copy)).filter((name) => name.includes("restoring")),
          []
        )
        return log.digest
      }).pipe(Effect.scoped)

      const log = yield* openProbe(SqliteStore.layer({ filename }))
      insert(log, 9)
      const old = log.digest
      const restoration = yield* log.machine.restore
      for (const piece of all.slice(0, 3)) yield* restoration.write(piece)
      assert.strictEqual(yield* found, old)
      for (const piece of all.slice(3)) yield* restoration.write(piece)
      const prepared = yield* restoration.end(at)
      assert.strictEqual(yield* found, old)
      insert(log, 10)
      yield* prepared.adopt
      assert.strictEqual(yield* found, source.digest)
      assert.strictEqual(log.machine.durableThrough(), at.slot)
    })
  )

  it.scoped("keeps the old state as long as somebody looks at the file, whose write-ahead log must go first", () =>
    Effect.gen(function* () {
      const filename = Path.join(yield* directory, "two.sqlite")
      const source = yield* openProbe()
      insert(source, 1)
      const all = yield* Effect.scoped(Effect.flatMap(source.machine.freeze, (frozen) => pieces(frozen, 4_096)))
      const log = yield* openProbe(SqliteStore.layer({ filename }))
      insert(log, 9)
      const prepared = yield* prepare(log.machine, all, source.machine.at())
      const stranger = connect(filename)
      stranger.exec("BEGIN; SELECT * FROM t")
      insert(log, 10)
      const old = { at: log.machine.at(), digest: log.digest }
      const failed = yield* Effect.flip(prepared.adopt)
      assert.isTrue(failed.passing)
      assert.deepStrictEqual({ at: log.machine.at(), digest: log.digest }, old)
      insert(log, 11)
      stranger.close()
      yield* prepared.adopt
      assert.strictEqual(log.digest, source.digest)
    })
  )

  it.scoped("refuses a snapshot that is damaged, of another machine or of another slot", () =>
    Effect.gen(function* () {
      const source = yield* openProbe()
      for (let id = 1; id <= 50; id++) insert(source, id, 2_000)
      const at = source.machine.at()
      const all = yield* Effect.scoped(Effect.flatMap(source.machine.freeze, (frozen) => pieces(frozen, 4_096)))
      const filename = Path.join(yield* directory, "two.sqlite")
      const log = yield* openProbe(SqliteStore.layer({ filename }))
      insert(log, 9)
      const before = log.digest
      const refused = (bytes: ReadonlyArray<Uint8Array>, place = at) =>
        Effect.map(Effect.flip(Effect.scoped(prepare(log.machine, bytes, place))), (error) => {
          assert.instanceOf(error, Snapshot.SnapshotError)
          return error.reason
        })
      assert.strictEqual(yield* refused(all, { slot: 7, time: 0 }), "it stands at slot 51, not 7")
      assert.match(yield* refused(all.slice(0, -3)), /damaged|malformed/)
      assert.match(yield* refused(all.map((piece, i) => (i === 5 ? piece.map(() => 85) : piece))), /damaged|malformed/)
      assert.include(yield* refused([new Uint8Array(5_000).fill(1)]), "not a database")
      const Other = SqlMachine.make("Other", { version: 1, migrations: [""], commands: [], queries: [] })
      const other = yield* Effect.flatMap(executorOf(Other, Other.toLayer({})), open)
      const foreign = yield* Effect.scoped(Effect.flatMap(other.machine.freeze, (frozen) => pieces(frozen, 4_096)))
      assert.strictEqual(yield* refused(foreign, other.machine.at()), `its database is of machine "Other", not "Probe"`)
      assert.strictEqual(log.digest, before)
      insert(log, 10)
    })
  )

  it.scoped("stands still while its disk is full, and goes on when there is room", () =>
    Effect.gen(function* () {
      const { database, layer } = reachable(Path.join(yield* directory, "probe.sqlite"))
      const log = yield* openProbe(layer)
      insert(log, 1)
      const before = { at: log.machine.at(), digest: log.digest }
      const connection = database().connection()
      const most = (pages: number) => connection.exec(`PRAGMA max_page_count = ${pages}`)
      most(1)
      const failed = yield* Effect.flip(Effect.suspend(() => log.tryApply(...filling)))
      assert.deepInclude({ ...failed }, { reason: "the disk is full", passing: true })
      assert.deepStrictEqual({ at: log.machine.at(), digest: log.digest }, before)
      most(1_000_000)
      assert.isTrue(Either.isRight(log.tryApply(...filling)))
      assert.deepStrictEqual(log.query(ids), success([{ id: 1 }, { id: 2 }, { id: 3 }]))
    })
  )

  it.scoped("is whole after a power failure, and holds what it said it would", () =>
    Effect.gen(function* () {
      const path = yield* directory
      const filename = Path.join(path, "probe.sqlite")
      const log = yield* openProbe(SqliteStore.layer({ filename }))
      for (let id = 1; id <= 50; id++) insert(log, id, 2_000)
      yield* Effect.scoped(log.machine.freeze)
      const durable = yield* log.machine.digest
      for (let id = 51; id <= 80; id++) insert(log, id, 2_000)
      assert.strictEqual(log.machine.durableThrough(), durable.at.slot)
      // Nothing of what was not synced is there: the write-ahead log is gone.
      const after = Path.join(path, "after.sqlite")
      Fs.copyFileSync(filename, after)
      const found = yield* openProbe(SqliteStore.layer({ filename: after }))
      assert.deepStrictEqual(yield* found.machine.digest, durable)
    })
  )
})
