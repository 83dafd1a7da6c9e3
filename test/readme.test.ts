import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))
const viteNode = join(dirname(fromVitest.resolve("vite-node/package.json")), "vite-node.mjs")

/** The first block of TypeScript below a heading of a README. */
const example = (heading: string, path = "README.md"): string => {
  const readme = readFileSync(join(root, path), "utf8")
  const section = readme.slice(readme.indexOf(`## ${heading}\n`))
  return /```ts\n([\s\S]*?)```/.exec(section)![1]!
}

/** What the compiler says to a file. */
const complaints = (file: string): ReadonlyArray<string> => {
  const configFile = join(root, ".config/tsconfig.test.json")
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(configFile, ts.sys.readFile).config,
    ts.sys,
    dirname(configFile),
    undefined,
    configFile
  )
  const program = ts.createProgram([file], { ...options, customConditions: ["source"] })
  const source = program.getSourceFile(file)!
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")
  )
}

describe("the README's machine", () => {
  const text = example("Your own machine")
  let directory: string
  let file: string

  beforeAll(() => {
    // Inside the workspace, so that packages resolve as they do for a user's file.
    mkdirSync(join(root, "test/.generated"), { recursive: true })
    directory = mkdtempSync(join(root, "test/.generated/readme-"))
    file = join(directory, "shop.ts")
    writeFileSync(file, text)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it("takes at most 40 lines", () => {
    assert.isAtMost(
      text
        .trimEnd()
        .split("\n")
        .filter((line) => line.trim() !== "").length,
      40
    )
  })

  it("type-checks as it stands", () => {
    assert.deepStrictEqual(complaints(file), [])
  })

  it("type-checks on tables too", () => {
    const ledger = join(directory, "ledger.ts")
    writeFileSync(ledger, example("Smallest use", "packages/sql-machine/README.md") + "\nvoid program\n")
    assert.deepStrictEqual(complaints(ledger), [])
  })

  it("runs as it stands, and finds its data when it runs again", () => {
    const run = () => {
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        [viteNode, "--config", join(root, ".config/vitest.config.ts"), file],
        { cwd: directory, encoding: "utf8", timeout: 25_000 }
      )
      assert.strictEqual(status, 0, stderr)
      return stdout.split("\n").filter((line) => /left$|^only/.test(line))
    }
    assert.deepStrictEqual(run(), ["1 left", "only 1"])
    assert.deepStrictEqual(run(), ["2 left"], "one lamp was left and three came, so that two can be bought twice")
  })
})
