/**
 * The packages would publish as they are: what a package promises in its package.json is in the archive that npm would
 * upload, and loads in plain Node. Runs on what was built.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { describe, expect, it } from "vitest"
import { root, run, runNode } from "./process.js"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly description?: string
  readonly engines?: Record<string, string>
  readonly exports: Record<string, Record<string, string> | null>
  readonly dependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

const json = <A>(path: string): A => JSON.parse(readFileSync(join(root, path), "utf8")) as A

const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1))

const folders = readdirSync(join(root, "packages")).map((name) => `packages/${name}`)
const workspace = json<Manifest>("package.json")

describe.each(folders)("%s", (folder) => {
  const manifest = json<Manifest>(`${folder}/package.json`)
  const modules = files(`${folder}/src`).map((file) => file.replace(/\.ts$/, ""))

  it("describes itself", () => {
    expect(manifest.name).toBe(folder.replace("packages/", "@synod/"))
    expect(manifest.private).toBeUndefined()
    expect(manifest.license).toBe("MIT")
    expect(manifest.description).toMatch(/\w/)
    expect(manifest.engines).toEqual(workspace.engines)
  })

  it("leaves Effect to its user, so that there is one of it", () => {
    expect(manifest.peerDependencies).toHaveProperty("effect")
    expect(Object.keys(manifest.dependencies ?? {}).filter((name) => /^(@effect\/|effect$)/.test(name))).toEqual([])
  })

  it("names the packages of this repository that it imports, at their version, for npm and for the compiler", () => {
    const imported = new Set<string>()
    for (const module of modules) {
      const source = readFileSync(join(root, folder, "src", `${module}.ts`), "utf8")
      for (const [, name] of source.matchAll(/from "(@synod\/[\w-]+)/g)) if (name !== undefined) imported.add(name)
    }
    const named = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith("@synod/"))
    const referenced = json<{ references: ReadonlyArray<{ path: string }> }>(`${folder}/tsconfig.json`).references
    expect(named.map(([name]) => name).sort()).toEqual([...imported].sort())
    expect(named.map(([, version]) => version)).toEqual(named.map(() => manifest.version))
    expect(referenced.map(({ path }) => path.replace("../", "@synod/"))).toEqual(expect.arrayContaining([...imported]))
  })

  it("packs its sources, what they were built to, a README and the licence, and nothing else", async () => {
    const { output } = await run("npm", ["pack", "--dry-run", "--json", "--silent", "--ignore-scripts"], {
      cwd: join(root, folder)
    })
    const [archive] = JSON.parse(output) as ReadonlyArray<{ files: ReadonlyArray<{ path: string }> }>
    const built = modules.flatMap((module) =>
      [".js", ".js.map", ".d.ts", ".d.ts.map"].map((end) => `dist/${module}${end}`)
    )
    const expected = ["package.json", "LICENSE", "README.md", ...modules.map((module) => `src/${module}.ts`), ...built]
    expect(archive?.files.map(({ path }) => path).sort()).toEqual(expected.sort())
  })

  it("exports what exists", async () => {
    const { messages, pkg } = await publint({ pkgDir: join(root, folder), strict: true, pack: "npm" })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
    expect(manifest.exports["./internal/*"]).toBeNull()
  })

  it("loads in plain Node, module by module", async () => {
    const names = modules
      .filter((module) => !module.startsWith("internal/"))
      .map((module) => (module === "index" ? manifest.name : `${manifest.name}/${module}`))
    const script = `for (const name of ${JSON.stringify(names)}) await import(name)`
    expect(await runNode(["--input-type=module", "-e", script])).toEqual({ code: 0, output: "" })
  })

  it("hides its internals", async () => {
    const script = `await import("${manifest.name}/internal/anything")`
    const { output } = await runNode(["--input-type=module", "-e", script])
    expect(output).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED")
  })
})

describe("the workspace", () => {
  const members = ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((member) => existsSync(join(root, member, "package.json")))

  it("compiles every member and its tests", () => {
    const { references } = json<{ references: ReadonlyArray<{ path: string }> }>("tsconfig.json")
    const expected = [...members, ...members.map((member) => `${member}/test`), "test"]
    expect(references.map(({ path }) => path).sort()).toEqual(expected.sort())
  })

  it("locks what the members ask for, and names no registry", () => {
    const { packages } = json<{ packages: Record<string, Partial<Manifest> & { resolved?: string; link?: true }> }>(
      "package-lock.json"
    )
    for (const member of [...members, "test"]) {
      const { dependencies, peerDependencies } = json<Manifest>(`${member}/package.json`)
      const locked = packages[member]
      expect({ member, dependencies: locked?.dependencies, peerDependencies: locked?.peerDependencies }).toEqual({
        member,
        dependencies,
        peerDependencies
      })
    }
    const located = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined && entry.link !== true)
    expect(located).toEqual([])
  })

  it("shows its rooms and nothing else", async ({ skip }) => {
    const { code, output } = await run("git", ["ls-files"])
    skip(code !== 0, "not a git checkout")
    const visible = new Set(
      output
        .split("\n")
        .map((file) => file.split("/")[0] ?? "")
        .filter((name) => /^[^.]/.test(name))
    )
    const rooms = ["packages", "apps", "test", "package.json", "package-lock.json", "tsconfig.json", "turbo.json"]
    expect([...visible].sort()).toEqual([...rooms, "README.md", "LICENSE", "CHANGELOG.md"].sort())
  })
})
