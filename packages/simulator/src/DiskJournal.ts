/**
 * A journal on a simulated disk: a log of records, one a write, each synced before the write succeeds. It keeps to the
 * contract of every journal and passes its suite; what makes it worth having is that its disk can fail in every way.
 *
 * A record that is not all there was never acknowledged, and is cut off when the journal is opened. A sector that was
 * damaged says so by its checksum, and the journal refuses to open or to read it; but what is damaged of a snapshot is only
 * left out.
 *
 * @since 0.1.0
 */
import { Contract, Journal, JournalError, type JournalStore, type Snapshot } from "@synod/journal"
import { Durable, Entry, Slot } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Disk } from "./Disk.js"
import * as Record from "./internal/journalRecord.js"
import * as Sector from "./internal/sector.js"
import * as Note from "./internal/snapshotRecord.js"

/** Where a record lies on the disk. */
interface Place {
  readonly sector: number
  readonly sectors: number
}

/** A snapshot, with the place of the record of each of its pieces. */
interface Stored {
  whole: Snapshot.Snapshot | undefined
  readonly chunks: Array<Place>
}

/** What the records of a disk amount to. */
interface Contents {
  state: Durable.Durable
  readonly snapshots: Map<number, Stored>
  /** The place of the record that holds each slot's entry; slot n is at n - 1. */
  readonly log: Array<Place>
  /** Sectors in use. */
  end: number
  records: number
}

type Operation = JournalError.JournalFailed["operation"]

/**
 * Opens the owner's journal, or begins it. Closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (
  disk: Disk,
  owner: JournalStore.Owner
): Effect.Effect<Journal.Journal["Type"], JournalError.OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const handle = {}
    yield* Effect.acquireRelease(
      Effect.suspend(() => {
        if (disk.holder !== undefined) return new JournalError.JournalLocked({ filename: disk.name })
        disk.holder = handle
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          if (disk.holder === handle) disk.holder = undefined
        })
    )
    let contents = yield* settle(disk, owner, "open")
    let settled = true
    const writing = yield* Effect.makeSemaphore(1)
    const whenOpen = <A, E>(operation: Operation, effect: () => Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | JournalError.JournalFailed> =>
        disk.holder === handle ? effect() : failed(disk, operation, "it is closed")
      )
    const whenSettled = <A, E>(operation: Operation, effect: () => Effect.Effect<A, E>) =>
      whenOpen(operation, (): Effect.Effect<A, E | JournalError.JournalUnsettled> =>
        settled ? effect() : new JournalError.JournalUnsettled({ filename: disk.name })
      )
    /** One record after the other; after one that failed nobody knows what is there. */
    const appended = (bytes: () => Uint8Array, snapshot: boolean, include: (place: Place) => void) =>
      whenSettled("write", () =>
        append(disk, contents, "write", bytes(), snapshot).pipe(
          Effect.map(include),
          Effect.tapError(() => Effect.sync(() => (settled = false)))
        )
      ).pipe(writing.withPermits(1), Effect.uninterruptible)
    const note = (it: Note.Note) =>
      appended(
        () => Note.encode(it),
        true,
        (place) => includeNote(contents, it, place)
      )

    return Journal.Journal.of({
      recovered: contents.state,
      recover: whenOpen("recover", () => {
        settled = false
        return settle(disk, owner, "recover").pipe(
          Effect.map((found) => {
            contents = found
            settled = true
            return found.state
          }),
          Effect.catchTag("JournalRefused", (error) => failed(disk, "recover", error.message))
        )
      }).pipe(writing.withPermits(1), Effect.uninterruptible),
      write: (write) =>
        appended(
          () => {
            Contract.checkWrite(contents.log.length, write)
            return Record.encode(write)
          },
          false,
          (place) => include(contents, write, place)
        ),
      read: (after, limit) => whenSettled("read", () => readEntries(disk, contents, after, limit)),
      snapshots: whenSettled("read", () =>
        Effect.succeed(
          Array.from(contents.snapshots.values())
            .flatMap(({ whole }) => whole ?? [])
            .sort((a, b) => b.slot - a.slot)
        )
      ),
      unfinished: whenSettled("read", () => Effect.sync(() => Contract.unfinished(contents.snapshots))),
      readChunk: (slot, index) => whenSettled("read", () => readChunk(disk, contents, slot, index)),
      saveChunk: (slot, index, body) =>
        Effect.suspend(() => {
          Contract.checkChunk(contents.snapshots.get(slot)?.whole)
          return note({ _tag: "Chunk", slot, index, body })
        }),
      saveSnapshot: (snapshot) =>
        Effect.suspend(() => {
          Contract.checkSnapshot(snapshot, contents.snapshots.get(snapshot.slot)?.chunks.length ?? 0)
          return note({ _tag: "Whole", snapshot })
        }),
      sweep: (keep) =>
        Effect.suspend(() => {
          const idle = Array.from(contents.snapshots.keys()).every((slot) => keep.has(Slot.make(slot)))
          return idle ? Effect.succeed(false) : Effect.as(note({ _tag: "Sweep", keep: [...keep] }), false)
        })
    })
  })

