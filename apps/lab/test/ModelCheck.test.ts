import { Command } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { afterEach, assert, describe, it, vi } from "vitest"
import * as ModelCheck from "../src/ModelCheck.js"

/** What the command prints, and the exit code that it asks for. */
const run = async (...args: ReadonlyArray<string>) => {
  const said: Array<string> = []
  const say = (line: string) => void said.push(line)
  vi.spyOn(console, "log").mockImplementation(say)
  vi.spyOn(console, "error").mockImplementation(say)
  const main = Command.run(ModelCheck.command, { name: "model-check", version: "0" })
  await Effect.runPromise(main(["node", "model-check", ...args]).pipe(Effect.provide(NodeContext.layer)))
  return { code: process.exitCode, text: said.join("\n") }
}

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

describe("model-check", () => {
  it("ends with 0 when all was seen and nothing failed", async () => {
    const { code, text } = await run("--model", "reference")
    assert.strictEqual(code, 0)
    assert.match(text, /265 distinct states, .*exhausted.* states\/s, \d+ MiB\nfailures 0$/)
  })

  it("ends with 1 when a bound kept it from what it was to see", async () => {
    const { code, text } = await run("--model", "core", "--states", "100")
    assert.strictEqual(code, 1)
    assert.include(text, "100 distinct states")
    assert.include(text, "cut by the bound on states")
    assert.include(text, '"slot 1 is chosen" was to hold in some state, and held in none that was seen')
  })

  it("bounds the core as it is told", async () => {
    const { text } = await run("--model", "core", "--depth", "4", "--slots", "1", "--crashes", "0", "--ticks", "1")
    assert.include(text, "rounds 1, slots 1, pipeline 1, crashes 0, ticks 1")
    assert.include(text, "cut by the bound on depth")
  })
})
