/**
 * What every journal must do, whatever it is kept on.
 */
import { describe, expect, it } from "@effect/vitest"
import type { Journal, JournalError, Snapshot } from "@synod/journal"
import { Ballot, Durable, Entry, Epoch, NodeId, Slot } from "@synod/paxos"
import { Array, Cause, Effect, Exit, FastCheck, type Scope } from "effect"
import { crc32 } from "node:zlib"
import { failure } from "./failure.js"
import { all, appended, entriesOf, entry, write } from "./Writes.js"

/** Somewhere that outlives the journals which are opened there. */
export interface Place {
  readonly open: Effect.Effect<Journal.Journal["Type"], JournalError.OpenError, Scope.Scope>
}

export const journalSuite = (driver: string, makePlace: Effect.Effect<Place, never, Scope.Scope>) =>
  describe(driver, () => {
    it.scoped("is empty at first", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        expect(journal.recovered).toEqual(Durable.initial)
        expect(yield* journal.read(Slot.zero, all)).toEqual([])
      })
    )

    it.scoped("reads back what was written, with batches of every size", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        const entries = [0, 1, 100, 5_000, 100_000].map((size, i) =>
          Entry.commands(1_700_000_000_000.5 + i, new Uint8Array(size).fill(i))
        )
        yield* journal.write(appended(0, entries))
        expect(yield* journal.read(Slot.zero, all)).toEqual(entries)
        expect(yield* journal.read(Slot.make(3), all)).toEqual(entries.slice(3))
        expect(yield* journal.read(Slot.make(5), all)).toEqual([])
      })
    )

    it.scoped("keeps state and entries across restarts", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const first = appended(0, entriesOf("abc"))
        const second = write({ round: 9, through: 4, chosen: 3, after: 3 }, entriesOf("d"))
        yield* opened(place, (journal) => journal.write(first))
        yield* opened(place, (journal) => {
          expect(journal.recovered).toEqual(first.state)
          return journal.write(second)
        })
        const journal = yield* place.open
        expect(journal.recovered).toEqual(second.state)
        expect(yield* journal.recover).toEqual(second.state)
        expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abcd"))
      })
    )

    it.scoped("keeps a promise that comes without entries", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const promise = write({ round: 7, through: 2, chosen: 0, after: 2 }, [])
        yield* opened(place, (journal) =>
          Effect.zipRight(journal.write(appended(0, entriesOf("ab"))), journal.write(promise))
        )
        const journal = yield* place.open
        expect(journal.recovered).toEqual(promise.state)
        expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("ab"))
      })
    )

    it.scoped("keeps stop signs, and the epochs they begin and end", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const voters = [1, 2, 3].map(NodeId.make)
        const founders = { voters, learners: [], quorums: { _tag: "Majority" } } as const
        const newcomer = NodeId.make(65535)
        const next = {
          voters: voters.slice(1),
          learners: [newcomer],
          quorums: { _tag: "Flexible", prepare: 2, accept: 1 },
          addresses: [{ node: newcomer, address: "[::1]:7000" }]
        } as const
        const sign = Entry.stopSign(1_700_000_000_000.5, 1, next, [{ node: newcomer, incarnation: "begun later" }])
        const { state, ...rest } = appended(0, [entry("a"), sign])
        const incarnations = voters.map((node) => ({ node, incarnation: `begun ${node}` }))
        const founded = { ...Epoch.founded(founders, incarnations), identity: { incarnation: "begun 1" } }
        const epochs = Epoch.next(founded, Ballot.make(2, voters[0]!), Slot.make(2), sign)
        yield* opened(place, (journal) => journal.write({ ...rest, state: { ...state, epochs } }))
        const journal = yield* place.open
        expect(journal.recovered.epochs).toEqual(epochs)
        expect(yield* journal.read(Slot.zero, all)).toEqual([entry("a"), sign])
      })
    )

    it.scoped("replaces the end of the log by a shorter one, for good", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            yield* journal.write(appended(0, entriesOf("abcdef")))
            yield* journal.write(write({ round: 2, through: 3, chosen: 0, after: 2 }, entriesOf("x")))
            expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abx"))
          })
        )
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abx"))
            yield* journal.write(write({ round: 3, through: 4, chosen: 0, after: 3 }, entriesOf("y")))
            expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abxy"))
            yield* journal.write(write({ round: 4, through: 1, chosen: 0, after: 1 }, []))
            expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("a"))
          })
        )
        const journal = yield* place.open
        expect(journal.recovered.acceptedThrough).toBe(1)
        expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("a"))
      })
    )

    it.scoped("writes into the middle and keeps what lies behind", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        yield* journal.write(appended(0, entriesOf("abcde")))
        yield* journal.write(write({ round: 2, through: 5, chosen: 3, after: 1 }, entriesOf("xy")))
        expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("axyde"))
      })
    )

    it.scoped("takes any number of entries in one write", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        let through = 0
        for (const count of [1, 2, 3, 62, 63, 64, 65, 1000, 12_000]) {
          const entries = Array.makeBy(count, (i) => entry(`${count}:${i}`))
          yield* journal.write(appended(through, entries))
          expect(yield* journal.read(Slot.make(through), all)).toEqual(entries)
          through += count
        }
        expect((yield* journal.recover).acceptedThrough).toBe(through)
      })
    )

    it.scoped("reads at most as many slots and bytes as asked, and at least one entry", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        const entries = [10, 10, 1000, 10, 10].map((size) => Entry.commands(1, new Uint8Array(size)))
        const small = Entry.sizeOf(entries[0]!)
        yield* journal.write(appended(0, entries))
        const count = (after: number, slots: number, bytes: number) =>
          Effect.map(journal.read(Slot.make(after), { slots, bytes }), (read) => read.length)
        expect(yield* count(0, 2, Infinity)).toBe(2)
        expect(yield* count(0, Infinity, 2 * small)).toBe(2)
        expect(yield* count(0, Infinity, 2 * small - 1)).toBe(1)
        expect(yield* count(0, Infinity, 500)).toBe(2)
        expect(yield* count(2, Infinity, 500)).toBe(1)
        expect(yield* count(3, 0, 0)).toBe(1)
        expect(yield* count(4, 10, 10_000)).toBe(1)
        expect(yield* count(5, 10, 10_000)).toBe(0)
      })
    )

    it.scoped("has one user at a time", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        yield* opened(place, () =>
          Effect.gen(function* () {
            const error = yield* failure(Effect.scoped(place.open))
            expect(error._tag).toBe("JournalLocked")
            expect(error.message).toMatch(/^journal .* is locked: another replica or process has it open$/)
          })
        )
        yield* place.open
      })
    )

    it.scoped("does nothing once it is closed", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const journal = yield* opened(place, Effect.succeed)
        const errors = yield* Effect.all([
          failure(journal.read(Slot.zero, all)),
          failure(journal.write(appended(0, entriesOf("a")))),
          failure(journal.recover)
        ])
        for (const error of errors)
          expect(error.message).toMatch(/^can't (read|write|recover) journal .*: it is closed$/)
        expect((yield* place.open).recovered).toEqual(Durable.initial)
      })
    )

    it.scoped("never takes a write that leaves a hole, or entries behind the log's end", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const journal = yield* place.open
        const before = appended(0, entriesOf("ab"))
        yield* journal.write(before)
        const impossible = [
          write({ round: 1, through: 4, chosen: 0, after: 3 }, entriesOf("d")),
          write({ round: 1, through: 2, chosen: 0, after: 2 }, entriesOf("c")),
          write({ round: 1, through: 5, chosen: 0, after: 2 }, entriesOf("c")),
          write({ round: 1, through: 3, chosen: 4, after: 2 }, entriesOf("c"))
        ]
        for (const attempt of impossible) {
          const exit = yield* Effect.exit(journal.write(attempt))
          expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
        }
        expect(yield* journal.recover).toEqual(before.state)
        expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("ab"))
      })
    )

    it.scoped("goes on where a snapshot took the place of its log, and has nothing before", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        const trimmed = write({ round: 2, through: 6, chosen: 5, after: 6, trimmed: 4 }, [])
        const leap = write({ round: 3, through: 20, chosen: 20, after: 20, trimmed: 20 }, [])
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            yield* journal.write(appended(0, entriesOf("abcdef")))
            yield* journal.write(trimmed)
            expect((yield* failure(journal.read(Slot.make(3), all))).message).toMatch(
              /no longer has slot 4: its log begins behind slot 4$/
            )
            expect(yield* journal.read(Slot.make(4), all)).toEqual(entriesOf("ef"))
          })
        )
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            expect(journal.recovered).toEqual(trimmed.state)
            expect((yield* failure(journal.read(Slot.zero, all)))._tag).toBe("JournalTrimmed")
            expect(yield* journal.read(Slot.make(4), all)).toEqual(entriesOf("ef"))
            yield* journal.write(leap)
            yield* journal.write(write({ round: 3, through: 21, chosen: 20, after: 20, trimmed: 20 }, entriesOf("x")))
            while (yield* journal.sweep(new Set()));
            expect(yield* journal.read(Slot.make(20), all)).toEqual(entriesOf("x"))
          })
        )
        const journal = yield* place.open
        expect(journal.recovered).toEqual({ ...leap.state, acceptedThrough: 21 })
        expect((yield* failure(journal.read(Slot.make(19), all)))._tag).toBe("JournalTrimmed")
        expect(yield* journal.read(Slot.make(20), all)).toEqual(entriesOf("x"))
      })
    )

    it.scoped("gives back snapshots that are whole, newest first, and no others", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            expect(yield* journal.snapshots).toEqual([])
            yield* save(journal, 7, ["abc", "de"])
            yield* save(journal, 9, ["", "fgh"])
            yield* journal.saveChunk(Slot.make(12), 0, bytes("half"))
            expect((yield* journal.snapshots).map(({ slot }) => slot)).toEqual([9, 7])
          })
        )
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            expect(yield* journal.snapshots).toEqual([whole(9, ["", "fgh"]), whole(7, ["abc", "de"])])
            expect(yield* journal.readChunk(Slot.make(7), 1)).toEqual(bytes("de"))
            expect(yield* journal.readChunk(Slot.make(9), 0)).toEqual(bytes(""))
            expect((yield* failure(journal.readChunk(Slot.make(7), 2)))._tag).toBe("SnapshotDamaged")
            while (yield* journal.sweep(new Set([Slot.make(9)])));
            expect((yield* journal.snapshots).map(({ slot }) => slot)).toEqual([9])
            expect((yield* failure(journal.readChunk(Slot.make(7), 0)))._tag).toBe("SnapshotDamaged")
            // What was half written is gone too, and may be begun again.
            yield* save(journal, 12, ["other"])
          })
        )
        const journal = yield* place.open
        expect(yield* journal.snapshots).toEqual([whole(12, ["other"]), whole(9, ["", "fgh"])])
        expect(yield* journal.readChunk(Slot.make(12), 0)).toEqual(bytes("other"))
      })
    )

    it.scoped("tells what is there of a snapshot that isn't whole, also after a restart", () =>
      Effect.gen(function* () {
        const place = yield* makePlace
        yield* opened(place, (journal) =>
          Effect.gen(function* () {
            expect(yield* journal.unfinished).toBeUndefined()
            yield* save(journal, 4, ["a", "b"])
            expect(yield* journal.unfinished).toBeUndefined()
            for (const index of [0, 1, 3]) yield* journal.saveChunk(Slot.make(6), index, bytes(`${index}`))
            yield* journal.saveChunk(Slot.make(5), 0, bytes("older"))
            yield* journal.saveChunk(Slot.make(8), 1, bytes("without a first one"))
          })
        )
        const journal = yield* place.open
        expect(yield* journal.unfinished).toEqual({ slot: 6, chunks: 2 })
        expect(yield* journal.readChunk(Slot.make(6), 1)).toEqual(bytes("1"))
        yield* journal.saveChunk(Slot.make(6), 2, bytes("2"))
        expect(yield* journal.unfinished).toEqual({ slot: 6, chunks: 4 })
        while (yield* journal.sweep(new Set([Slot.make(4)])));
        expect(yield* journal.unfinished).toBeUndefined()
      })
    )

    it.scoped("never changes a snapshot that is whole, nor calls one whole that lacks a piece", () =>
      Effect.gen(function* () {
        const journal = yield* (yield* makePlace).open
        yield* save(journal, 3, ["a"])
        const again = yield* Effect.exit(journal.saveChunk(Slot.make(3), 0, bytes("b")))
        expect(Exit.isFailure(again) && Cause.isDie(again.cause)).toBe(true)
        yield* journal.saveChunk(Slot.make(4), 0, bytes("a"))
        const lacking = yield* Effect.exit(journal.saveSnapshot(whole(4, ["a", "b"])))
        expect(Exit.isFailure(lacking) && Cause.isDie(lacking.cause)).toBe(true)
        expect(yield* journal.readChunk(Slot.make(3), 0)).toEqual(bytes("a"))
      })
    )

    it.effect("holds what a plain list would hold, whatever is written and however often it is reopened", () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 30 }), (steps) =>
            Effect.runPromise(Effect.scoped(Effect.flatMap(makePlace, (place) => agreesWithModel(place, steps))))
          ),
          { numRuns: 40 }
        )
      )
    )
  })

