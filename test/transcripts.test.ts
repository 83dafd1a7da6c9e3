/**
 * The scenarios of the lectures, as text: what the protocol does now must be what the files say, byte for byte.
 */
import { Transcript } from "@synod/simulator"
import { Either } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, expect, it } from "vitest"

const folder = fileURLToPath(new URL("transcripts/", import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"))
const isWriting = process.env["SYNOD_WRITE_TRANSCRIPTS"] === "1"

describe("transcripts", () => {
  it.each(names)("%s", (name) => {
    const text = readFileSync(folder + name, "utf8")
    const [story] = text.split("\n>")
    assert.match(story!, /^# [A-Z]\d: .+\n#\n(# .+\n){3,}$/, "it begins with its name and a few sentences")
    const commands = text.split("\n").filter((line) => line.startsWith(">"))
    assert.match(commands[commands.length - 1]!, /^> expect /, "it ends in a statement")
    const told = Either.getOrThrowWith(Transcript.run(text), ({ message }) => new Error(message))
    if (isWriting) writeFileSync(folder + name, told)
    else expect(told, "`npm run transcripts -- --write` writes it anew, for you to read the difference").toBe(text)
  })

  it("are all that the lectures tell", () => {
    const scenarios = names.map((name) => name.split("-")[0])
    const lectures = ["H1", "H2", "H3", "H4", "H5", "H6", "K1", "L1", "L2", "L3", "L4", "L5", "R1"]
    assert.deepStrictEqual(scenarios, lectures)
  })
})
