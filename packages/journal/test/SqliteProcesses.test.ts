/**
 * Real processes: one that has the lock, one that is killed, one whose system calls are watched.
 */
import { describe, expect, it } from "@effect/vitest"
import { SqliteFile, SqliteJournal } from "@synod/journal"
import { Slot } from "@synod/paxos"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { failure } from "./failure.js"
import { child, childTimeout, cluster, directory, filename, node, open } from "./SqliteFixtures.js"
import { all } from "./Writes.js"

it.scoped(
  "a second process is turned away at once, and let in when the first was killed",
  () =>
    Effect.gen(function* () {
      const path = yield* filename
      const first = yield* child([path, "hold", "5"])
      expect(yield* first.line).toBe("open")
      for (let n = 1; n <= 5; n++) expect(yield* first.line).toBe(`ack ${n}`)

      const start = performance.now()
      const here = yield* failure(Effect.scoped(open(path)))
      // The client alone would wait for five seconds.
      expect(performance.now() - start).toBeLessThan(3_000)
      expect(here._tag).toBe("JournalLocked")
      expect(here.message).toBe(`journal ${path} is locked: another replica or process has it open`)
      const there = yield* child([path, "write", "1"])
      expect(yield* there.lines).toEqual([here.message])

      yield* first.kill
      expect((yield* open(path)).recovered.promised.round).toBe(5)
    }),
  childTimeout
)

it.scoped(
  "a process killed while it writes has lost nothing that it acknowledged, and left no half write",
  () =>
    Effect.gen(function* () {
      for (const acks of [1, 7, 40]) {
        const path = yield* filename
        const writer = yield* child([path, "hold", "500"])
        expect(yield* writer.line).toBe("open")
        for (let n = 1; n <= acks; n++) expect(yield* writer.line).toBe(`ack ${n}`)
        yield* writer.kill
        const acked = acks + (yield* writer.lines).length

        const journal = yield* open(path)
        const { round } = journal.recovered.promised
        expect(round === acked || round === acked + 1).toBe(true)
        const times = (yield* journal.read(Slot.zero, all)).map(({ time }) => time)
        expect(times).toEqual([round, round, round])
      }
    }),
  childTimeout
)

describe("synchronous = FULL", () => {
  it.scoped("a file that runs without it is not taken", () =>
    Effect.gen(function* () {
      const path = yield* filename
      const file = yield* SqliteFile.open({ filename: path, cluster, node })
      yield* file.query("PRAGMA synchronous = NORMAL")
      const error = yield* failure(SqliteJournal.fromFile(file))
      expect(error.message).toBe(`can't open journal ${path}: SQLite runs with synchronous = 1, not with FULL (2)`)
    })
  )

  it.scoped("a file that can be shared is not taken", () =>
    Effect.gen(function* () {
      const path = yield* filename
      const file = yield* SqliteFile.open({ filename: path, cluster, node })
      yield* file.query("PRAGMA locking_mode = NORMAL")
      const error = yield* failure(SqliteJournal.fromFile(file))
      expect(error.message).toBe(
        `can't open journal ${path}: SQLite runs with locking_mode = normal, not with EXCLUSIVE`
      )
    })
  )

  const strace = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0
  if (!strace) process.stderr.write("SKIPPED: counting fsyncs (strace is not installed, or may not trace here)\n")

  it.scoped.skipIf(!strace)(
    "every write has reached the disk before it is acknowledged",
    () =>
      Effect.gen(function* () {
        const writes = 200
        const path = yield* filename
        const { calls, lines } = yield* traced([path, "write", String(writes)])
        expect(lines).toHaveLength(1 + writes)
        let acks = 0
        let unsynced = 0
        let synced = false
        for (const call of calls) {
          if (isWalSync(call)) synced = true
          if (!/^write\(1<.*"ack \d+\\n"/.test(call)) continue
          acks++
          if (!synced) unsynced++
          synced = false
        }
        expect({ acks, unsynced }).toEqual({ acks: writes, unsynced: 0 })
      }),
    childTimeout
  )

  it.scoped.skipIf(!strace)(
    "what a killed process left behind has reached the disk before anyone is told of it",
    () =>
      Effect.gen(function* () {
        const path = yield* filename
        const killed = yield* child([path, "hold", "3"])
        for (const line of ["open", "ack 1", "ack 2", "ack 3"]) expect(yield* killed.line).toBe(line)
        yield* killed.kill

        const { calls, lines } = yield* traced([path, "write", "0"])
        expect(lines).toEqual(["open"])
        const told = calls.findIndex((call) => /^write\(1<.*"open\\n"/.test(call))
        const copied = calls.findIndex((call) => /^(fsync|fdatasync)\(\d+<.*\/journal\.db>\) += 0/.test(call))
        const synced = calls.findIndex((call, i) => i > copied && isWalSync(call))
        expect(copied).toBeGreaterThan(-1)
        expect(synced).toBeGreaterThan(copied)
        expect(told).toBeGreaterThan(synced)
      }),
    childTimeout
  )
})

const isWalSync = (call: string) => /^(fsync|fdatasync)\(\d+<.*-wal>\) += 0/.test(call)

/** Runs a child to its end; what it printed, and what it synced and wrote, in order. */
const traced = (args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const trace = join(yield* directory, "trace")
    const run = yield* child(args, ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write", "-o", trace])
    const lines = yield* run.lines
    return { lines, calls: finishedCalls(readFileSync(trace, "utf8")) }
  })

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