const bytes = (text: string) => new TextEncoder().encode(text)

const whole = (slot: number, pieces: ReadonlyArray<string>): Snapshot.Snapshot => ({
  slot: Slot.make(slot),
  time: 1_700_000_000_000.5,
  at: { epoch: Epoch.none.present, ballot: Ballot.make(2, NodeId.make(1)) },
  bytes: pieces.join("").length,
  chunks: pieces.length,
  crc: crc32(pieces.join(""))
})

const save = (journal: Journal.Journal["Type"], slot: number, pieces: ReadonlyArray<string>) =>
  Effect.zipRight(
    Effect.forEach(pieces, (piece, index) => journal.saveChunk(Slot.make(slot), index, bytes(piece))),
    journal.saveSnapshot(whole(slot, pieces))
  )

/** A step of the random walk; numbers are shares of what is possible at that point. */
type Step =
  | { readonly _tag: "Reopen" }
  | { readonly _tag: "Recover" }
  | { readonly _tag: "Read"; readonly after: number; readonly slots: number; readonly bytes: number }
  | {
      readonly _tag: "Write"
      readonly round: number
      readonly after: number
      readonly sizes: ReadonlyArray<number>
      readonly end: number
      readonly chosen: number
    }

const share = FastCheck.double({ min: 0, max: 1, noNaN: true })

