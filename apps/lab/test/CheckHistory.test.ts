import { Command } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, describe, it, vi } from "vitest"
import * as CheckHistory from "../src/CheckHistory.js"

const histories = fileURLToPath(new URL("histories", import.meta.url))
const stale = join(histories, "stale-read.jsonl")
const letters = join(histories, "queue-of-letters.jsonl")
const verdicts = join(histories, "verdicts.tsv")
const folder = mkdtempSync(join(tmpdir(), "synod-histories-"))

/** What the command prints, and the exit code that it asks for. */
const run = async (...args: ReadonlyArray<string>) => {
  const said: Array<string> = []
  const say = (line: string) => void said.push(line)
  vi.spyOn(console, "log").mockImplementation(say)
  vi.spyOn(console, "error").mockImplementation(say)
  const main = Command.run(CheckHistory.command, { name: "check-history", version: "0" })
  await Effect.runPromise(
    main(["node", "check-history", "--html", folder, ...args]).pipe(Effect.provide(NodeContext.layer))
  )
  return { code: process.exitCode, text: said.join("\n") }
}

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  rmSync(folder, { recursive: true, force: true })
})

describe("check-history", () => {
  it("ends with 0 when all are linearizable", async () => {
    const { code, text } = await run(letters)
    assert.strictEqual(code, 0)
    assert.match(text, /^Ok +\d+\.\d\d s +3 operations .*queue-of-letters\.jsonl \(append\)/)
  })

  it("ends with 1 when one is not, and draws it", async () => {
    const { code, text } = await run(letters, stale)
    assert.strictEqual(code, 1)
    assert.match(text, /► 3 .* read → "old"/)
    const page = /The picture with all that came before: (.*)/.exec(text)?.[1]
    assert.include(readFileSync(page!, "utf8"), "<!doctype html>")
  })

  it("compares with expected verdicts, and then only a difference is an error", async () => {
    const { code, text } = await run("--verdicts", verdicts)
    assert.strictEqual(code, 0)
    assert.include(text, "2 of 2 verdicts match.")
    const wrong = await run("--verdicts", verdicts, "--initial", '"z"', letters)
    assert.strictEqual(wrong.code, 1)
    assert.include(wrong.text, "Illegal, expected Ok")
  })

  it("ends with 2 for what it can't use, in one sentence", async () => {
    const broken = join(tmpdir(), "synod-broken.jsonl")
    writeFileSync(broken, "{}\n")
    for (const [args, message] of [
      [[], "Expected the name of at least one file"],
      [["no-such.jsonl"], "no-such.jsonl can't be read"],
      [[broken], "line 1: expected the client"],
      [["--model", "lock", letters], "expected those of lock (acquire, release)"],
      [["--initial", "{", letters], "--initial is {: expected JSON"],
      [["--verdicts", stale], "line 1: expected file, model"],
      [["--verdicts", verdicts, broken], "has no verdict for"]
    ] as const) {
      const { code, text } = await run(...args)
      assert.strictEqual(code, 2, message)
      assert.include(text, message)
    }
    rmSync(broken)
  })
})
