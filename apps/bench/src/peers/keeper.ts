/** The process that starts another system's server, and ends it when the benchmark goes, however that ends. */
import { Schema } from "effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Worker from "../Worker.js"
import { Settings } from "./Server.js"

const { args, command, directory } = Schema.decodeUnknownSync(Settings)(Worker.settings())

/** So much of what a server said last is shown when it has ended by itself, in characters. */
const lastWords = 2000

const file = Path.join(directory, "server.log")
const log = Fs.openSync(file, "a")
const server = spawn(command, args, { cwd: directory, stdio: ["ignore", log, log] })

process.on("disconnect", () => server.kill("SIGKILL"))
server.on("error", ({ message }) => {
  console.error(`${command} can't be started: ${message}`)
  process.exit(1)
})
let killed = false
server.on("exit", () => {
  if (killed) return
  if (process.connected) console.error(`${command} has ended: ${Fs.readFileSync(file, "utf8").slice(-lastWords)}`)
  process.exit(1)
})
Worker.serve({
  pid: () => Promise.resolve(server.pid),
  kill: () =>
    new Promise<void>((resolve) => {
      killed = true
      server.once("exit", () => resolve())
      server.kill("SIGKILL")
    })
})
