/**
 * Bits that flip in the file, disks that fill up or refuse to write.
 */
import { expect, it } from "@effect/vitest"
import { SqliteFile, SqliteJournal } from "@synod/journal"
import { Entry, Slot } from "@synod/paxos"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { failure } from "./failure.js"
import { child, childTimeout, cluster, filename, node, open, tamper } from "./SqliteFixtures.js"
import { all, appended, entriesOf, entry, write } from "./Writes.js"

const marker = "the entry whose bytes are about to rot"
const entries = [...entriesOf("abc"), entry(marker), ...entriesOf("e")]

/** A closed journal of five entries, the fourth of which is marked. */
const written = Effect.tap(filename, (path) =>
  Effect.scoped(Effect.flatMap(open(path), (journal) => journal.write(appended(0, entries))))
)

const flipBit = (path: string, position: (bytes: Buffer) => number) =>
  Effect.sync(() => {
    const bytes = readFileSync(path)
    const at = position(bytes)
    expect(at).toBeGreaterThan(0)
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
  })

it.scoped("a bit that flipped in an entry is found, with its slot, and the others can still be read", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* flipBit(path, (bytes) => bytes.indexOf(marker) + 5)
    const journal = yield* open(path)
    const error = yield* failure(journal.read(Slot.zero, all))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 4 })
    expect(error.message).toBe(
      `slot 4 of journal ${path} is damaged (its checksum differs): ` +
        "fetch it from a peer if it is chosen, otherwise remove its node from the membership and add a new one in its place"
    )
    expect(yield* journal.read(Slot.zero, { slots: 3, bytes: Infinity })).toEqual(entries.slice(0, 3))
    expect(yield* journal.read(Slot.make(4), all)).toEqual(entries.slice(4))
    yield* journal.write(write({ round: 1, through: 5, chosen: 4, after: 3 }, [entries[3]!]))
    expect(yield* journal.read(Slot.zero, all)).toEqual(entries)
  })
)

it.scoped("a bit that flipped in an entry's time is found", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* flipBit(path, (bytes) => bytes.indexOf(marker) - 2)
    const error = yield* failure((yield* open(path)).read(Slot.make(3), all))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 4 })
  })
)

it.scoped("a bit that flipped in the acceptor's state keeps the journal closed", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(path, (sql) => sql`UPDATE record SET body = zeroblob(length(body)) WHERE slot = 0`)
    const error = yield* failure(Effect.scoped(open(path)))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 0 })
    expect(error.message).toBe(
      `the acceptor's state in journal ${path} is damaged (its checksum differs): ` +
        "remove its node from the membership and add a new one in its place"
    )
  })
)

it.scoped("a state that is gone is not taken for a new journal", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(path, (sql) => sql`DELETE FROM record`)
    const error = yield* failure(Effect.scoped(open(path)))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 0, reason: "it is missing" })
  })
)

it.scoped("an entry that is missing is found, wherever a read begins", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(path, (sql) => sql`DELETE FROM record WHERE slot = 3`)
    const journal = yield* open(path)
    for (const after of [0, 1, 2]) {
      const error = yield* failure(journal.read(Slot.make(after), all))
      expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 3, reason: "it is missing" })
    }
  })
)

it.scoped("a log whose last entry is missing does not end earlier", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(path, (sql) => sql`DELETE FROM record WHERE slot = 5`)
    const error = yield* failure((yield* open(path)).read(Slot.make(4), all))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 5, reason: "it is missing" })
  })
)

it.scoped("an entry under another's slot is found", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(
      path,
      (sql) => sql`UPDATE record SET (body, crc) = (SELECT body, crc FROM record WHERE slot = 1) WHERE slot = 2`
    )
    const error = yield* failure((yield* open(path)).read(Slot.zero, all))
    expect(error).toMatchObject({ _tag: "JournalDamaged", slot: 2, reason: "its checksum differs" })
  })
)

it.scoped("a destroyed page is reported as damage", () =>
  Effect.gen(function* () {
    const path = yield* filename
    const large = [entry("x".repeat(3_000)), entry("y".repeat(3_000)), entry("z".repeat(3_000))]
    yield* Effect.scoped(Effect.flatMap(open(path), (journal) => journal.write(appended(0, large))))
    yield* Effect.sync(() => {
      const bytes = readFileSync(path)
      const page = Math.floor(bytes.indexOf("z".repeat(100)) / 4096) * 4096
      bytes.fill(0xa5, page, page + 100)
      writeFileSync(path, bytes)
    })
    const error = yield* failure(Effect.scoped(Effect.flatMap(open(path), (journal) => journal.read(Slot.zero, all))))
    expect(error._tag).toBe("JournalDamaged")
    expect(error.message).toContain("is damaged (database disk image is malformed)")
  })
)

