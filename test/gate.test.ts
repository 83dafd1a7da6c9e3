/**
 * A check that cannot fail checks nothing: each stage of the gate is shown something wrong here, and has to refuse it.
 */
import { ESLint } from "eslint"
import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { folderWith, root, runNode } from "./process.js"

describe("lint", () => {
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: join(root, ".config/eslint.config.js"),
    // In CI the parser would take each file as it is on disk, and not the text given here.
    overrideConfig: {
      files: ["**/*.ts"],
      languageOptions: { parserOptions: { disallowAutomaticSingleRunInference: true } }
    }
  })

  /** The rules that refuse `text` as the content of a file that is there. */
  const refusals = async (file: string, text: string): Promise<ReadonlyArray<string>> => {
    const results = await eslint.lintText(text, { filePath: join(root, file) })
    return results.flatMap((result) => result.messages.map((message) => message.ruleId ?? message.message))
  }

  const protocol = "packages/paxos/src/Slot.ts"
  const library = "packages/journal/src/Journal.ts"
  const machine = "packages/state-machine/src/StateMachine.ts"

  it.each([
    ["an effect", `import * as Effect from "effect/Effect"\nexport const x = Effect.void\n`],
    ["a layer", `import * as Layer from "effect/Layer"\nexport const x = Layer.empty\n`],
    ["a clock", `import { currentTimeMillis } from "effect/Clock"\nexport const x = currentTimeMillis\n`],
    ["dice", `import * as Random from "effect/Random"\nexport const x = Random.next\n`],
    ["the barrel", `import { Option } from "effect"\nexport const x = Option.none()\n`],
    ["a module of Node", `import { hostname } from "node:os"\nexport const x = hostname()\n`],
    ["a module of Node by its old name", `import { hostname } from "os"\nexport const x = hostname()\n`],
    ["another package", `import { decode } from "msgpackr"\nexport const x = decode\n`],
    ["a file of another package", `import { Journal } from "../../journal/src/Journal.js"\nexport const x = Journal\n`],
    ["a type alone", `import type { Effect } from "effect/Effect"\nexport type X = Effect<void>\n`],
    ["an export of all", `export * from "effect/Effect"\n`]
  ])("keeps %s out of paxos", async (_, text) => {
    expect(await refusals(protocol, text)).toEqual(["no-restricted-imports"])
  })

  it("lets paxos import data", async () => {
    const text = `import * as Option from "effect/Option"\nimport { zero } from "./Slot.js"\nexport const x = Option.some(zero)\n`
    expect(await refusals(protocol, text)).toEqual([])
  })

  it.each([
    ["no-restricted-globals", "Date.now()"],
    ["no-restricted-globals", "new Date()"],
    ["no-restricted-properties", "globalThis.Date"],
    ["no-restricted-globals", "performance.now()"],
    ["no-restricted-properties", "Math.random()"],
    ["no-restricted-globals", "setTimeout(() => {}, 1)"],
    ["no-restricted-properties", "globalThis.setTimeout(() => {}, 1)"],
    ["no-restricted-globals", "setInterval(() => {}, 1)"],
    ["no-restricted-globals", "crypto.randomUUID()"],
    ["no-restricted-properties", "globalThis.crypto.randomUUID()"]
  ])("%s refuses %s in every package", async (rule, expression) => {
    for (const file of [protocol, library, machine]) {
      expect(await refusals(file, `export const x = ${expression}\n`), file).toEqual([rule])
    }
  })

  it.each([
    ["no-restricted-imports", "randomUUID", library, `export { randomUUID } from "node:crypto"\n`],
    ["no-restricted-imports", "Node's timers", library, `export { setTimeout } from "node:timers/promises"\n`],
    ["no-restricted-imports", "the barrel", library, `import { Effect } from "effect"\nexport const x = Effect.void\n`],
    ["no-restricted-imports", "Node in a state machine", machine, `export { join } from "node:path"\n`],
    ["no-console", "console.log", library, `export const x = console.log("here")\n`],
    ["no-warning-comments", "work left for later", library, `// TODO later\nexport const x = 1\n`],
    ["no-restricted-syntax", "as any", library, `export const x = 1 as any\n`],
    ["@typescript-eslint/no-floating-promises", "a lost promise", library, `Promise.resolve(1)\nexport const x = 1\n`],
    [
      "@typescript-eslint/consistent-type-imports",
      "an import of types that looks like one of values",
      library,
      `import { Slot } from "@synod/paxos/Slot"\nexport type X = Slot\n`
    ]
  ])("%s refuses %s", async (rule, _, file, text) => {
    expect(await refusals(file, text)).toEqual([rule])
  })
})

