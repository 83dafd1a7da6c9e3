import { describe, expect, it } from "@effect/vitest"
import type { Journal } from "@synod/journal"
import { Ballot, Durable, Entry, Epoch, NodeId, Slot } from "@synod/paxos"
import { Disk, DiskJournal, Fault, Seeded } from "@synod/simulator"
import { Effect, type Scope } from "effect"
import { journalSuite } from "../../journal/test/JournalSuite.js"

const owner = { cluster: "test", node: NodeId.make(1) }

const makeDisk = (seed = 1) => Disk.make("a disk", Seeded.make(seed), Fault.counts(), { least: 0, most: 0 })

journalSuite(
  "on a simulated disk",
  Effect.sync(() => {
    const disk = makeDisk()
    return { open: DiskJournal.open(disk, owner) }
  })
)

type Opened = Journal.Journal["Type"]

const opened = <A, E>(disk: Disk.Disk, use: (journal: Opened) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(DiskJournal.open(disk, owner), use))

/** A write that appends one entry of so many bytes behind slot `after`. */
const append = (after: number, bytes = 10): Durable.Write => ({
  state: {
    epochs: Epoch.none,
    promised: Ballot.make(1, NodeId.make(1)),
    acceptedBallot: Ballot.make(1, NodeId.make(1)),
    acceptedThrough: Slot.make(after + 1),
    chosenThrough: Slot.make(after),
    trimmedThrough: Slot.zero
  },
  after: Slot.make(after),
  entries: [Entry.commands(after, new Uint8Array(bytes).fill(after))]
})

const reason = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message)

describe("a simulated disk", () => {
  it.scopedLive("keeps what was synced when the power fails, and nothing of a write that was not", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 50; seed++) {
        const counts = Fault.counts()
        const disk = Disk.make("a disk", Seeded.make(seed), counts)
        disk.setRates({ tornWrite: 0.7 })
        yield* opened(disk, (journal) =>
          Effect.gen(function* () {
            yield* journal.write(append(0))
            const writing = yield* Effect.fork(journal.write(append(1, 1_000)))
            yield* Effect.yieldNow()
            disk.crash(true)
            yield* Effect.exit(writing.await)
          })
        )
        expect(counts.of("tornWrite") + counts.of("lostWrites")).toBe(1)
        yield* opened(disk, (journal) =>
          Effect.gen(function* () {
            // A torn write all of whose sectors happened to arrive is there, as it may be.
            expect([1, 2]).toContain(journal.recovered.acceptedThrough)
            const entries = yield* journal.read(Slot.zero, { slots: 10, bytes: 10_000 })
            expect(entries).toHaveLength(journal.recovered.acceptedThrough)
            yield* journal.write(append(journal.recovered.acceptedThrough))
          })
        )
      }
    })
  )

  it.scoped("says so when a bit flips anywhere, and gives back nothing that was not written", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 50; seed++) {
        const disk = makeDisk(seed)
        yield* opened(disk, (journal) => Effect.forEach([0, 1, 2], (after) => journal.write(append(after, 100))))
        expect(disk.rot()).toBe(true)
        expect(yield* reason(opened(disk, () => Effect.void))).toMatch(/^journal a disk is damaged \(sector \d+ /)
      }
    })
  )

  it.scoped("refuses to read what was damaged while it is open", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* opened(disk, (journal) =>
        Effect.gen(function* () {
          yield* journal.write(append(0, 10_000))
          for (let i = 0; i < 20; i++) disk.rot()
          const message = yield* reason(journal.read(Slot.zero, { slots: 1, bytes: 1 }))
          expect(message).toMatch(/^slot 1 of journal a disk is damaged/)
        })
      )
    })
  )

  it.scoped("has nothing of a write whose sync failed, or all of it, once it is recovered", () =>
    Effect.gen(function* () {
      for (const fault of ["syncError", "syncLie"] as const) {
        const disk = makeDisk()
        yield* opened(disk, (journal) =>
          Effect.gen(function* () {
            yield* journal.write(append(0))
            disk.setRates({ [fault]: 1 })
            expect(yield* reason(journal.write(append(1)))).toBe("can't write journal a disk: the disk could not sync")
            expect(yield* reason(journal.write(append(1)))).toMatch(/does not answer after a failed write/)
            expect(yield* reason(journal.recover)).toBe("can't recover journal a disk: the disk could not sync")
            disk.setRates({})
            const found = yield* journal.recover
            disk.crash(true)
            expect((yield* opened(disk, (again) => Effect.succeed(again.recovered))).acceptedThrough).toBe(
              found.acceptedThrough
            )
          })
        )
      }
    })
  )

  it.scoped("is full, can't be read, or belongs to another, and says which", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* opened(disk, (journal) =>
        Effect.gen(function* () {
          disk.full = true
          expect(yield* reason(journal.write(append(0)))).toBe("can't write journal a disk: the disk is full")
          disk.full = false
          yield* journal.recover
          yield* journal.write(append(0))
          disk.setRates({ readError: 1 })
          const message = yield* reason(journal.read(Slot.zero, { slots: 1, bytes: 1 }))
          expect(message).toBe("can't read journal a disk: the disk can't be read")
          disk.setRates({})
        })
      )
      const other = yield* reason(Effect.scoped(DiskJournal.open(disk, { ...owner, cluster: "other" })))
      expect(other).toContain("test")
    })
  )

  it.scoped("begins anew once it was wiped", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* opened(disk, (journal) => journal.write(append(0)))
      disk.wipe()
      const recovered = yield* opened(disk, (journal) => Effect.succeed(journal.recovered))
      expect(recovered).toEqual(Durable.initial)
    })
  )
})
