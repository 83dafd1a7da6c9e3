/** A replica and its journal's file: whose it is, whether it is sound, and that it is synced before anybody is answered. */
import { expect, it } from "@effect/vitest"
import { SqliteJournal } from "@synod/journal"
import { Replica, Single, Socket } from "@synod/replica"
import { Effect, Layer } from "effect"
import { execFile, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Sockets from "./Sockets.js"
import { Tally, TallyLive } from "./Tally.js"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-replica-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const replica = (filename: string, cluster: string) =>
  Replica.layer(Tally).pipe(Layer.provide([TallyLive, Single.layer({ cluster }), SqliteJournal.layer({ filename })]))

it.scopedLive("a replica alone keeps what it acknowledged over a restart", () =>
  Effect.gen(function* () {
    const filename = join(yield* directory, "journal.sqlite")
    const add = (key: string) =>
      Effect.flatMap(Tally.client, (tally) => tally.Add({ key })).pipe(Effect.provide(replica(filename, "test")))
    expect(yield* add("a")).toBe(1)
    expect(yield* add("b")).toBe(2)
  })
)

it.scopedLive("the journal of another cluster is refused with a sentence", () =>
  Effect.gen(function* () {
    const filename = join(yield* directory, "journal.sqlite")
    yield* Effect.scoped(Layer.build(replica(filename, "one")))
    const error = yield* Effect.flip(Effect.scoped(Layer.build(replica(filename, "two"))))
    expect(error._tag).toBe("JournalRefused")
    expect(error.message).toContain("one")
    expect(error.message).toContain("two")
    expect(error.message).not.toContain("\n")
  })
)

it.scopedLive("the journal of another node is refused with a sentence", () =>
  Effect.gen(function* () {
    const filename = join(yield* directory, "journal.sqlite")
    yield* Effect.scoped(Layer.build(replica(filename, "test")))
    const members = yield* Sockets.members(2)
    const second = Replica.layer(Tally).pipe(
      Layer.provide([TallyLive, Socket.layer({ cluster: "test", node: 2, members }), SqliteJournal.layer({ filename })])
    )
    const error = yield* Effect.flip(Effect.scoped(Layer.build(second)))
    expect(error._tag).toBe("JournalRefused")
    expect(error.message).toMatch(/^[^\n]*node[^\n]*$/)
  })
)

it.scopedLive("a damaged journal is refused with a sentence", () =>
  Effect.gen(function* () {
    const filename = join(yield* directory, "journal.sqlite")
    writeFileSync(filename, "this was a journal once, and is none any more".repeat(100))
    const error = yield* Effect.flip(Effect.scoped(Layer.build(replica(filename, "test"))))
    expect(error.message).toMatch(/^[^\n]*journal\.sqlite[^\n]*$/)
  })
)

const here = dirname(fileURLToPath(import.meta.url))
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const runner = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")
const config = join(here, "../../../.config/vitest.config.ts")

const strace = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0
if (!strace) process.stderr.write("SKIPPED: counting fsyncs (strace is not installed, or may not trace here)\n")

it.scopedLive.skipIf(!strace)("every batch was synced before it was acknowledged", () =>
  Effect.gen(function* () {
    const batches = 60
    const path = yield* directory
    const trace = join(path, "trace")
    const command = [process.execPath, runner, "--config", config, join(here, "child.ts")]
    const { stdout } = yield* Effect.promise(() =>
      promisify(execFile)("strace", [
        ...["-f", "-y", "-e", "trace=fsync,fdatasync,write", "-o", trace],
        ...[...command, join(path, "journal.sqlite"), String(batches)]
      ])
    )
    expect(stdout.trim().split("\n").length).toBe(batches)

    let acknowledged = 0
    let unsynced = 0
    let syncs = 0
    let synced = false
    for (const call of finishedCalls(readFileSync(trace, "utf8"))) {
      if (/^(fsync|fdatasync)\(\d+<.*-wal>\) += 0/.test(call)) {
        syncs++
        synced = true
      }
      if (!/^write\(1<.*"ack \d+\\n"/.test(call)) continue
      acknowledged++
      if (!synced) unsynced++
      synced = false
    }
    expect({ acknowledged, unsynced }).toEqual({ acknowledged: batches, unsynced: 0 })
    expect(syncs).toBeGreaterThanOrEqual(batches)
  })
)

/** The system calls of a trace in the order in which they ended; strace splits one when another thread's comes between. */
const finishedCalls = (trace: string): ReadonlyArray<string> => {
  const begun = new Map<string, string>()
  return trace.split("\n").flatMap((line) => {
    const [, thread, call] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (thread === undefined || call === undefined) return []
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(call)
    if (unfinished !== null) {
      begun.set(thread, unfinished[1]!)
      return []
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)
    return [resumed === null ? call : `${begun.get(thread)}${resumed[1]}`]
  })
}
