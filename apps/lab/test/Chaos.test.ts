/** The short form of `npm run chaos`, and that what it checks with can say no. */
import { assert, describe, it } from "@effect/vitest"
import type { History } from "@synod/simulator"
import { Seeded } from "@synod/simulator"
import { Effect, Schedule } from "effect"
import { execFile, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Account from "../src/chaos/Account.js"
import * as Diary from "../src/chaos/Diary.js"
import * as Network from "../src/chaos/Network.js"
import * as Plan from "../src/chaos/Plan.js"

/** Built by the gate's types stage, which comes before the tests. */
const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

/** What the command prints, its exit code, and what it leaves in a directory of its own. */
const chaos = (...args: ReadonlyArray<string>) => {
  const directory = mkdtempSync(join(tmpdir(), "synod-chaos-test-"))
  return new Promise<{ code: number; said: string; left: ReadonlyArray<string> }>((resolve) => {
    execFile(
      process.execPath,
      [bin, "chaos", ...args],
      { env: { ...process.env, TMPDIR: directory } },
      (error, out, err) => {
        const left = readdirSync(directory)
        rmSync(directory, { recursive: true, force: true })
        resolve({ code: typeof error?.code === "number" ? error.code : 0, said: out + err, left })
      }
    )
  })
}

describe("chaos", () => {
  it("kills, pauses and cuts off real replicas, and nothing is wrong", { timeout: 180_000 }, async () => {
    const { code, left, said } = await chaos("--seed", "20", "--cycles", "2", "--seconds", "2.5")
    assert.strictEqual(code, 0, said)
    assert.match(said, /cycle 2 of 2 {2}\d/)
    assert.match(said, /linearizable {2}all [1-9]\d* registers and texts/)
    assert.match(said, /lost 0, applied twice 0, false failures 0/)
    assert.deepStrictEqual(left, [], "nothing is left behind")
  })

  it("ends what it started when it is interrupted", { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "synod-chaos-test-"))
    const child = spawn(process.execPath, [bin, "chaos", "--seed", "20", "--cycles", "9"], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ["ignore", "pipe", "ignore"]
    })
    const ended = new Promise((resolve) => child.once("exit", resolve))
    // Says which processes it started, and goes on to the first cycle.
    const pids = await new Promise<ReadonlyArray<number>>((resolve) => {
      let said = ""
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString()
        const [, pids] = /^processes (.*)$/m.exec(said) ?? []
        if (pids !== undefined) resolve(pids.split(", ").map(Number))
      })
    })
    assert.strictEqual(pids.length, 6)
    child.kill("SIGINT")
    await ended
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), "ESRCH")
    rmSync(directory, { recursive: true, force: true })
  })

  it("refuses what can't be, in a sentence", async () => {
    const { code, said } = await chaos("--replicas", "8")
    assert.strictEqual(code, 1)
    assert.include(said, "--replicas is 8: expected 1 to 7.")
  })
})

describe("Plan", () => {
  const world: Plan.World = { replicas: 5, seconds: 4, canFill: true }
  const plans = Array.from({ length: 400 }, (_, i) => Plan.draw(Seeded.make(i), world))

  it("is the same for the same seed", () => {
    assert.deepStrictEqual(Plan.draw(Seeded.make(7), world), plans[7])
  })

  it("hits fewer than half at the same time, unless it is beyond what is promised", () => {
    for (const { faults, mode, seats } of plans) {
      if (mode === "several") assert.isAtMost(seats.length, 2)
      if (mode !== "one") continue
      for (const [i, fault] of faults.entries()) {
        if (i > 0) assert.isAbove(fault.at, faults[i - 1]!.at + faults[i - 1]!.for)
      }
    }
  })

  it("draws every mode and every fault", () => {
    assert.strictEqual(new Set(plans.map(({ mode }) => mode)).size, 3)
    const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
    assert.deepStrictEqual([...drawn].sort(), Object.keys(Plan.faults).sort() as Array<Plan.Kind>)
  })

  it("fills no disk where that can't be done", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { faults } = Plan.draw(Seeded.make(seed), { ...world, canFill: false })
      assert.isFalse(faults.some(({ kind }) => kind === "full"))
    }
  })
})

