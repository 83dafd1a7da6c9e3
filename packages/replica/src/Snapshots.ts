/**
 * The snapshots of a replica: taken of its machine now and then, kept in its journal, handed out to replicas that are behind, and
 * the reason why its log may be short.
 *
 * ```
 *   learner ── applied ──► due? ── encode a frozen state ──► pieces, one commit each ──► whole ──► Trim ──► acceptor
 *                                                                │
 *   a peer that is behind ── FetchSnapshot(slot, index) ────────►┘ one piece an answer
 * ```
 *
 * Two snapshots are kept, and the log behind the older one: when the newer one turns out to be damaged, the older one and the log
 * still make up the whole. A snapshot that somebody is fetching, and the log behind it, stay until nobody has asked for a
 * piece for some time (Chandra et al., *Paxos Made Live*, 5.3; Ongaro, *Consensus: Bridging Theory and Practice*, 5).
 *
 * @since 0.1.0
 */
import { Journal, type JournalError, type Snapshot } from "@synod/journal"
import { Acceptor, Ballot, Slot } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import type { Executor } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { crc32 } from "node:zlib"
import { EventLoop } from "./EventLoop.js"
import type { Applied } from "./LearnerActor.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Snapshots {
  /** The machine stands so after one more slot, whose entry has so many bytes. Takes a snapshot if one is due. */
  readonly applied: (machine: Applied, bytes: number) => void
  /** The log is shorter now: room can be given back. */
  readonly trimmed: () => void
  /** Hands out a piece, to a replica that has promised as much as this one. */
  readonly serve: (request: Message.FetchSnapshot) => Effect.Effect<Served, JournalError.JournalError>
  /** The slot of the newest one; 0 when there is none. */
  readonly newest: () => Slot.Slot
  /** Runs while no other snapshot is being saved. */
  readonly saving: <A, E>(save: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** All pieces of a snapshot are in the journal: now it is whole, and the log may be trimmed. */
  readonly saved: (snapshot: Snapshot.Snapshot) => Effect.Effect<void, JournalError.JournalError>
  /** A snapshot turned out to be of no use. */
  readonly drop: (slot: Slot.Slot) => Effect.Effect<void, JournalError.JournalError>
}

/**
 * @since 0.1.0
 * @category models
 */
export type Served = Message.SnapshotChunk | Message.Rejected | Message.NoSnapshot

/**
 * The machine of the newest snapshot that can be used, if there is one. It must reach as far as the log was trimmed.
 *
 * @since 0.1.0
 * @category restoring
 */
export const newest = (
  executor: Executor.Executor
): Effect.Effect<Applied | undefined, JournalError.JournalError, Journal.Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    for (const snapshot of yield* journal.snapshots) {
      if (snapshot.slot < journal.recovered.trimmedThrough) continue
      const machine = yield* Effect.option(
        Effect.tapErrorTag(restore(executor, snapshot), "SnapshotUnusable", ({ message }) => Effect.logWarning(message))
      )
      if (machine._tag === "Some") return machine.value
    }
    return undefined
  })

/**
 * Why a machine can't be restored from a snapshot in the journal.
 *
 * @since 0.1.0
 * @category restoring
 */
export interface SnapshotUnusable {
  readonly _tag: "SnapshotUnusable"
  readonly message: string
}

/**
 * The machine as it was when the snapshot was taken.
 *
 * @since 0.1.0
 * @category restoring
 */
