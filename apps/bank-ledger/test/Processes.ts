/** The command line as real processes on this machine. */
import { Effect, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const viteNode = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")

/** A directory that goes with the test. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-serve-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Ports that were free a moment ago. */
export const freePorts = (count: number) =>
  Effect.scoped(
    Effect.forEach(Array.from({ length: count }), () =>
      Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const server = Net.createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
      )
    ).pipe(Effect.map((servers) => servers.map((server) => (server.address() as Net.AddressInfo).port)))
  )

/** Waits until something holds, at most 30 seconds. */
export const until = <E, R>(what: string, condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => `waited in vain until ${what}` }),
    Effect.orDie
  )

const launch = (command: ReadonlyArray<string>) =>
  spawn(
    process.execPath,
    [
      ...[viteNode, "--config", join(root, ".config/vitest.config.ts")],
      ...[join(root, "apps/bank-ledger/src/bin.ts"), ...command]
    ],
    { stdio: ["ignore", "pipe", "pipe"] }
  )

/** A replica, once it listens; it fails with what it said when it ends before. Killed with the test. */
export const serve = (...options: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.async<ChildProcess, string>((resume) => {
      const child = launch(["serve", ...options])
      let said = ""
      child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()))
      child.stdout.on("data", (bytes: Buffer) => {
        if (bytes.toString().includes("listens")) resume(Effect.succeed(child))
      })
      child.once("exit", () => resume(Effect.fail(said)))
    }),
    (child) => end(child, "SIGKILL")
  )

/** A command that ends by itself, and what it said. */
export const run = (...command: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: number | null; readonly output: string; readonly error: string }>((resume) => {
    const child = launch(command)
    let output = ""
    let error = ""
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()))
    child.stderr.on("data", (bytes: Buffer) => (error += bytes.toString()))
    child.once("close", (code) => resume(Effect.succeed({ code, output: output.trimEnd(), error })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

export const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.async<{ readonly code: number | null; readonly signal: string | null }>((resume) => {
    const ended = () => resume(Effect.succeed({ code: child.exitCode, signal: child.signalCode }))
    if (child.exitCode !== null || child.signalCode !== null) return ended()
    child.once("exit", ended)
    child.kill(signal)
  })
