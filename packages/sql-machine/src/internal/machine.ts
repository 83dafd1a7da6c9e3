/**
 * One running copy of a machine on tables.
 *
 * ```
 *   apply: BEGIN ─► sessions ─► command: SAVEPOINT ─► handler ─► RELEASE, or back to it ─► … ─► slot, time ─► COMMIT
 * ```
 *
 * The state, the sessions and the slot are in one transaction, so that no crash can part them.
 */
import { ExactlyOnce, type Kind, Machine, type SessionTable, Snapshot } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type * as SqlStore from "../SqlStore.js"
import * as Agreed from "./agreed.js"
import { Statements } from "./client.js"
import * as Digests from "./digest.js"
import * as Failure from "./failure.js"
import { Sessions } from "./sessions.js"
import * as Tables from "./tables.js"
import type { Prepared } from "../SqlStore.js"

export interface Subject {
  readonly owner: Tables.Owned
  readonly bounds: SessionTable.Bounds
  /** Handlers, which run their statements where `current` says. */
  readonly performer: (statements: () => Statements) => Kind.Performer
}

/**
 * Rows that are digested in one go, times the rows that `digest` takes at once: about 4 ms. A state of fewer needs no frozen
 * copy for it.
 */
const digestAtOnce = 64

/** What is prepared on the connection that is in place. */
interface Running {
  readonly connection: SqlStore.Connection
  readonly sessions: Sessions
  readonly statements: Statements
  readonly begin: Prepared
  readonly applied: Prepared
}

export const open = (
  database: SqlStore.Database,
  subject: Subject
): Effect.Effect<Machine.Machine, Machine.MachineFailed> =>
  Effect.gen(function* () {
    const { bounds, owner } = subject
    const machine = owner.machine
    const failed = (cause: unknown): Machine.MachineFailed =>
      new Machine.MachineFailed({ machine, reason: Failure.tell(cause), passing: Failure.isPassing(cause), cause })
    const attempt = <A>(body: () => A) => Effect.try({ try: body, catch: failed })

    const prepare = (): Running => {
      const connection = database.connection()
      Agreed.install(connection, database.plain, { time: () => agreed, chance: () => performer.chance() })
      return {
        connection,
        sessions: new Sessions(connection, bounds),
        statements: new Statements(connection),
        begin: connection.prepare("BEGIN IMMEDIATE"),
        applied: connection.prepare("UPDATE synod_applied SET slot = ?, time = ?")
      }
    }

    const performer = subject.performer(() => running.statements)
    /** The time that SQL sees. */
    let agreed = 0
    yield* attempt(() => {
      const header = Tables.identify(database.connection(), owner)
      database.begin()
      Tables.settle(database.connection(), owner, header)
      // What a process that crashed has written may not be on the disk.
      database.sync()
    })
    let running = yield* attempt(prepare)
    let at = yield* attempt(() => Tables.at(running.connection))
    let durable = at.slot
    const freezing = yield* Effect.makeSemaphore(1)

    const perform =
      (place: Machine.At) => (index: number, command: Uint8Array, decoded: Machine.Decoded | undefined) => {
        const { statements } = running
        const { answer, succeeded } = performer.command(place, index, command, decoded)
        if (statements.trouble !== undefined) throw statements.trouble
        statements.end(succeeded)
        return answer
      }

    const apply: Machine.Machine["apply"] = (place, batch, performed, decoded) => {
      const { applied, begin, connection, sessions, statements } = running
      try {
        begin.run()
        agreed = place.time
        const replies = ExactlyOnce.apply(sessions, place, batch, perform(place), performed, decoded)
        applied.run(place.slot, place.time)
        database.commit()
        at = place
        return Either.right(replies)
      } catch (cause) {
        statements.forget()
        if (connection.inTransaction) connection.exec("ROLLBACK")
        return Either.left(failed(cause))
      }
    }

    const query: Machine.Machine["query"] = (bytes) => {
      const { statements } = running
      agreed = at.time
      const answer = performer.query(at, bytes)
      if (statements.trouble === undefined) return Either.right(answer)
      const reason = failed(statements.trouble)
      statements.forget()
      return Either.left(reason)
    }

    /** One at a time: the file stands still for it. */
    const image = Effect.acquireRelease(freezing.take(1), () => freezing.release(1)).pipe(
      Effect.zipRight(
        Effect.acquireRelease(
          attempt(() => {
            const frozen = database.freeze()
            durable = at.slot
            return { at, frozen }
          }),
          ({ frozen }) => Effect.sync(frozen.close)
        )
      )
    )

    const freeze = Effect.map(image, ({ at, frozen }): Machine.Frozen => ({
      at,
      next: (bytes) => attempt(() => frozen.read(bytes))
    }))

    /** A small state is digested as it stands there; a large one from a frozen copy, with pauses. */
    const digest = Effect.suspend(() => {
      const small = attempt(() => {
        const digests = Digests.digests(running.connection)
        for (let slice = 0; slice < digestAtOnce; slice++) {
          const { done, value } = digests.next()
          if (done === true) return { at, digest: value }
        }
        digests.return("")
        return undefined
      })
      return Effect.flatMap(small, (digested) => (digested === undefined ? large : Effect.succeed(digested)))
    })

    const large = Effect.gen(function* () {
      const { at, frozen } = yield* image
      const digests = yield* attempt(() => Digests.digests(frozen.connection()))
      for (let slice = 1; ; slice++) {
        const { done, value } = yield* attempt(() => digests.next())
        if (done === true) return { at, digest: value }
        if (slice % digestAtOnce === 0) yield* Effect.sleep(0)
      }
    }).pipe(Effect.scoped)

    const unusable = (reason: string) => new Snapshot.SnapshotError({ machine, reason })

    /** Looks at what came, and makes it this node's own. */
    const own = (connection: SqlStore.Connection, place: Machine.At): Machine.At => {
      const [checked] = connection.prepare("PRAGMA quick_check(1)").raw().all().flat()
      if (checked !== "ok") throw unusable(`SQLite finds it damaged: ${checked}`)
      const { node } = connection.prepare("SELECT node FROM synod_header").get() as { readonly node: number }
      const header = Tables.identify(connection, { ...owner, node })
      Tables.takeOver(connection, owner)
      Tables.settle(connection, owner, header)
      const found = Tables.at(connection)
      if (found.slot !== place.slot) throw unusable(`it stands at slot ${found.slot}, not ${place.slot}`)
      return found
    }

    const restore = Effect.gen(function* () {
      const incoming = yield* Effect.acquireRelease(attempt(database.restore), ({ close }) => Effect.sync(close))
      const adopt = (place: Machine.At) =>
        attempt(() => {
          try {
            incoming.adopt()
            at = place
            durable = place.slot
          } finally {
            // The old one is opened anew where the new one could not take its place.
            running = prepare()
          }
        })
      const restoration: Machine.Restoration = {
        write: (bytes) => attempt(() => incoming.write(bytes)),
        end: (place) =>
          Effect.try({
            try: () => own(incoming.end(), place),
            catch: (cause) =>
              Failure.isHere(cause) && Failure.isPassing(cause)
                ? failed(cause)
                : cause instanceof Snapshot.SnapshotError
                  ? cause
                  : unusable(Failure.tell(cause))
          }).pipe(Effect.map((at) => ({ at, adopt: adopt(at) })))
      }
      return restoration
    })

    return {
      at: () => at,
      apply,
      decode: performer.decode,
      query,
      digest,
      freeze,
      restore,
      durableThrough: () => durable
    }
  })

export type Opened = Effect.Effect<Machine.Machine, Machine.MachineFailed, Scope.Scope>
