/**
 * Machines on SQL tables in a simulated world: what they hold is the bytes of their database, from which a scratch copy is
 * opened whenever something is to be done with it again.
 *
 * @since 0.1.0
 */
import { type SqlStore, SqliteStore } from "@synod/sql-machine"
import { Digest, Snapshot } from "@synod/state-machine"
import type { Executor, Machine } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Sessions, Subject } from "./Subject.js"

/**
 * The tables of a machine after some slot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tables {
  readonly bytes: Uint8Array
  readonly digest: string
}

/**
 * Runs a query on tables, for invariants: its rows as objects.
 *
 * @since 0.1.0
 * @category models
 */
export type Rows = (sql: string) => ReadonlyArray<any>

// SQLite's binding is loaded with the first database, and in a world there is no file to load it from.
SqliteStore.memory().close()

/** Scratch copies belong to nobody else. */
const scratch: Executor.Where = { cluster: "scratch", node: 0 }

/**
 * A machine on tables; `executor` is what it is on a store. The tables of the node itself are in `database`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const subject = (
  executor: (store: SqlStore.SqlStore["Type"]) => Executor.Executor,
  node: { readonly store: SqlStore.SqlStore["Type"]; readonly bytes: () => Uint8Array }
): Subject<Tables, Rows> => {
  let next = SqliteStore.memory()
  const copies = executor({ open: () => next, apart: () => next })
  const own = executor(node.store)

  /** Opens a copy, as of this place, and lets go of it when all is done. */
  const copy = <A>(
    tables: Tables | undefined,
    at: Machine.At | undefined,
    use: (machine: Machine.Machine, database: SqliteStore.Memory) => A
  ): A => {
    const database = SqliteStore.memory(tables?.bytes)
    const connection = database.connection()
    if (tables !== undefined) {
      connection.prepare("UPDATE synod_header SET cluster = ?, node = ?").run(scratch.cluster, scratch.node)
    }
    if (at !== undefined) connection.prepare("UPDATE synod_applied SET slot = ?, time = ?").run(at.slot, at.time)
    next = database
    return Effect.runSync(Effect.scoped(Effect.map(copies.open(scratch), (machine) => use(machine, database))))
  }

  const taken = (machine: Machine.Machine, bytes: Uint8Array): Tables => ({
    bytes,
    digest: Effect.runSync(machine.digest).digest
  })

  const facts = new WeakMap<Tables, Facts>()
  const factsOf = (tables: Tables): Facts => {
    const known = facts.get(tables) ?? factsIn(tables)
    facts.set(tables, known)
    return known
  }

  return {
    executor: own,
    open: (where) =>
      Effect.map(own.open(where), (machine) => ({ ...machine, replicated: () => taken(machine, node.bytes()) })),
    initial: copy(undefined, undefined, (machine, database) => taken(machine, database.bytes())),
    apply: (tables, at, batch) =>
      copy(tables, undefined, (machine, database) => {
        const replies = Either.getOrThrow(machine.apply(at, batch))
        return { state: taken(machine, database.bytes()), replies }
      }),
    query: (tables, at, query) => copy(tables, at, (machine) => Either.getOrThrow(machine.query(query))),
    digest: ({ digest }) => digest,
    own: (tables) => factsOf(tables).own,
    sessions: factsOf,
    again: (tables) =>
      Either.try({
        try: () => copy(tables, undefined, (machine) => Effect.runSync(passedOn(machine, copies, (to) => (next = to)))),
        catch: (cause) =>
          cause instanceof Snapshot.SnapshotError
            ? cause
            : new Snapshot.SnapshotError({ machine: own.machine.name, reason: String(cause) })
      }),
    shown: (tables) => (sql) => {
      const database = SqliteStore.memory(tables.bytes)
      try {
        return database.connection().prepare(sql).all()
      } finally {
        database.close()
      }
    }
  }
}

/** Passes a state on by a snapshot, in small pieces, to a machine that is new, and digests what comes. */
const passedOn = (machine: Machine.Machine, copies: Executor.Executor, give: (database: SqliteStore.Memory) => void) =>
  Effect.gen(function* () {
    const frozen = yield* machine.freeze
    give(SqliteStore.memory())
    const other = yield* copies.open(scratch)
    const restoration = yield* other.restore
    for (;;) {
      const piece = yield* frozen.next(pieceBytes)
      if (piece === undefined) break
      yield* restoration.write(piece)
    }
    const prepared = yield* restoration.end(frozen.at)
    yield* prepared.adopt
    return (yield* other.digest).digest
  }).pipe(Effect.scoped)

/** No multiple of a page, so that pieces end anywhere. */
const pieceBytes = 5_000

interface Facts extends Sessions {
  readonly own: string
}

const factsIn = ({ bytes }: Tables): Facts => {
  const database = SqliteStore.memory(bytes)
  const connection = database.connection()
  const all = (sql: string): ReadonlyArray<any> => connection.prepare(sql).raw().all()
  try {
    const names = all(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'synod%' AND name NOT LIKE 'sqlite%' ORDER BY name"
    )
    return {
      own: Digest.of(names.map(([name]) => [name, all(`SELECT * FROM "${name}"`)])),
      open: all("SELECT count(*) FROM synod_session")[0][0],
      opened: all("SELECT opened FROM synod_applied")[0][0],
      over: Digest.of(all("SELECT * FROM synod_over ORDER BY id"))
    }
  } finally {
    database.close()
  }
}