describe("Account", () => {
  const append = (item: string, outcome: History.Outcome): History.Operation => ({
    ...{ client: "c", key: "k", name: "append", input: item, output: null, call: 1, ret: 2 },
    outcome
  })

  it("has nothing to say when all is there once, and what is unknown at most once", () => {
    const operations = [append("a;", "ok"), append("b;", "unknown"), append("c;", "unknown"), append("d;", "failed")]
    assert.deepStrictEqual(Account.audit("k", operations, "a;c;"), [])
  })

  for (const [what, outcome, text, sentence] of [
    ["is lost", "ok", "", "LOST: a; of c in k was acknowledged and is not there."],
    ["was applied twice", "unknown", "a;a;", "APPLIED TWICE: a; of c in k is there 2 times."],
    [
      "was said not to be applied",
      "failed",
      "a;",
      "A FALSE FAILURE: a; of c in k was said not to be applied, and is there."
    ],
    ["was never asked for", "ok", "a;z;", "OUT OF NOWHERE: z; in k was never asked for."]
  ] as const) {
    it(`tells what ${what}`, () => {
      assert.deepStrictEqual(Account.audit("k", [append("a;", outcome)], text), [sentence])
    })
  }
})

describe("Diary", () => {
  it("keeps calls of which no outcome is known, and takes the last outcome", () => {
    const directory = mkdtempSync(join(tmpdir(), "synod-diary-"))
    const file = join(directory, "diary.jsonl")
    const diary = Diary.make(file, "c")
    const asked = { client: "c", key: "k", name: "append", input: "a;" }
    const first = diary.call(asked)
    diary.call(asked)
    diary.end(first, "ok", null)
    // A process that is killed may leave half a line.
    const operations = Diary.read(`${readFileSync(file, "utf8")}{"i":"c.1","ok":tr`)
    assert.deepStrictEqual(
      operations.map(({ outcome, ret }) => [outcome, ret !== null]),
      [
        ["ok", true],
        ["unknown", false]
      ]
    )
    rmSync(directory, { recursive: true, force: true })
  })
})

describe("Network", () => {
  it.scopedLive("cuts one direction and not the other, and loses nothing when it is healed", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const { port, say } = yield* server((text) => heard.push(text))
      const network = yield* Network.make(["c"], new Map([[1, port]]))
      const told: Array<string> = []
      const client = Net.createConnection({ host: "127.0.0.1", port: network.port("c", 1) })
      client.on("error", () => undefined)
      client.on("data", (bytes) => told.push(bytes.toString()))
      yield* Effect.addFinalizer(() => Effect.sync(() => client.destroy()))
      client.write("one")
      yield* until(() => heard.join("") === "one")
      yield* network.cut("c", 1)
      client.write("two")
      say("back")
      yield* until(() => told.join("") === "back")
      assert.strictEqual(heard.join(""), "one")
      yield* network.heal
      yield* until(() => heard.join("") === "onetwo")
      yield* network.cut(1, "c")
      say("!")
      client.write("three")
      yield* until(() => heard.join("") === "onetwothree")
      assert.strictEqual(told.join(""), "back")
      const closed = new Promise((resolve) => client.once("close", resolve))
      yield* network.reset("c", 1)
      yield* Effect.promise(() => closed)
    })
  )
})

// Fixtures

const server = (heard: (text: string) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly say: (text: string) => void; readonly close: () => void }>(
      (resume) => {
        const sockets = new Set<Net.Socket>()
        const server = Net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => undefined)
          socket.on("data", (bytes) => heard(bytes.toString()))
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as Net.AddressInfo
          const say = (text: string) => sockets.forEach((socket) => socket.write(text))
          const close = () => {
            server.close()
            sockets.forEach((socket) => socket.destroy())
          }
          resume(Effect.succeed({ port, say, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

/** Waits until something holds, at most 20 seconds. */
const until = (holds: () => boolean) =>
  Effect.repeat(Effect.sync(holds), { until: (now) => now, schedule: Schedule.spaced("10 millis") }).pipe(
    Effect.timeoutFail({ duration: "20 seconds", onTimeout: () => "waited in vain" }),
    Effect.orDie
  )
