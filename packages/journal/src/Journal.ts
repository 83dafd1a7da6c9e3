/**
 * Where an acceptor keeps what it must not forget: what it promised, what it accepted, and the log.
 *
 * ```
 *   acceptor ── write(state, after, entries) ──► ┌─────────┐
 *            ◄── durable ─────────────────────── │ journal │ ──► recovered, read   (after a restart, for peers behind)
 *                                                └─────────┘
 * ```
 *
 * Everything an acceptor says relies on an earlier write, so a write that succeeded is never forgotten, one that
 * failed is never half there, and one acceptor at a time has a journal open.
 *
 * **After a failed write** nobody knows what the disk holds: the write may be there, or not. From then on
 * the journal refuses to write and to read with `JournalUnsettled` until `recover` has looked, made sure that what it found is
 * durable, and returned it. The acceptor starts again from that, and from nothing it remembers (DESIGN 5.8).
 *
 * @since 0.1.0
 */
import * as Durable from "@synod/paxos/Durable"
import * as Entry from "@synod/paxos/Entry"
import type { Slot } from "@synod/paxos/Slot"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Contract from "./Contract.js"
import * as JournalError from "./JournalError.js"
import * as MemoryFile from "./MemoryFile.js"
import type * as Snapshot from "./Snapshot.js"

/**
 * One fiber at a time writes; reads may come from anywhere.
 *
 * @since 0.1.0
 * @category tags
 */
export class Journal extends Context.Tag("@synod/journal/Journal")<
  Journal,
  {
    /** What the journal held when it was opened; `Durable.initial` for a new one. */
    readonly recovered: Durable.Durable

    /**
     * Looks again what the journal holds and makes sure that it is durable. Needed after a failed write, harmless at any
     * other time; when it fails, it can be tried again.
     */
    readonly recover: Effect.Effect<Durable.Durable, JournalError.JournalError>

    /**
     * Makes a change durable, all of it or none: `entries` take the slots from `after + 1` on, whatever these held, and the
     * log then ends at `state.acceptedThrough`, before or behind where it ended until now.
     *
     * A write that would leave a hole in the log, or entries behind its end, is a defect (`InvariantBroken`).
     */
    readonly write: (write: Durable.Write) => Effect.Effect<void, JournalError.JournalError>

    /**
     * Consecutive entries from `after + 1` on, within the limit: at least one if there is one, none at the end of the log.
     */
    readonly read: (
      after: Slot,
      limit: Contract.Limit
    ) => Effect.Effect<ReadonlyArray<Entry.Entry>, JournalError.JournalError>

    /** The snapshots that are whole, the newest first. */
    readonly snapshots: Effect.Effect<ReadonlyArray<Snapshot.Snapshot>, JournalError.JournalError>

    /** What is there of the newest snapshot that isn't whole, if anything: whoever saves that one can go on from there. */
    readonly unfinished: Effect.Effect<Snapshot.Unfinished | undefined, JournalError.JournalError>

    /** A piece of a snapshot, from 0. */
    readonly readChunk: (
      slot: Slot,
      index: number
    ) => Effect.Effect<Uint8Array, JournalError.JournalError | JournalError.SnapshotDamaged>

    /**
     * Makes a piece of a snapshot durable. Until {@link saveSnapshot} says that all pieces are there, it is half written, and
     * only {@link unfinished} tells of it. A piece of a snapshot that is whole already is a defect.
     */
    readonly saveChunk: (slot: Slot, index: number, body: Uint8Array) => Effect.Effect<void, JournalError.JournalError>

    /** Makes a snapshot whole, all of whose pieces have been saved. */
    readonly saveSnapshot: (snapshot: Snapshot.Snapshot) => Effect.Effect<void, JournalError.JournalError>

    /**
     * Gives back the room of entries that are trimmed and of all snapshots but those of `keep`, whole or not. A little at a
     * time, so that nobody waits for it: `true` when more is left.
     */
    readonly sweep: (keep: ReadonlySet<Slot>) => Effect.Effect<boolean, JournalError.JournalError>
  }
>() {}

/**
 * What a journal in memory writes to. It outlives the journal, as a file would: open it again and everything is there.
 *
 * @since 0.1.0
 * @category memory
 */
export interface MemoryDisk extends MemoryFile.MemoryFile {
  /** @internal */
  state: Durable.Durable
  /** @internal the entry of slot n is at n - 1 */
  readonly log: Array<Entry.Entry>
  /** @internal by slot */
  readonly snapshots: Map<Slot, { whole: Snapshot.Snapshot | undefined; readonly chunks: Array<Uint8Array> }>
}

/**
 * A new, empty disk.
 *
 * @since 0.1.0
 * @category memory
 */
