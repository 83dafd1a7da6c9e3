/**
 * What a fresh clone needs before anything else can run: the dependencies, SQLite's binding, the build. Node's own
 * modules only, since this runs when nothing is installed.
 */
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))

export const say = (line) => console.log(line)

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/**
 * Runs a program in the root of the repository and answers its exit code (128 + n after signal n, as a shell does).
 *
 * Ctrl-C in a terminal reaches the program directly, as a member of the same process group; passing it on as well would
 * interrupt it twice, and the second time ends a program that is still closing its files. Without a terminal there is
 * nobody else to tell it.
 */
export const run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", ...options })
    const onInterrupt = () => {
      if (!process.stdin.isTTY) child.kill("SIGINT")
    }
    const onTerminate = () => child.kill("SIGTERM")
    process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate)
    const done = () => process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate)
    child.on("error", (error) => {
      done()
      reject(error)
    })
    child.on("exit", (code, signal) => {
      done()
      resolve(code ?? 128 + constants.signals[signal])
    })
  })

/** Runs a JavaScript file, by its path from the root, with this very Node. */
export const runNode = (file, args, options) => run(process.execPath, [join(root, file), ...args], options)

const npm = (args) => {
  const cli = process.env.npm_execpath
  return cli !== undefined && /\.c?js$/.test(cli)
    ? run(process.execPath, [cli, ...args])
    : run("npm", args, { shell: process.platform === "win32" })
}

/** Prints a sign of life now and then while something long goes on. */
const withSignsOfLife = async (what, work) => {
  const start = performance.now()
  const timer = setInterval(() => say(`  ${what}: ${Math.round((performance.now() - start) / 1000)} s so far`), 15_000)
  return work.finally(() => clearInterval(timer))
}

const readPackages = (file) => JSON.parse(readFileSync(join(root, file), "utf8")).packages

/**
 * Why the dependencies have to be installed, or `undefined` if what is there is what the lock file says. npm keeps a
 * list of what it installed; times of files say nothing after a checkout.
 */
const whyInstall = () => {
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return "Nothing is installed yet"
  const wanted = readPackages("package-lock.json")
  const installed = readPackages("node_modules/.package-lock.json")
  const differs = Object.entries(wanted).filter(([path, { version, optional, devOptional }]) => {
    const there = installed[path]
    if (!path.includes("node_modules/")) return false
    return there === undefined ? !optional && !devOptional : there.version !== version
  })
  if (differs.length === 0) return undefined
  return `${differs.length} installed ${differs.length === 1 ? "package differs" : "packages differ"} from the lock file`
}

const sqliteLoads = async () =>
  (await run(process.execPath, ["-e", `new (require("better-sqlite3"))(":memory:").close()`], { stdio: "ignore" })) ===
  0

const compilerHint = "it takes Python 3, make and a C++ compiler, and npm's output above says what was missing"

/** Installs what the lock file asks for, if it is not there yet. Answers whether all is in place. */
export const install = async () => {
  const why = whyInstall()
  if (why !== undefined) {
    const start = performance.now()
    say(`${why}: installing with \`npm ci\`. SQLite's binding is compiled from source where no binary of it can be`)
    say("downloaded; that part takes one to two minutes.")
    const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    const code = await withSignsOfLife("installing", npm(args))
    if (code !== 0) {
      say(`\`npm ci\` failed with exit code ${code}. If the binding could not be compiled: ${compilerHint}.`)
      return false
    }
    say(`Installed in ${seconds(start)}.`)
  }
  if (await sqliteLoads()) return true
  const start = performance.now()
  say(`SQLite's binding does not load in Node ${process.versions.node}: compiling it anew, one to two minutes.`)
  await withSignsOfLife("compiling", npm(["rebuild", "better-sqlite3", "--loglevel=error"]))
  if (await sqliteLoads()) {
    say(`Compiled in ${seconds(start)}.`)
    return true
  }
  say(`SQLite's binding (better-sqlite3) could not be compiled: ${compilerHint}.`)
  return false
}

/** The folders of the workspace that are built. */
export const members = () =>
  ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((member) => existsSync(join(root, member, "package.json")))

/** Removes what was built from sources that are gone: it could still be imported, and would be published. */
const removeOrphans = () => {
  for (const member of members()) {
    const dist = join(root, member, "dist")
    if (!existsSync(dist)) continue
    for (const file of readdirSync(dist, { recursive: true })) {
      const [, module] = /^(.+?)(?:\.d)?\.[jt]s(?:\.map)?$/.exec(file) ?? []
      if (module !== undefined && !existsSync(join(root, member, "src", `${module}.ts`))) rmSync(join(dist, file))
    }
  }
}

/** Compiles the projects named by their folders, and what they depend on, as far as they changed. */
export const compile = (projects) => {
  removeOrphans()
  return runNode("node_modules/typescript/bin/tsc", ["-b", ...projects])
}

/** Installs and builds what is missing, then runs an app's `dist/bin.js`. Answers its exit code. */
export const launch = async (app, args) => {
  if (!(await install())) return 1
  const start = performance.now()
  say(`Building the packages and ${app}, as far as they changed.`)
  const code = await compile([app])
  if (code !== 0) {
    say("The build failed: the compiler's errors are above.")
    return code
  }
  say(`Built in ${seconds(start)}.`)
  say("")
  return runNode(`${app}/dist/bin.js`, args)
}
