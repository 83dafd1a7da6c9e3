/**
 * What the SQLite journal says when a file can't be its journal, and that it leaves such a file as it was.
 */
import { expect, it } from "@effect/vitest"
import { SqliteJournal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { Effect } from "effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { crc32 } from "node:zlib"
import { failure } from "./failure.js"
import { cluster, directory, filename, node, open, tamper } from "./SqliteFixtures.js"
import { appended, entriesOf } from "./Writes.js"

/** Opens, and expects to be told why not. */
const refusal = (options: SqliteJournal.Options) => failure(Effect.scoped(SqliteJournal.make(options)))

/** A closed journal with something in it. */
const written = Effect.tap(filename, (path) =>
  Effect.scoped(Effect.flatMap(open(path), (journal) => journal.write(appended(0, entriesOf("abc")))))
)

it.scoped("a journal of another cluster or node is refused with both names, and not touched", () =>
  Effect.gen(function* () {
    const path = yield* written
    const before = readFileSync(path)

    const otherCluster = yield* refusal({ filename: path, cluster: "production", node })
    expect(otherCluster._tag).toBe("JournalRefused")
    expect(otherCluster.message).toBe(`journal ${path} belongs to cluster "test", not to cluster "production"`)

    const otherNode = yield* refusal({ filename: path, cluster, node: NodeId.make(2) })
    expect(otherNode._tag).toBe("JournalRefused")
    expect(otherNode.message).toBe(`journal ${path} belongs to node 1, not to node 2`)

    expect(readFileSync(path).equals(before)).toBe(true)
    expect((yield* open(path)).recovered.acceptedThrough).toBe(3)
  })
)

it.scoped("a journal of a newer format is refused with both numbers", () =>
  Effect.gen(function* () {
    const path = yield* written
    const crc = crc32(JSON.stringify([2, cluster, node, 1]))
    yield* tamper(path, (sql) => sql`UPDATE header SET format = 2, opened = 1, crc = ${crc}`)
    const error = yield* refusal({ filename: path, cluster, node })
    expect(error._tag).toBe("JournalRefused")
    expect(error.message).toBe(
      `journal ${path} has format 2, and this version reads formats up to 1: open it with a newer version`
    )
  })
)

it.scoped("a damaged header is not taken for another cluster's", () =>
  Effect.gen(function* () {
    const path = yield* written
    yield* tamper(path, (sql) => sql`UPDATE header SET cluster = 'tesu'`)
    const error = yield* refusal({ filename: path, cluster, node })
    expect(error).toMatchObject({
      _tag: "JournalDamaged",
      slot: undefined,
      reason: "the checksum of its header differs"
    })
  })
)

it.scoped("the database of another program is refused, and not touched", () =>
  Effect.gen(function* () {
    const path = yield* filename
    yield* tamper(path, (sql) => sql`CREATE TABLE invoices (id INTEGER)`)
    const before = readFileSync(path)
    const error = yield* refusal({ filename: path, cluster, node })
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toBe(
      `can't open journal ${path}: it is the database of another program (its tables: invoices)`
    )
    expect(readFileSync(path).equals(before)).toBe(true)
  })
)

it.scoped("a file that is no database is refused, and not touched", () =>
  Effect.gen(function* () {
    const path = yield* filename
    const letter = "Dear reader, this is a letter and not a database. ".repeat(50)
    writeFileSync(path, letter)
    const error = yield* refusal({ filename: path, cluster, node })
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toBe(
      `can't open journal ${path}: it is not a SQLite database, or its first page is destroyed`
    )
    expect(readFileSync(path, "utf8")).toBe(letter)
  })
)

it.scoped("an empty file becomes a journal", () =>
  Effect.gen(function* () {
    const path = yield* filename
    writeFileSync(path, "")
    expect((yield* open(path)).recovered.acceptedThrough).toBe(0)
  })
)

it.scoped("a missing directory is named, and not made", () =>
  Effect.gen(function* () {
    const missing = join(yield* directory, "no", "such")
    const error = yield* refusal({ filename: join(missing, "journal.db"), cluster, node })
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toBe(`can't open journal ${missing}/journal.db: the directory ${missing} does not exist`)
    expect(existsSync(missing)).toBe(false)
  })
)

it.scoped("a directory is not a journal", () =>
  Effect.gen(function* () {
    const path = yield* filename
    mkdirSync(path)
    const error = yield* refusal({ filename: path, cluster, node })
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toMatch(
      /^can't open journal .*: no file can be opened or made there \(is .* a directory that may be written to\?\)$/
    )
  })
)

it.scoped("a database in memory is refused: it would forget what was acknowledged", () =>
  Effect.gen(function* () {
    const error = yield* refusal({ filename: ":memory:", cluster, node })
    expect(error.message).toBe("can't open journal :memory:: SQLite can't keep a write-ahead log there")
  })
)

it.scoped("an unwritable directory is named", () =>
  Effect.gen(function* () {
    const path = yield* directory
    chmodSync(path, 0o555)
    const error = yield* unprivileged(refusal({ filename: join(path, "journal.db"), cluster, node }))
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toBe(
      `can't open journal ${path}/journal.db: no file can be opened or made there (is ${path} a directory that may be written to?)`
    )
  })
)

it.scoped("an unwritable file is named", () =>
  Effect.gen(function* () {
    const path = yield* written
    chmodSync(dirname(path), 0o777)
    chmodSync(path, 0o444)
    const error = yield* unprivileged(refusal({ filename: path, cluster, node }))
    expect(error._tag).toBe("JournalUnopenable")
    expect(error.message).toBe(
      `can't open journal ${path}: it can't be locked (may the file be written to, and does its file system have locks?)`
    )
  })
)

/** Root may write everywhere; for as long as this takes, it is nobody (user 65534). */
const unprivileged = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  process.geteuid?.() === 0
    ? Effect.acquireUseRelease(
        Effect.sync(() => process.seteuid!(65534)),
        () => effect,
        () => Effect.sync(() => process.seteuid!(0))
      )
    : effect
