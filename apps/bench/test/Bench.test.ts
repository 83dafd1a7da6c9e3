import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Measured } from "../src/Benchmark.js"
import * as Report from "../src/Report.js"

/** Built by the gate's types stage, which comes before the tests. */
const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

const bench = (args: ReadonlyArray<string>) => promisify(execFile)(process.execPath, [bin, ...args])

const Saved = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({
      client: Schema.String,
      inFlight: Schema.Int,
      system: Schema.String,
      commandsPerSecond: Schema.Positive,
      p50Millis: Schema.Positive,
      p99Millis: Schema.Positive,
      ofLimit: Schema.Positive
    })
  )
})

describe("bench", () => {
  it("kills the leader, and floods the replicas", { timeout: 90_000 }, async () => {
    const failover = await bench(["--failover", "--runs", "1"])
    assert.match(failover.stdout, /\nmedian \d+ ms, longest \d+ ms\n$/)
    const overload = await bench(["--overload", "--seconds", "1"])
    assert.match(overload.stdout, /\n\d+ % of the peak of [\d,]+ commands\/s when [\d.]+ times as much is asked for/)
  })

  it("restarts a replica, and has one catch up", { timeout: 120_000 }, async () => {
    const restart = await bench(["--restart", "--commands", "2000", "--runs", "1"])
    assert.match(restart.stdout, /\nmedian [\d.]+ s, longest [\d.]+ s after [\d,]+ commands/)
    assert.match(restart.stderr, /is up to slot \d+, from the first slot, after/)
    const catchUp = await bench(["--catch-up", "--quick"])
    assert.match(catchUp.stdout, /\nthroughput while a replica catches up, of that before: \d+ % by entries/)
  })

  it("measures both systems from both clients, and shows the figures", { timeout: 60_000 }, async () => {
    const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-bench-test-"))
    try {
      const json = Path.join(directory, "samples.json")
      const { stdout } = await bench(["--in-flight", "8", "--seconds", "0.5", "--runs", "1", "--json", json])
      const { rows } = Schema.decodeUnknownSync(Schema.parseJson(Saved))(Fs.readFileSync(json, "utf8"))
      assert.deepStrictEqual(
        rows.map(({ client, inFlight, system }) => [client, inFlight, system]),
        [
          ["embedded", 8, "bare limit"],
          ["embedded", 8, "synod"],
          ["remote", 8, "bare limit"],
          ["remote", 8, "synod"]
        ]
      )
      for (const { commandsPerSecond } of rows) {
        assert.include(stdout, Math.round(commandsPerSecond).toLocaleString("en"), "the table shows the saved figures")
      }
    } finally {
      Fs.rmSync(directory, { recursive: true, force: true })
    }
  })

  it("refuses options that can't be, in a sentence and with exit code 1", async () => {
    const failure = await bench(["--in-flight", "none"]).then(
      () => assert.fail("it accepted the option"),
      (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error
    )
    assert.strictEqual(failure.code, 1)
    assert.include(failure.stdout + failure.stderr, "in-flight")
    assert.notInclude(failure.stdout + failure.stderr, "    at ", "no stack trace")
  })
})

describe("Report", () => {
  const sample = (system: string, run: number, commandsPerSecond: number): Measured => ({
    system,
    client: "remote",
    inFlight: 16,
    run,
    commandsPerSecond,
    p50Millis: run,
    p99Millis: 10 * run
  })

  it("takes medians over the runs and shares of the limit", () => {
    const measured = [
      ...[900, 1000, 5000].map((rate, i) => sample("limit", i + 1, rate)),
      ...[400, 100, 500].map((rate, i) => sample("other", i + 1, rate))
    ]
    const [limit, other] = Report.rows(measured, "limit")
    assert.strictEqual(limit?.commandsPerSecond, 1000)
    assert.strictEqual(limit?.ofLimit, 1)
    assert.strictEqual(other?.commandsPerSecond, 400)
    assert.strictEqual(other?.ofLimit, 0.4)
    assert.strictEqual(other?.p50Millis, 2)
    assert.strictEqual(other?.p99Millis, 20)
  })

  it("takes the mean of the middle two of an even number", () => {
    assert.strictEqual(Report.median([4, 1, 3, 2]), 2.5)
  })
})
