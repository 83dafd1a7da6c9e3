import { assert, describe, it } from "@effect/vitest"
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

describe("the server", () => {
  it.scopedLive(
    "alone, sells a seat once and finds its data when it starts again",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const [port] = yield* freePorts(1)
        const first = yield* start({ DATA: data, PORT: String(port) })
        yield* book(port!, "A1", "Ada")
        assert.strictEqual(yield* status(port!, "A1", "Bob"), 409)
        yield* end(first, "SIGTERM")
        assert.strictEqual(first.exitCode, 0)
        yield* start({ DATA: data, PORT: String(port) })
        assert.deepStrictEqual(yield* seats(port!), { A1: "Ada" })
      }),
    90_000
  )

  it.scopedLive(
    "three of them go on when one is killed, and it catches up",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const ports = yield* freePorts(6)
        const members = [1, 2, 3].map((node) => `${node}=127.0.0.1:${ports[node - 1]}`).join(",")
        const http = (node: number) => ports[node + 2]!
        const run = (node: number) =>
          start({ DATA: data, PORT: String(http(node)), REPLICA: String(node), MEMBERS: members })
        const servers = yield* Effect.all([run(1), run(2), run(3)], { concurrency: "unbounded" })
        yield* book(http(1), "A1", "Ada")
        assert.deepStrictEqual(yield* seats(http(2)), { A1: "Ada" })
        yield* end(servers[0], "SIGKILL")
        yield* book(http(2), "B2", "Bob")
        assert.strictEqual(yield* status(http(3), "B2", "Eve"), 409)
        yield* run(1)
        assert.deepStrictEqual(yield* seats(http(1)), { A1: "Ada", B2: "Bob" })
      }),
    120_000
  )

  it.scopedLive(
    "says in one sentence why it does not start",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const ended = yield* Effect.flip(start({ DATA: data, REPLICA: "7", MEMBERS: "1=127.0.0.1:1" }))
        assert.deepStrictEqual(ended, {
          code: 1,
          said: "The members don't make a cluster: node 7 is this replica and not one of them."
        })
      }),
    90_000
  )
})

// Fixtures

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "synod-http-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Starts the real server; ready when it listens. */
const start = (env: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.async<ChildProcess, { readonly code: number | null; readonly said: string }>((resume) => {
      const config = join(root, ".config/vitest.config.ts")
      const main = join(root, "apps/http-example/src/main.ts")
      const child = spawn(process.execPath, [viteNode, "--config", config, main], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let said = ""
      child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()))
      child.stdout.on("data", (bytes: Buffer) => {
        if (bytes.toString().includes("Listening")) resume(Effect.succeed(child))
      })
      child.once("exit", (code) => resume(Effect.fail({ code, said: said.trim() })))
    }),
    (child) => end(child, "SIGKILL")
  )

const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill(signal)
  })

const put = (port: number, seat: string, name: string) =>
  Effect.promise(() =>
    fetch(`http://127.0.0.1:${port}/seats/${seat}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name })
    })
  )

const status = (port: number, seat: string, name: string) =>
  Effect.map(
    put(port, seat, name).pipe(
      // A server that just started may not know the leader yet: 503 says that nothing was applied.
      Effect.filterOrFail(
        (response) => response.status !== 503,
        () => "Unavailable" as const
      ),
      Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo("30 seconds"))),
      Effect.orDie
    ),
    (response) => response.status
  )

const book = (port: number, seat: string, name: string) =>
  Effect.map(status(port, seat, name), (status) => assert.strictEqual(status, 204, `${name} books ${seat}`))

const seats = (port: number) =>
  Effect.promise(async () => (await fetch(`http://127.0.0.1:${port}/seats`)).json() as Promise<unknown>)

const freePorts = (count: number) =>
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
