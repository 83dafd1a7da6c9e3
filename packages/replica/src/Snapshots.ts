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
import { Acceptor, Epoch, Slot } from "@synod/paxos"
import type { Message } from "@synod/paxos"
import type { Machine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as LogSizes from "./LogSizes.js"
import * as Pace from "./Pace.js"
import { ReplicaConfig } from "./ReplicaConfig.js"
import { sentence } from "./Sentence.js"
import * as SnapshotPieces from "./SnapshotPieces.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Snapshots {
  /** The machine holds one more slot, whose entry has so many bytes. Takes a snapshot if one is due. */
  readonly applied: (bytes: number) => void
  /** The log is shorter now: room can be given back. */
  readonly trimmed: () => void
  /** Hands out a piece, to a replica of an earlier epoch, or one that has promised as much as this one. */
  readonly serve: (request: Message.FetchSnapshot) => Effect.Effect<Served, JournalError.JournalError>
  /** The slot of the newest one; 0 when there is none. */
  readonly newest: () => Slot.Slot
  /** Runs while no other snapshot is being saved. */
  readonly saving: <A, E>(save: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** All pieces of a snapshot are in the journal: now it is whole, and the log may be trimmed. */
  readonly saved: (snapshot: Snapshot.Snapshot) => Effect.Effect<void, JournalError.JournalError>
  /** Drops what is half written. Nothing else may be being saved. */
  readonly clear: Effect.Effect<void, JournalError.JournalError>
  /** A snapshot turned out to be of no use. */
  readonly drop: (slot: Slot.Slot) => Effect.Effect<void, JournalError.JournalError>
}

/**
 * @since 0.1.0
 * @category models
 */
export type Served = Message.SnapshotChunk | Message.Rejected | Message.NoSnapshot

/**
 * Brings a machine that was just opened on by the newest snapshot that can be used, if that is worth it: it must reach as far
 * as the log was trimmed, and save a machine that stands somewhere already from applying more slots than lie between two
 * snapshots. Gives that snapshot.
 *
 * @since 0.1.0
 * @category restoring
 */
export const bringOn = (
  machine: Machine.Machine
): Effect.Effect<Snapshot.Snapshot | undefined, JournalError.JournalError | Machine.MachineFailed, Journal.Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig
    const { trimmedThrough } = journal.recovered
    const { slot } = machine.at()
    const ahead = slot === 0 || slot < trimmedThrough ? slot : slot + config.snapshotSlots
    for (const snapshot of yield* journal.snapshots) {
      if (snapshot.slot < trimmedThrough || snapshot.slot <= ahead) continue
      const brought = yield* SnapshotPieces.restore(machine, snapshot).pipe(
        Effect.flatMap(({ adopt }) => adopt),
        Effect.scoped,
        Effect.as(true),
        Effect.catchTag("SnapshotUnusable", ({ message }) => Effect.as(Effect.logWarning(message), false))
      )
      if (brought) return snapshot
    }
    return undefined
  })

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  options: {
    readonly acceptor: () => Acceptor.State
    /** The log through this slot is dispensable. */
    readonly trim: (through: Slot.Slot) => Effect.Effect<void>
    /** A write failed: the journal answers nobody until the acceptor has looked what it holds, and it may have nothing to write. */
    readonly failed: () => void
  }
): Effect.Effect<Snapshots, JournalError.JournalError, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig
    const clock = yield* Effect.clock
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const one = yield* Effect.makeSemaphore(1)
    /** Until when each snapshot is kept for those who fetch it, in milliseconds since 1970. */
    const pins = new Map<Slot.Slot, number>()
    const [first] = yield* journal.snapshots
    let last = first ?? { slot: Slot.zero, bytes: 0 }
    /** Where the last one was begun, and the bytes applied since, whatever became of it. */
    let begun = last.slot
    let bytesSince = 0
    const sizes = LogSizes.make(config.marginBytes)
    let taking = false

    const isDue = (slot: Slot.Slot): boolean =>
      slot - begun >= config.snapshotSlots || bytesSince >= Math.max(config.snapshotBytes, last.bytes)

    const take = one
      .withPermits(1)(
        Effect.gen(function* () {
          yield* sweep
          const frozen = yield* machine.freeze
          if (frozen.at.slot <= last.slot) return
          const { epochs, promised } = options.acceptor()
          const { at } = Epoch.at(epochs, promised, Slot.make(frozen.at.slot))
          yield* saved(yield* Effect.provideService(SnapshotPieces.save(frozen, at), Journal.Journal, journal))
        })
      )
      .pipe(Effect.scoped)

    const saved = (snapshot: Snapshot.Snapshot) =>
      Effect.gen(function* () {
        yield* journal.saveSnapshot(snapshot)
        last = snapshot
        const whole = yield* journal.snapshots
        const previous = whole[1]
        if (previous === undefined) return
        const { chosenThrough } = options.acceptor()
        const kept = machine.durableThrough() ?? chosenThrough
        const margin = Math.max(snapshot.slot - config.margin, sizes.within(snapshot.slot))
        const through = Math.min(previous.slot, margin, chosenThrough, kept, ...pinned())
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
      const pace = yield* Pace.make
      while (yield* journal.sweep(keep)) yield* pace
    })

    /** What goes wrong here is no reason to stop: the log stays as long as it is. */
    const inBackground = (effect: Effect.Effect<void, JournalError.JournalError | Machine.MachineFailed>): void => {
      runFork(
        Effect.catchAllCause(effect, (cause) => {
          if (Cause.isInterruptedOnly(cause)) return Effect.void
          options.failed()
          const say = Effect.logWarning(`no snapshot could be taken: ${sentence(cause)}`)
          return Effect.zipRight(say, Effect.logDebug("why there is no snapshot", cause))
        }),
        { scope }
      )
    }

    const serve: Snapshots["serve"] = ({ ballot, epoch, index, slot }) =>
      Effect.gen(function* () {
        const acceptor = options.acceptor()
        const own = acceptor.epochs.present.number
        if (epoch === own && !Acceptor.lends(acceptor, ballot)) {
          const { acceptedBallot, acceptedThrough, chosenThrough, promised } = Acceptor.durable(acceptor)
          return { _tag: "Rejected" as const, ballot, promised, acceptedBallot, acceptedThrough, chosenThrough }
        }
        const whole = yield* journal.snapshots
        const snapshot = slot === 0 ? whole[0] : whole.find((one) => one.slot === slot)
        const none = { _tag: "NoSnapshot" as const, slot }
        if (snapshot === undefined || index >= snapshot.chunks) return none
        if (epoch > own || !Epoch.isKnown(snapshot.at)) return none
        pins.set(snapshot.slot, clock.unsafeCurrentTimeMillis() + Duration.toMillis(config.pin))
        return yield* journal.readChunk(snapshot.slot, index).pipe(
          Effect.map((body) => ({ _tag: "SnapshotChunk" as const, ...snapshot, index, body })),
          Effect.catchTag("SnapshotDamaged", (error) => Effect.as(Effect.logWarning(error.message), none))
        )
      })

    return {
      applied: (bytes) => {
        bytesSince += bytes
        const slot = Slot.make(machine.at().slot)
        sizes.applied(slot, bytes)
        if (taking || !isDue(slot)) return
        taking = true
        begun = slot
        bytesSince = 0
        inBackground(
          Effect.ensuring(
            take,
            Effect.sync(() => (taking = false))
          )
        )
      },
      trimmed: () => inBackground(one.withPermits(1)(sweep)),
      serve,
      saving: one.withPermits(1),
      saved,
      clear: sweep,
      drop: (slot) =>
        one.withPermits(1)(
          Effect.gen(function* () {
            const keep = new Set((yield* journal.snapshots).map((snapshot) => snapshot.slot))
            keep.delete(slot)
            const pace = yield* Pace.make
            while (yield* journal.sweep(keep)) yield* pace
          })
        ),
      newest: () => last.slot
    }
  })