const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { weight: 1, arbitrary: FastCheck.constant<Step>({ _tag: "Reopen" }) },
  { weight: 1, arbitrary: FastCheck.constant<Step>({ _tag: "Recover" }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Read" as const),
      after: share,
      slots: FastCheck.integer({ min: 0, max: 20 }),
      bytes: FastCheck.integer({ min: 0, max: 10_000 })
    })
  },
  {
    weight: 6,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Write" as const),
      round: FastCheck.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      after: share,
      sizes: FastCheck.array(FastCheck.integer({ min: 0, max: 6_000 }), { maxLength: 70 }),
      end: share,
      chosen: share
    })
  }
)

const agreesWithModel = (place: Place, steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    let log: ReadonlyArray<Entry.Entry> = []
    let state = Durable.initial
    let written = 0
    const walk = (journal: Journal.Journal["Type"], from: number): Effect.Effect<number, JournalError.JournalError> =>
      Effect.gen(function* () {
        expect(journal.recovered).toEqual(state)
        for (let i = from; i < steps.length; i++) {
          const next = steps[i]!
          if (next._tag === "Reopen") return i + 1
          if (next._tag === "Recover") expect(yield* journal.recover).toEqual(state)
          if (next._tag === "Read") {
            const after = Math.floor(next.after * log.length)
            expect(yield* journal.read(Slot.make(after), next)).toEqual(expected(log, after, next))
          }
          if (next._tag === "Write") {
            const after = Math.floor(next.after * log.length)
            const entries = next.sizes.map((size) => Entry.commands(written, new Uint8Array(size).fill(written++)))
            const overwritten = [...log.slice(0, after), ...entries, ...log.slice(after + entries.length)]
            const shortest = entries.length > 0 ? after + entries.length : 0
            const through = shortest + Math.floor(next.end * (overwritten.length - shortest))
            const change = write(
              { round: next.round, through, chosen: Math.floor(next.chosen * through), after },
              entries
            )
            yield* journal.write(change)
            log = overwritten.slice(0, through)
            state = change.state
          }
        }
        expect(yield* journal.read(Slot.zero, all)).toEqual(log)
        return steps.length
      })
    let from = 0
    do {
      from = yield* opened(place, (journal) => walk(journal, from))
    } while (from < steps.length)
    yield* opened(place, (journal) => walk(journal, from))
  })

const expected = (log: ReadonlyArray<Entry.Entry>, after: number, limit: { slots: number; bytes: number }) => {
  const read: Array<Entry.Entry> = []
  let bytes = 0
  for (const entry of log.slice(after)) {
    bytes += Entry.sizeOf(entry)
    if (read.length > 0 && (read.length >= limit.slots || bytes > limit.bytes)) break
    read.push(entry)
  }
  return read
}

/** Opens the journal for as long as `use` takes. */
const opened = <A, E, R>(
  place: Place,
  use: (journal: Journal.Journal["Type"]) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | JournalError.OpenError, Exclude<R, Scope.Scope>> =>
  Effect.scoped(Effect.flatMap(place.open, use))
