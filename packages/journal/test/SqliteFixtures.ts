import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql"
import { SqliteJournal } from "@synod/journal"
import { NodeId } from "@synod/paxos"
import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

export const cluster = "test"
export const node = NodeId.make(1)

export const open = (filename: string) => SqliteJournal.make({ filename, cluster, node })

/** A directory of one's own, which goes with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-journal-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Where a journal may be made. */
export const filename = Effect.map(directory, (path) => join(path, "journal.db"))

/** Does something to the file behind the journal's back. */
export const tamper = <A, E>(filename: string, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(SqlClient.SqlClient, use), SqliteClient.layer({ filename }))

export interface Child {
  readonly process: ChildProcess
  /** Waits for the next line; fails when there is none any more. */
  readonly line: Effect.Effect<string>
  /** All further lines, up to the end. */
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** Kills it without warning, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
}

const here = dirname(fileURLToPath(import.meta.url))
const config = join(here, "../../../.config/vitest.config.ts")
// The runner that comes with vitest: child processes run the sources as the tests do, and need no build.
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const runner = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")

/** Milliseconds for a test with child processes: each takes a second to start, or several on a busy machine. */
export const childTimeout = 90_000

/** Runs `child.ts` in a process of its own, below the programs of `wrap`; it does not outlive the scope. */
export const child = (
  args: ReadonlyArray<string>,
  wrap: ReadonlyArray<string> = []
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command, ...rest] = [
        ...wrap,
        process.execPath,
        runner,
        "--config",
        config,
        join(here, "child.ts"),
        ...args
      ]
      const spawned = spawn(command!, rest, { stdio: ["pipe", "pipe", "inherit"] })
      const gone = new Promise<void>((resolve) => spawned.once("exit", () => resolve()))
      const lines = createInterface({ input: spawned.stdout })[Symbol.asyncIterator]()
      return {
        process: spawned,
        line: Effect.promise(async () => {
          const next = await lines.next()
          if (next.done === true) throw new Error("the child process ended")
          return next.value
        }),
        lines: Effect.promise(async () => {
          const rest: Array<string> = []
          for (let next = await lines.next(); next.done !== true; next = await lines.next()) rest.push(next.value)
          return rest
        }),
        kill: Effect.promise(() => {
          spawned.kill("SIGKILL")
          return gone
        })
      }
    }),
    ({ kill }) => kill
  )