/** Writes a record behind the last one, and gives its place once it is durable. */
const append = (disk: Disk, contents: Contents, operation: Operation, bytes: Uint8Array, snapshot: boolean) =>
  Effect.suspend(() => {
    if (disk.isFull()) return failed(disk, operation, "the disk is full")
    const sectors = Sector.split(contents.records, bytes, snapshot)
    const place: Place = { sector: contents.end, sectors: sectors.length }
    sectors.forEach((sector, i) => disk.write(place.sector + i, sector))
    const sync = Effect.suspend(() => {
      if (!disk.sync()) return failed(disk, operation, "the disk could not sync")
      contents.end += place.sectors
      contents.records++
      return Effect.succeed(place)
    })
    const latency = disk.latency()
    return latency === 0 ? sync : Effect.delay(sync, latency)
  })

const include = (contents: Contents, { after, entries, state }: Durable.Write, place: Place): void => {
  for (let i = contents.log.length; i < after; i++) contents.log.push(nowhere)
  entries.forEach((_, i) => (contents.log[after + i] = place))
  contents.log.length = state.acceptedThrough
  contents.state = state
}

/** Where an entry is that a snapshot holds. */
const nowhere: Place = { sector: 0, sectors: 0 }

const includeNote = ({ snapshots }: Contents, note: Note.Note, place: Place): void => {
  if (note._tag === "Sweep") {
    for (const slot of snapshots.keys()) if (!note.keep.includes(Slot.make(slot))) snapshots.delete(slot)
    return
  }
  const slot = note._tag === "Chunk" ? note.slot : note.snapshot.slot
  const stored = snapshots.get(slot) ?? { whole: undefined, chunks: [] }
  snapshots.set(slot, stored)
  if (note._tag === "Whole") stored.whole = note.snapshot
  else stored.chunks[note.index] = place
}

/**
 * Reads all records, cuts off one that is not all there, and writes what it found once more: after a sync that failed, what
 * the disk shows may not be on it.
 */
const settle = (disk: Disk, owner: JournalStore.Owner, operation: "open" | "recover") =>
  Effect.gen(function* () {
    if (disk.failsToRead()) return yield* failed(disk, operation, "the disk can't be read")
    const contents: Contents = { state: Durable.initial, snapshots: new Map(), log: [], end: 0, records: 0 }
    for (;;) {
      const parts = yield* readRecord(disk, contents.end, contents.records)
      if (parts === undefined) break
      const place: Place = { sector: contents.end, sectors: parts.length }
      if (contents.records === 0) yield* identify(disk, owner, Sector.join(whole(parts)))
      else if (parts.some((part) => part === "damaged")) {
        // A piece of a snapshot, which is found missing when it is asked for; or all that made the snapshot whole.
      } else if (whole(parts)[0]!.snapshot) includeNote(contents, Note.decode(Sector.join(whole(parts))), place)
      else {
        const write = yield* Either.mapLeft(Record.decode(Sector.join(whole(parts))), (reason) => damaged(disk, reason))
        include(contents, write, place)
      }
      contents.end += parts.length
      contents.records++
    }
    if (disk.isFull()) return yield* failed(disk, operation, "the disk is full")
    disk.truncate(contents.end)
    for (let i = 0; i < contents.end; i++) disk.write(i, disk.read(i))
    if (contents.records === 0) yield* append(disk, contents, operation, Buffer.from(JSON.stringify(owner)), false)
    else if (!disk.sync()) return yield* failed(disk, operation, "the disk could not sync")
    return contents
  })

const identify = (disk: Disk, owner: JournalStore.Owner, bytes: Uint8Array) => {
  const found = JSON.parse(Buffer.from(bytes).toString()) as JournalStore.Owner
  const subject = found.cluster !== owner.cluster ? "cluster" : found.node !== owner.node ? "node" : undefined
  return subject === undefined
    ? Effect.void
    : new JournalError.JournalRefused({
        filename: disk.name,
        subject,
        expected: String(owner[subject]),
        found: String(found[subject])
      })
}