describe("floors", () => {
  const depcruise = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs")

  /** Lays out packages and apps by their sources and answers what is refused, as `rule: file`. */
  const refusals = async (files: Record<string, string>) => {
    const names = [...new Set(Object.keys(files).map((path) => path.split("/").slice(0, 2).join("/")))]
    const manifests = names.map((name) => [
      `${name}/package.json`,
      JSON.stringify({
        name: name.replace(/^\w+/, "@synod"),
        type: "module",
        exports: { ".": { source: "./src/index.ts" }, "./*": { source: "./src/*.ts" }, "./internal/*": null }
      })
    ])
    const folder = folderWith({ ...files, ...Object.fromEntries(manifests) }, ["effect"])
    mkdirSync(join(folder, "node_modules/@synod"))
    for (const name of names)
      symlinkSync(join(folder, name), join(folder, "node_modules", name.replace(/^\w+/, "@synod")))
    const { code, output } = await runNode(
      [depcruise, "--config", join(root, ".config/floors.cjs"), "packages", "apps"],
      { cwd: folder }
    )
    const refused = [...output.matchAll(/^ +error ([\w-]+): ([\w/.-]+)/gm)].map(([, rule, file]) => `${rule}: ${file}`)
    return { code, refused: refused.sort() }
  }

  const x = "export const x = 1\n"
  const from = (name: string) => `export { x } from "${name}"\n`

  it("let a package import from below", async () => {
    const { code, refused } = await refusals({
      "packages/paxos/src/index.ts": from("./x.js"),
      "packages/paxos/src/x.ts": x,
      "packages/journal/src/index.ts": from("@synod/paxos/x"),
      "packages/replica/src/index.ts": from("@synod/journal"),
      "apps/demo/src/index.ts": from("@synod/replica")
    })
    expect(refused).toEqual([])
    expect(code).toBe(0)
  })

  it("refuse every other import", async () => {
    const { code, refused } = await refusals({
      "packages/paxos/src/index.ts": x,
      "packages/paxos/src/internal/x.ts": x,
      "packages/paxos/src/upwards.ts": from("@synod/journal"),
      "packages/paxos/src/circle.ts": from("./round.js"),
      "packages/paxos/src/round.ts": from("./circle.js"),
      "packages/paxos/src/tested.ts": from("../test/x.js"),
      "packages/paxos/test/x.ts": x,
      "packages/journal/src/index.ts": x,
      "packages/journal/src/typesUpwards.ts": `import type { X } from "@synod/client"\nexport type Y = X\n`,
      "packages/journal/src/sideways.ts": from("@synod/wire"),
      "packages/journal/src/byPath.ts": from("../../paxos/src/index.js"),
      "packages/journal/src/internals.ts": from("@synod/paxos/internal/x"),
      "packages/journal/src/undeclared.ts": `export { none } from "effect/Option"\n`,
      "packages/journal/src/fromAnApp.ts": from("@synod/demo"),
      "packages/wire/src/index.ts": x,
      "packages/client/src/index.ts": "export type X = 1\n",
      "packages/attic/src/index.ts": from("@synod/paxos"),
      "apps/demo/src/index.ts": x,
      "apps/other/src/index.ts": from("@synod/demo")
    })
    expect(refused).toEqual([
      "apps-are-apart: apps/other/src/index.ts",
      "apps-are-the-top: packages/journal/src/fromAnApp.ts",
      "declared: packages/journal/src/undeclared.ts",
      "every-package-has-a-floor: packages/attic/src/index.ts",
      "floor-0: packages/paxos/src/upwards.ts",
      "floor-1: packages/journal/src/sideways.ts",
      "floor-1: packages/journal/src/typesUpwards.ts",
      "no-circle: packages/paxos/src/circle.ts",
      "resolvable: packages/journal/src/internals.ts",
      "sources-need-no-tests: packages/paxos/src/tested.ts",
      "through-the-front-door: packages/journal/src/byPath.ts"
    ])
    expect(code).toBe(refused.length)
  })
})

