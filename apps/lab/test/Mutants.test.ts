import { Command } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { afterEach, assert, describe, it, vi } from "vitest"
import * as MutantRun from "../src/MutantRun.js"
import { all } from "../src/mutants/All.js"
import type { Mutant } from "../src/mutants/Mutant.js"
import * as Mutants from "../src/Mutants.js"
import { modulesOf } from "../src/Mutation.js"

const named = (name: string): Mutant => all.find((mutant) => mutant.name === name)!

describe("mutants", () => {
  it("have names of their own", () => {
    assert.strictEqual(new Set(all.map(({ name }) => name)).size, all.length)
  })

  it("are those that the README lists, in its words", () => {
    const readme = readFileSync(new URL("../../../packages/simulator/README.md", import.meta.url), "utf8")
    const [, section = ""] = readme.split("\n## Mutants\n")
    const listed = section.split("\n").filter((line) => line.startsWith("| `"))
    assert.deepStrictEqual(
      listed,
      all.map(({ bug, name, tier }) => `| \`${name}\` | ${bug} | ${tier} |`)
    )
  })

  for (const mutant of all) {
    it(`fit the sources as they are: ${mutant.name}`, () => {
      for (const { find, replace } of mutant.edits) assert.notStrictEqual(find, replace)
      const modules = Effect.runSync(modulesOf(mutant))
      assert.isAtLeast(modules.length, 1)
      for (const { url } of modules) assert.match(url, /^file:.*\/packages\/[a-z-]+\/dist\/.*\.js$/)
    })
  }

  it("that don't fit are refused, with their name and the file", () => {
    const file = "packages/paxos/src/Acceptor.ts"
    for (const [find, times] of [
      ["no such text", 0],
      ["reject(self, message.ballot)", 4]
    ] as const) {
      const mutant: Mutant = { ...named("gap-accepted"), edits: [{ file, find, replace: "" }] }
      const error = Effect.runSync(Effect.flip(modulesOf(mutant)))
      assert.include(error.message, `gap-accepted changes a text that must stand in ${file} once`)
      assert.include(error.message, `stands there ${times} times`)
    }
  })

  it("that can't be loaded are told, and not taken for caught", async () => {
    const [edit] = named("any-log-adopted").edits
    const load = MutantRun.load({ ...named("any-log-adopted"), edits: [{ ...edit!, replace: "}}} " }] })
    const error = await Effect.runPromise(
      Effect.flip(Effect.flatMap(load, (loaded) => MutantRun.run(loaded, () => {})))
    )
    assert.include(error.message, "The process that ran the mutant any-log-adopted ended by itself")
  })

  for (const [name, ...properties] of [
    ["accepted-spoken-before-durable", "durable before spoken"],
    ["old-message-truncates", "no log shrinks"],
    // Whichever comes first: a replica that restores it, or two that compare.
    ["sessions-lost-with-snapshot", "snapshots are whole", "equal digests"]
  ] as const) {
    it(`are caught: ${name}`, async () => {
      const verdict = await Effect.runPromise(
        Effect.flatMap(MutantRun.load(named(name)), (loaded) => MutantRun.run(loaded, () => {}))
      )
      assert.include(properties, verdict.found?.property)
    })
  }
})

describe("the command", () => {
  afterEach(() => {
    vi.restoreAllMocks()
    process.exitCode = undefined
  })

  const run = (...args: ReadonlyArray<string>) => {
    const main = Command.run(Mutants.command, { name: "mutants", version: "0" })
    return Effect.runPromise(Effect.either(main(["node", "mutants", ...args])).pipe(Effect.provide(NodeContext.layer)))
  }

  it("ends well when all are caught, and the product as it is passes their seeds", async () => {
    const said: Array<string> = []
    vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line))
    vi.spyOn(console, "error").mockImplementation(() => {})
    assert.strictEqual((await run("any-log-adopted"))._tag, "Right")
    assert.match(said.join("\n"), /\| any-log-adopted +\| core +\| \d+ +\| \w/)
    assert.include(said.join("\n"), "mutants 1, survivors 0")
    assert.isUndefined(process.exitCode)
  })

  it("refuses a name that no mutant has", async () => {
    const outcome = await run("no-such")
    assert.strictEqual(outcome._tag, "Left")
    assert.include(JSON.stringify(outcome), "There is no mutant no-such")
  })
})
