/**
 * Replicas as real processes on bad days: one is told to stop, and one has no room on its disk for a while.
 */
import { assert, describe, it } from "@effect/vitest"
import { Client, Endpoint } from "@synod/client"
import { Clock, Effect, FiberSet, Layer, Ref, Schedule } from "effect"
import { type ChildProcess, spawnSync } from "node:child_process"
import { join } from "node:path"
import { Bank } from "../src/Bank.js"
import { account } from "./fixtures.js"
import { directory, end, freePorts, serve, until } from "./Processes.js"

describe("three replicas as processes", () => {
  it.scopedLive(
    "SIGTERM: the leader hands over, ends with 0, and no call notices more than a hiccup",
    () =>
      Effect.gen(function* () {
        const cluster = yield* three
        const load = yield* opening(cluster)
        yield* load.progress(20)
        const leader = yield* cluster.leader
        load.forget()
        const begun = yield* Clock.currentTimeMillis
        assert.deepStrictEqual(yield* end(cluster.children.get(leader)!, "SIGTERM"), { code: 0, signal: null })
        const took = (yield* Clock.currentTimeMillis) - begun
        yield* load.progress(20)
        assert.notStrictEqual(yield* cluster.leader, leader)
        yield* cluster.start(leader)
        yield* load.progress(20)
        yield* load.stop
        yield* cluster.equal
        assert.deepStrictEqual(load.failed, [])
        assert.isBelow(took, 3_000, "milliseconds until the process had ended")
        assert.isBelow(load.slowest(), 1_000, "milliseconds that the slowest call took")
      }),
    120_000
  )

  const prlimit = spawnSync("prlimit", ["--version"]).status === 0
  if (!prlimit) process.stderr.write("SKIPPED: a leader that may write no more (prlimit is not installed)\n")

  it.scopedLive.skipIf(!prlimit)(
    "no room for the leader: it says so, another leads, and it votes again without a restart",
    () =>
      Effect.gen(function* () {
        const cluster = yield* three
        const load = yield* opening(cluster)
        yield* load.progress(20)
        const leader = yield* cluster.leader
        const child = cluster.children.get(leader)!
        const limit = (bytes: string) => {
          const { status, stderr } = spawnSync("prlimit", ["--pid", String(child.pid), `--fsize=${bytes}:unlimited`])
          assert.strictEqual(status, 0, String(stderr))
        }
        limit("1")
        yield* until(
          "it says so",
          Effect.map(cluster.status(leader), ({ trouble }) => trouble !== undefined)
        )
        assert.match((yield* cluster.status(leader)).trouble!, /^can't (write|recover) journal .*: the disk /)
        yield* load.progress(50)
        assert.notStrictEqual(yield* cluster.leader, leader)
        limit("unlimited")
        yield* until(
          "it votes",
          Effect.map(cluster.status(leader), ({ trouble }) => trouble === undefined)
        )
        // From here on nothing is chosen without its vote.
        yield* end(cluster.children.get(yield* cluster.leader)!, "SIGKILL")
        yield* load.progress(20)
        yield* load.stop
        assert.deepStrictEqual(load.failed, [])
        assert.isNull(child.exitCode)
        yield* cluster.equal
      }),
    120_000
  )
})

// Fixtures

const three = Effect.gen(function* () {
  const data = yield* directory
  const ports = yield* freePorts(3)
  const nodes = [1, 2, 3]
  const members = nodes.map((node, i) => `${node}=127.0.0.1:${ports[i]}`).join(",")
  const servers = Object.fromEntries(nodes.map((node, i) => [node, { host: "127.0.0.1", port: ports[i]! }]))
  const children = new Map<number, ChildProcess>()
  const endpoints = new Map(
    yield* Effect.forEach(nodes, (node) =>
      Effect.map(Endpoint.tcp({ cluster: "bank", ...servers[node]! }), (endpoint) => [node, endpoint] as const)
    )
  )
  const start = (node: number) =>
    Effect.tap(
      serve(
        ...["--begin", "found", "--node", String(node), "--members", members],
        ...["--journal", join(data, `${node}.sqlite`)]
      ),
      (child) => Effect.sync(() => children.set(node, child))
    )
  yield* Effect.forEach(nodes, start, { concurrency: "unbounded" })
  const status = (node: number) =>
    endpoints.get(node)!.status.pipe(Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo("30 seconds"))))
  const running = Effect.map(
    Effect.forEach(nodes, (node) => Effect.option(endpoints.get(node)!.status)),
    (all) => all.flatMap((one) => (one._tag === "Some" ? [one.value] : []))
  )
  const leading = Effect.map(running, (all) =>
    all.find(({ phase, trouble }) => phase === "Leading" && trouble === undefined)
  )
  return {
    children,
    servers,
    start,
    status,
    leader: Effect.gen(function* () {
      yield* until(
        "somebody leads",
        Effect.map(leading, (status) => status !== undefined)
      )
      return (yield* leading)?.node ?? 0
    }),
    /** Waits until all that run have applied the same, and come to the same state. */
    equal: Effect.gen(function* () {
      yield* until(
        "all have applied the same",
        Effect.map(running, (all) => new Set(all.map(({ appliedThrough }) => appliedThrough)).size === 1)
      )
      const digests = yield* Effect.forEach(yield* running, ({ node }) => endpoints.get(node)!.digest)
      assert.strictEqual(new Set(digests.map(({ digest }) => digest)).size, 1)
    })
  }
})

/** Calls that open accounts, each once, four at a time. */
const opening = (cluster: Effect.Effect.Success<typeof three>) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Client.layer(Bank, { cluster: "bank", servers: cluster.servers }))
    const bank = yield* Effect.provide(Bank.client, context)
    const running = yield* Ref.make(true)
    const fibers = yield* FiberSet.make()
    const failed: Array<string> = []
    let opened = 0
    let slowest = 0
    const one = (client: number, n: number) =>
      Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        yield* bank
          .OpenAccount({ account: account(`a:${client}:${n}`), side: "Debit", overdraft: { _tag: "None" } })
          .pipe(Effect.catchAll((error) => Effect.sync(() => failed.push(error._tag))))
        slowest = Math.max(slowest, (yield* Clock.currentTimeMillis) - begun)
        opened++
      })
    for (const client of [1, 2, 3, 4]) {
      let n = 0
      yield* FiberSet.run(
        fibers,
        Effect.repeat(
          Effect.suspend(() => one(client, n++)),
          { while: () => Ref.get(running) }
        )
      )
    }
    return {
      failed,
      slowest: () => slowest,
      forget: () => {
        slowest = 0
      },
      progress: (count: number) =>
        Effect.suspend(() => {
          const goal = opened + count
          return until(
            "calls are answered",
            Effect.sync(() => opened >= goal)
          )
        }),
      stop: Effect.zipRight(Ref.set(running, false), FiberSet.awaitEmpty(fibers))
    }
  })