describe("types", () => {
  it("reports Effect's diagnostics as errors", async () => {
    const folder = folderWith(
      {
        "package.json": `{ "type": "module" }`,
        "tsconfig.json": JSON.stringify({
          extends: join(root, "tsconfig.json"),
          files: ["a.ts"],
          compilerOptions: { types: ["node"] }
        }),
        "a.ts": [
          `import * as Effect from "effect/Effect"`,
          `export const now = () => Date.now()`,
          `export const dice = () => Math.random()`,
          `export const wait = Effect.gen(function* () {`,
          `  Effect.log("lost")`,
          `  yield* Effect.sync(() => setTimeout(() => {}, 1))`,
          `  return Date.now()`,
          `})`
        ].join("\n")
      },
      ["@types/node", "effect"]
    )
    const { code, output } = await runNode([join(root, "node_modules/typescript/bin/tsc"), "-p", folder])
    const diagnostics = [...output.matchAll(/a\.ts\((\d+),.* error .*effect\((\w+?)(?:InEffect)?\)/g)].map(
      ([, line, rule]) => `${line}: ${rule}`
    )
    expect(diagnostics).toEqual([
      "2: globalDate",
      "3: globalRandom",
      "5: floatingEffect",
      "6: globalTimers",
      "7: globalDate"
    ])
    expect(code).toBeGreaterThan(0)
  })
})

describe("tests", () => {
  const vitest = join(root, "node_modules/vitest/vitest.mjs")
  const reporter = JSON.stringify(join(root, ".tools/counts-reporter.js"))

  const run = async (files: Record<string, string>) => {
    const config = `import Reporter from ${reporter}\nexport default { test: { reporters: [new Reporter()] } }\n`
    const folder = folderWith({ ...files, "package.json": `{ "type": "module" }`, "vitest.config.js": config }, [
      "vitest"
    ])
    const counts = join(folder, "counts.json")
    const { code } = await runNode([vitest, "run", "--root", folder], {
      env: { SYNOD_TEST_COUNTS: counts }
    })
    return { code, counts: JSON.parse(readFileSync(counts, "utf8")) as unknown }
  }

  const head = `import { afterAll, it } from "vitest"\n`

  it("counts what passed, failed and was skipped", async () => {
    const { code, counts } = await run({
      "a.test.js": `${head}it("a", () => {})\nit("b", () => { throw new Error("no") })\nit.skip("c", () => {})\n`
    })
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 1 })
    expect(code).toBe(1)
  })

  it("counts as failed what fails outside of a test", async () => {
    const { code, counts } = await run({
      "hook.test.js": `${head}it("a", () => {})\nafterAll(() => { throw new Error("no") })\n`,
      "load.test.js": `throw new Error("no")\n`,
      "late.test.js": `${head}it("a", () => { Promise.reject(new Error("no")) })\n`
    })
    expect(counts).toEqual({ passed: 2, failed: 3, skipped: 0 })
    expect(code).toBe(1)
  })
})

describe("commands", () => {
  it("refuse an old Node in one sentence", async () => {
    const folder = folderWith({
      "old.cjs": `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } })\n`
    })
    const { code, output } = await runNode(["--require", join(folder, "old.cjs"), ".tools/run.cjs", "test"])
    expect(output).toBe("Synod needs Node 20.15 or later, and this is Node 18.20.4.\n")
    expect(code).toBe(1)
  })
})