it.scoped("rows behind the end of the log are deleted when it is opened again", () =>
  Effect.gen(function* () {
    const path = yield* written
    const count = tamper(path, (sql) => sql<{ n: number }>`SELECT count(*) AS n FROM record WHERE slot > 0`)
    yield* Effect.scoped(
      Effect.flatMap(open(path), (journal) => journal.write(write({ round: 2, through: 2, chosen: 0, after: 2 }, [])))
    )
    expect(yield* count).toEqual([{ n: 5 }])
    yield* Effect.scoped(open(path))
    expect(yield* count).toEqual([{ n: 2 }])
  })
)

it.scoped("a write that finds the disk full leaves nothing behind, and the journal silent until it is recovered", () =>
  Effect.gen(function* () {
    const path = yield* filename
    const file = yield* SqliteFile.open({ filename: path, cluster, node })
    const journal = yield* SqliteJournal.fromFile(file)
    const before = appended(0, entriesOf("abc"))
    yield* journal.write(before)
    const [{ page_count: pages }] = (yield* file.query("PRAGMA page_count")) as [{ page_count: number }]
    yield* file.query(`PRAGMA max_page_count = ${pages + 10}`)

    const large = Array.from({ length: 50 }, () => Entry.commands(1, new Uint8Array(4_000)))
    const tooMuch = write({ round: 5, through: 51, chosen: 0, after: 1 }, large)
    const error = yield* failure(journal.write(tooMuch))
    expect(error._tag).toBe("JournalFailed")
    expect(error.message).toBe(`can't write journal ${path}: the disk is full`)

    const silent = `journal ${path} does not answer after a failed write until it has been recovered`
    expect((yield* failure(journal.read(Slot.zero, all))).message).toBe(silent)
    expect((yield* failure(journal.write(before))).message).toBe(silent)

    expect(yield* journal.recover).toEqual(before.state)
    expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abc"))
    yield* file.query("PRAGMA max_page_count = 1000000")
    yield* journal.write(tooMuch)
    expect(yield* journal.read(Slot.zero, all)).toEqual([...entriesOf("a"), ...large])
  })
)

it.scoped("recovery is tried again until it succeeds", () =>
  Effect.gen(function* () {
    const path = yield* filename
    const file = yield* SqliteFile.open({ filename: path, cluster, node })
    const journal = yield* SqliteJournal.fromFile(file)
    yield* journal.write(appended(0, entriesOf("ab")))
    yield* file.query("PRAGMA query_only = ON")
    expect((yield* failure(journal.write(appended(2, entriesOf("c")))))._tag).toBe("JournalFailed")
    expect((yield* failure(journal.recover))._tag).toBe("JournalFailed")
    expect((yield* failure(journal.read(Slot.zero, all)))._tag).toBe("JournalUnsettled")
    yield* file.query("PRAGMA query_only = OFF")
    expect((yield* journal.recover).acceptedThrough).toBe(2)
    yield* journal.write(appended(2, entriesOf("c")))
    expect(yield* journal.read(Slot.zero, all)).toEqual(entriesOf("abc"))
  })
)

const ulimit = spawnSync("bash", ["-c", "ulimit -f 1024"]).status === 0
if (!ulimit) process.stderr.write("SKIPPED: a disk that refuses to write (bash, with its ulimit, is not installed)\n")

it.scoped.skipIf(!ulimit)(
  "a disk that refuses to write stops the acceptor, and it goes on from what it re-reads",
  () =>
    Effect.gen(function* () {
      const path = yield* filename
      // Files may not grow beyond 1 MiB: the write-ahead log hits that after about a hundred writes.
      const limit = ["bash", "-c", 'ulimit -f 1024; exec "$0" "$@"']
      const lines = yield* Effect.flatMap(child([path, "recover", "1000"], limit), ({ lines }) => lines)
      const acked = lines.filter((line) => line.startsWith("ack ")).length - 1
      expect(acked).toBeGreaterThan(10)
      expect(lines.slice(acked + 1)).toEqual([
        `JournalFailed: can't write journal ${path}: the disk reports an I/O error (SQLITE_IOERR_WRITE)`,
        "JournalUnsettled",
        "JournalUnsettled",
        `recovered ${acked}`,
        `ack ${acked + 1}`
      ])
      const journal = yield* open(path)
      expect(journal.recovered.promised.round).toBe(acked + 1)
    }),
  childTimeout
)