export const makeMemoryDisk: Effect.Effect<MemoryDisk> = Effect.sync(() => ({
  state: Durable.initial,
  log: [],
  snapshots: new Map(),
  locked: false
}))

const { filename } = MemoryFile

const fitting = (entries: ReadonlyArray<Entry.Entry>, limit: number): number => {
  let bytes = 0
  const end = entries.findIndex((entry, i) => (bytes += Entry.sizeOf(entry)) > limit && i > 0)
  return end < 0 ? entries.length : end
}

/**
 * Opens the journal on a disk in memory. It is durable as far as the process lives, and never fails by itself.
 *
 * @since 0.1.0
 * @category memory
 */
export const makeMemory = (disk: MemoryDisk): Effect.Effect<Journal["Type"], JournalError.JournalLocked, Scope.Scope> =>
  Effect.map(MemoryFile.open(disk), (whenOpen) =>
    Journal.of({
      recovered: disk.state,
      recover: whenOpen("recover", () => Effect.succeed(disk.state)),
      write: (write) =>
        whenOpen("write", () => {
          Contract.checkWrite(disk.log.length, write)
          for (let i = disk.log.length; i < write.after; i++) disk.log.push(trimmed)
          write.entries.forEach((entry, i) => (disk.log[write.after + i] = entry))
          disk.log.length = write.state.acceptedThrough
          disk.state = write.state
          return Effect.void
        }),
      read: (after, limit) =>
        whenOpen("read", (): Effect.Effect<ReadonlyArray<Entry.Entry>, JournalError.JournalError> => {
          const { trimmedThrough } = disk.state
          const entries = disk.log.slice(after, Contract.lastRead(after, limit, disk.log.length))
          return after < trimmedThrough
            ? Effect.fail(new JournalError.JournalTrimmed({ filename, slot: after + 1, trimmedThrough }))
            : Effect.succeed(entries.slice(0, fitting(entries, limit.bytes)))
        }),
      ...memorySnapshots(disk, whenOpen)
    })
  )

type Snapshots = Pick<
  Journal["Type"],
  "snapshots" | "unfinished" | "readChunk" | "saveChunk" | "saveSnapshot" | "sweep"
>

const memorySnapshots = (disk: MemoryDisk, whenOpen: MemoryFile.WhenOpen): Snapshots => ({
  snapshots: whenOpen("read", () => {
    const whole = Array.from(disk.snapshots.values()).flatMap((snapshot) => snapshot.whole ?? [])
    return Effect.succeed(whole.sort((a, b) => b.slot - a.slot))
  }),
  unfinished: whenOpen("read", () => Effect.succeed(Contract.unfinished(disk.snapshots))),
  readChunk: (slot, index) =>
    whenOpen("read", (): Effect.Effect<Uint8Array, JournalError.SnapshotDamaged> => {
      const body = disk.snapshots.get(slot)?.chunks[index]
      return body === undefined
        ? new JournalError.SnapshotDamaged({ filename, slot, reason: `piece ${index} is missing` })
        : Effect.succeed(body)
    }),
  saveChunk: (slot, index, body) =>
    whenOpen("write", () => {
      const snapshot = disk.snapshots.get(slot) ?? { whole: undefined, chunks: [] }
      Contract.checkChunk(snapshot.whole)
      disk.snapshots.set(slot, snapshot)
      snapshot.chunks[index] = body
      return Effect.void
    }),
  saveSnapshot: (whole) =>
    whenOpen("write", () => {
      const snapshot = disk.snapshots.get(whole.slot) ?? { whole: undefined, chunks: [] }
      Contract.checkSnapshot(whole, snapshot.chunks.length)
      disk.snapshots.set(whole.slot, { ...snapshot, whole })
      return Effect.void
    }),
  sweep: (keep) =>
    whenOpen("write", () => {
      for (const slot of disk.snapshots.keys()) if (!keep.has(slot)) disk.snapshots.delete(slot)
      disk.log.fill(trimmed, 0, disk.state.trimmedThrough)
      return Effect.succeed(false)
    })
})

/** Stands in the place of an entry that a snapshot holds; nobody reads it. */
const trimmed = Entry.commands(0, new Uint8Array())

/**
 * A journal on a new disk in memory: for tests, and for replicas that may forget everything when their process ends.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<Journal> = Layer.scoped(
  Journal,
  Effect.flatMap(makeMemoryDisk, (disk) => Effect.orDie(makeMemory(disk)))
)

/**
 * The journal on a given disk in memory, for restarts within a process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemoryDisk = (disk: MemoryDisk): Layer.Layer<Journal, JournalError.JournalLocked> =>
  Layer.scoped(Journal, makeMemory(disk))
