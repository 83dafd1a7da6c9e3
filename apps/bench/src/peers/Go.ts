/**
 * The benchmark's programs in Go, which are built when they are needed: from the sources of this app and Debian's packages of sources, so
 * that nothing is fetched.
 */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { SystemFailed } from "../System.js"
import { installed } from "./Installed.js"

export type Program = "raft" | "etcd"

/** Where Debian has sources of others. */
const others = "/usr/share/gocode"

/** What each program imports, and the package that has it. */
const imports: Readonly<Record<Program, Readonly<Record<string, string>>>> = {
  raft: {
    "github.com/hashicorp/raft": "golang-github-hashicorp-raft-dev",
    "github.com/hashicorp/raft-boltdb": "golang-github-hashicorp-raft-boltdb-dev"
  },
  etcd: { "go.etcd.io/etcd/clientv3": "golang-etcd-server-dev" }
}

/** Nothing if the program can be built; otherwise a sentence that says what to install. */
export const lacks = (system: string, program: Program): string | undefined => {
  const packages = ["golang-go", ...Object.values(imports[program])]
  return [
    installed(system, "go", ...packages),
    ...Object.keys(imports[program]).map((path) => installed(system, Path.join(others, "src", path), ...packages))
  ].find((lacking) => lacking !== undefined)
}

const sources = fileURLToPath(new URL("../../go", import.meta.url))
const programs = fileURLToPath(new URL("../go", import.meta.url))

/** The file of a program, built if its sources are newer. The first time it takes a minute. */
export const build = (program: Program): Effect.Effect<string, SystemFailed> => {
  const file = Path.join(programs, program)
  return Effect.tryPromise({
    try: async () => {
      const env = { ...process.env, GO111MODULE: "off", GOPATH: [sources, others].join(Path.delimiter), GOFLAGS: "" }
      Fs.mkdirSync(programs, { recursive: true })
      await promisify(execFile)("go", ["build", "-o", file, `bench/${program}`], { env })
      return file
    },
    catch: (error) =>
      new SystemFailed({
        system: `the program in Go for ${program}`,
        reason: error instanceof Error ? error.message : String(error)
      })
  })
}
