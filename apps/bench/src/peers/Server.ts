/**
 * A server of another system: a process that a worker of ours keeps, so that it ends with the benchmark however that ends.
 */
import { Effect, Schema, type Scope } from "effect"
import * as Fs from "node:fs"
import type { SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"

export const Settings = Schema.Struct({
  /** The program, and what it is told. */
  command: Schema.String,
  args: Schema.Array(Schema.String),
  /** The directory it runs in. What it says goes to `server.log` there. */
  directory: Schema.String
})

export type Settings = typeof Settings.Type

export interface Server {
  /** Its process, by its number. */
  readonly pid: number
  /** Kills it as the system would; it is gone then. */
  readonly kill: Effect.Effect<void, SystemFailed>
}

export const start = (system: string, settings: Settings): Effect.Effect<Server, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    Fs.mkdirSync(settings.directory, { recursive: true })
    const worker = yield* Worker.start({ system, program: "peers/keeper", settings, profiles: undefined })
    return {
      pid: yield* Effect.flatMap(worker.ask("pid"), Worker.decode(Schema.Int)),
      kill: Effect.asVoid(worker.ask("kill"))
    }
  })
