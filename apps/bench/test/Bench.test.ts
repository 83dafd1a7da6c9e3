import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** Built by the gate's types stage, which comes before the tests. */
const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

const bench = (args: ReadonlyArray<string>) => promisify(execFile)(process.execPath, [bin, ...args])

const Saved = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({
      client: Schema.String,
      operation: Schema.String,
      system: Schema.String,
      commandsPerSecond: Schema.Positive,
      p50Millis: Schema.Positive,
      p99Millis: Schema.Positive
    })
  )
})

const withDirectory = async (use: (directory: string) => Promise<void>) => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "synod-bench-test-"))
  try {
    await use(directory)
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

describe("bench", () => {
  it("restarts, floods, kills and brings back replicas", { timeout: 180_000 }, () =>
    withDirectory(async (out) => {
      const studies = ["--restart", "--overload", "--failover", "--cold-restart", "--catch-up", "--systems", "synod"]
      const smallest = ["--commands", "2000", "--seconds", "0.3", "--runs", "1", "--quick", "--out", out]
      const { stderr, stdout } = await bench([...studies, ...smallest])
      assert.match(stdout, /\nmedian [\d.]+ s, longest [\d.]+ s after [\d,]+ commands/)
      assert.match(stderr, /is up to slot \d+, from the first slot, after/)
      assert.match(stdout, /\n\d+ % of the peak of [\d,]+ commands\/s when [\d.]+ times as much is asked for/)
      assert.match(stdout, /led and was killed; the next command was answered after \d+ ms/)
      assert.match(stdout, /a command was answered after \d+ ms\n\nsynod: median \d+ ms/)
      assert.match(stdout, /\nthroughput while a replica catches up, of that before: \d+ % by entries/)
      assert.include(Fs.readFileSync(Path.join(out, "failover.svg"), "utf8"), ">synod<")
    })
  )

  it("measures both systems from both clients, and shows the figures", { timeout: 120_000 }, () =>
    withDirectory(async (out) => {
      const which = ["--peers", "--systems", "bare-limit,synod", "--out", out]
      const { stdout } = await bench([...which, "--in-flight", "8", "--seconds", "0.3", "--runs", "1"])
      const text = Fs.readFileSync(Path.join(out, "results.json"), "utf8")
      const { rows } = Schema.decodeUnknownSync(Schema.parseJson(Saved))(text)
      assert.deepStrictEqual(
        rows.map(({ client, operation, system }) => [client, operation, system]),
        [
          ["embedded", "put", "bare limit"],
          ["embedded", "put", "synod"],
          ["embedded", "get", "synod"],
          ["remote", "put", "bare limit"],
          ["remote", "put", "synod"],
          ["remote", "get", "synod"]
        ]
      )
      for (const { commandsPerSecond } of rows) {
        assert.include(stdout, Math.round(commandsPerSecond).toLocaleString("en"), "the table shows the saved figures")
      }
      const curves = Fs.readFileSync(Path.join(out, "throughput-latency.svg"), "utf8")
      assert.include(curves, "linearizable reads, callers in a process of their own")
    })
  )

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