export const restore = (
  executor: Executor.Executor,
  { bytes, chunks, crc, slot, time }: Snapshot.Snapshot
): Effect.Effect<Applied, SnapshotUnusable | JournalError.JournalError, Journal.Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const unusable = (reason: string) => {
      const message = `the snapshot at slot ${slot} can't be used: ${reason}`
      return Effect.fail<SnapshotUnusable>({ _tag: "SnapshotUnusable", message })
    }
    const whole = new Uint8Array(bytes)
    let end = 0
    for (let index = 0; index < chunks; index++) {
      const body = yield* Effect.catchTag(journal.readChunk(slot, index), "SnapshotDamaged", ({ reason }) =>
        unusable(reason)
      )
      if (end + body.length > bytes) return yield* unusable("it is longer than it was")
      whole.set(body, end)
      end += body.length
    }
    if (end !== bytes || crc32(whole) !== crc) return yield* unusable("its checksum differs")
    const restored = executor.restore(whole)
    if (Either.isLeft(restored)) return yield* unusable(restored.left.message)
    return { through: slot, time, replicated: restored.right }
  })

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  executor: Executor.Executor,
  options: {
    readonly acceptor: () => Acceptor.State
    /** The log through this slot is dispensable. */
    readonly trim: (through: Slot.Slot) => Effect.Effect<void>
    /** A write failed: the journal answers nobody until the acceptor has looked what it holds, and it may have nothing to write. */
    readonly failed: () => void
    /** What the machine was restored from at the start. */
    readonly from: Slot.Slot
  }
): Effect.Effect<Snapshots, never, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig
    const eventLoop = yield* EventLoop
    const clock = yield* Effect.clock
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const one = yield* Effect.makeSemaphore(1)
    /** Until when each snapshot is kept for those who fetch it, in milliseconds since 1970. */
    const pins = new Map<Slot.Slot, number>()
    let last = { slot: options.from, bytes: 0 }
    /** Where the last one was begun, and the bytes applied since, whatever became of it. */
    let begun = options.from
    let bytesSince = 0
    let taking = false

    const isDue = (slot: Slot.Slot): boolean =>
      slot - begun >= config.snapshotSlots || bytesSince >= Math.max(config.snapshotBytes, last.bytes)

    const take = (machine: Applied) =>
      one.withPermits(1)(
        Effect.gen(function* () {
          if (machine.through <= last.slot) return
          const whole = yield* Effect.sync(() => executor.snapshot(machine.replicated))
          const chunks = Math.max(1, Math.ceil(whole.length / config.chunk))
          yield* sweep
          for (let index = 0; index < chunks; index++) {
            const body = whole.subarray(index * config.chunk, (index + 1) * config.chunk)
            yield* journal.saveChunk(machine.through, index, body)
            yield* eventLoop.turn
          }
          yield* saved({
            slot: machine.through,
            time: machine.time,
            bytes: whole.length,
            chunks,
            crc: crc32(whole)
          })
        })
      )

    const saved = (snapshot: Snapshot.Snapshot) =>
      Effect.gen(function* () {
        yield* journal.saveSnapshot(snapshot)
        last = snapshot
        const whole = yield* journal.snapshots
        const previous = whole[1]
        if (previous === undefined) return
        const { chosenThrough } = options.acceptor()
        const through = Math.min(previous.slot, snapshot.slot - config.margin, chosenThrough, ...pinned())
        if (through > 0) yield* options.trim(Slot.make(through))
        yield* sweep
      })

    const pinned = (): ReadonlyArray<Slot.Slot> => {
      const now = clock.unsafeCurrentTimeMillis()
      for (const [slot, until] of pins) if (until < now) pins.delete(slot)
      return Array.from(pins.keys())
    }

    /** Gives back what is needed no more, a little at a time. */
    const sweep = Effect.gen(function* () {
      const whole = yield* journal.snapshots
      const keep = new Set([...whole.slice(0, 2).map(({ slot }) => slot), ...pinned()])
      while (yield* journal.sweep(keep)) yield* eventLoop.turn
    })

    /** What goes wrong here is no reason to stop: the log stays as long as it is. */
    const inBackground = (effect: Effect.Effect<void, JournalError.JournalError>): void => {
      runFork(
        Effect.catchAllCause(effect, (cause) => {
          options.failed()
          return Effect.logWarning("a snapshot could not be taken", cause)
        }),
        { scope }
      )
    }

    const serve: Snapshots["serve"] = ({ ballot, index, slot }) =>
      Effect.gen(function* () {
        const { acceptedBallot, acceptedThrough, chosenThrough, promised } = Acceptor.durable(options.acceptor())
        if (Ballot.greaterThan(promised, ballot)) {
          return { _tag: "Rejected" as const, ballot, promised, acceptedBallot, acceptedThrough, chosenThrough }
        }
        const whole = yield* journal.snapshots
        const snapshot = slot === 0 ? whole[0] : whole.find((one) => one.slot === slot)
        const none = { _tag: "NoSnapshot" as const, slot }
        if (snapshot === undefined || index >= snapshot.chunks) return none
        pins.set(snapshot.slot, clock.unsafeCurrentTimeMillis() + Duration.toMillis(config.pin))
        return yield* journal.readChunk(snapshot.slot, index).pipe(
          Effect.map((body) => ({ _tag: "SnapshotChunk" as const, ...snapshot, index, body })),
          Effect.catchTag("SnapshotDamaged", (error) => Effect.as(Effect.logWarning(error.message), none))
        )
      })

    return {
      applied: (machine, bytes) => {
        bytesSince += bytes
        if (taking || !isDue(machine.through)) return
        taking = true
        begun = machine.through
        bytesSince = 0
        inBackground(
          Effect.ensuring(
            take(machine),
            Effect.sync(() => (taking = false))
          )
        )
      },
      trimmed: () => inBackground(one.withPermits(1)(sweep)),
      serve,
      saving: one.withPermits(1),
      saved,
      drop: (slot) =>
        one.withPermits(1)(
          Effect.gen(function* () {
            const keep = new Set((yield* journal.snapshots).map((snapshot) => snapshot.slot))
            keep.delete(slot)
            while (yield* journal.sweep(keep)) yield* eventLoop.turn
          })
        ),
      newest: () => last.slot
    }
  })