/** A record of which nothing is damaged. */
const whole = (parts: ReadonlyArray<Sector.Sector | "damaged">): ReadonlyArray<Sector.Sector> =>
  parts.filter((part) => part !== "damaged")

/** How many sectors the snapshot's record has that begins there, if its other sectors tell; nothing for other records. */
const snapshotAt = (disk: Disk, from: number, record: number): number | undefined => {
  for (let i = from; i < disk.length(); i++) {
    const sector = Sector.read(disk.read(i))
    if (typeof sector === "string") continue
    return sector.record === record && sector.snapshot ? sector.parts : undefined
  }
  return undefined
}

/** The sectors of the record that begins there; nothing where the log ends. */
const readRecord = (disk: Disk, from: number, record: number) =>
  Effect.gen(function* () {
    const parts: Array<Sector.Sector> = []
    let whole = true
    for (let i = from; i < disk.length(); i++) {
      const sector = Sector.read(disk.read(i))
      if (sector === "damaged") {
        const length = snapshotAt(disk, from, record)
        if (whole && length !== undefined && from + length <= disk.length()) {
          return Array.from({ length }, (): "damaged" => "damaged")
        }
        return yield* damaged(disk, `sector ${i} does not hold what was written to it`)
      }
      if (sector === "blank") {
        whole = false
        continue
      }
      // What was written later than a sector that is missing shows that it was there once.
      if (!whole && sector.record > record) return yield* damaged(disk, `a sector before sector ${i} is missing`)
      if (whole) parts.push(sector)
      if (whole && parts.length === sector.parts) return parts
    }
    return undefined
  })

const readEntries = (disk: Disk, contents: Contents, after: number, limit: Contract.Limit) =>
  Effect.gen(function* () {
    if (disk.failsToRead()) return yield* failed(disk, "read", "the disk can't be read")
    const { trimmedThrough } = contents.state
    if (after < trimmedThrough) {
      return yield* new JournalError.JournalTrimmed({ filename: disk.name, slot: after + 1, trimmedThrough })
    }
    const last = Contract.lastRead(after, limit, contents.log.length)
    const entries: Array<Entry.Entry> = []
    let bytes = 0
    let from: Place | undefined
    let write: Durable.Write | undefined
    for (let slot = after + 1; slot <= last; slot++) {
      const place = contents.log[slot - 1]!
      // Neighbours often stand in one record.
      if (write === undefined || place !== from) write = yield* readWrite(disk, place, slot)
      from = place
      const entry = write.entries[slot - write.after - 1]!
      bytes += Entry.sizeOf(entry)
      if (bytes > limit.bytes && entries.length > 0) break
      entries.push(entry)
    }
    return entries
  })

const readChunk = (disk: Disk, contents: Contents, slot: number, index: number) =>
  Effect.gen(function* () {
    if (disk.failsToRead()) return yield* failed(disk, "read", "the disk can't be read")
    const place = contents.snapshots.get(slot)?.chunks[index]
    const missing = (reason: string) => new JournalError.SnapshotDamaged({ filename: disk.name, slot, reason })
    if (place === undefined) return yield* missing(`piece ${index} is missing`)
    const parts = yield* Effect.catchAll(readParts(disk, place, slot), ({ message }) => missing(message))
    const note = Note.decode(Sector.join(parts))
    return note._tag === "Chunk" ? note.body : yield* missing(`piece ${index} is something else`)
  })

const readWrite = (disk: Disk, place: Place, slot: number) =>
  Effect.flatMap(readParts(disk, place, slot), (parts) =>
    Either.mapLeft(Record.decode(Sector.join(parts)), (reason) => damaged(disk, reason, slot))
  )

const readParts = (disk: Disk, { sector, sectors }: Place, slot: number) =>
  Effect.gen(function* () {
    const parts: Array<Sector.Sector> = []
    for (let i = sector; i < sector + sectors; i++) {
      const part = Sector.read(disk.read(i))
      if (typeof part === "string") return yield* damaged(disk, `sector ${i} does not hold what was written`, slot)
      parts.push(part)
    }
    return parts
  })

const failed = (disk: Disk, operation: Operation, reason: string) =>
  new JournalError.JournalFailed({ filename: disk.name, operation, reason })

const damaged = (disk: Disk, reason: string, slot?: number) =>
  new JournalError.JournalDamaged({ filename: disk.name, slot, reason })
