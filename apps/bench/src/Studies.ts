/**
 * What is looked at besides throughput. What concerns Synod alone, several of these in one command, shares its replicas, one after
 * another; every other system is started for its failover and its cold restart.
 */
import { Console, Effect, Option } from "effect"
import * as CatchUp from "./CatchUp.js"
import * as ColdRestart from "./ColdRestart.js"
import * as Directory from "./Directory.js"
import * as Failover from "./Failover.js"
import * as Followers from "./Followers.js"
import * as Overload from "./Overload.js"
import * as Restart from "./Restart.js"
import { launch, membersOf, Synod } from "./synod/Synod.js"
import type { Members, System } from "./System.js"

export interface Asked {
  readonly overload: boolean
  readonly failover: boolean
  readonly coldRestart: boolean
  readonly restart: boolean
  readonly catchUp: boolean
  readonly followers: boolean
  /** With `restart` and `coldRestart`: how many, unless otherwise said there. */
  readonly commands: Option.Option<number>
  readonly quick: boolean
  readonly seconds: Option.Option<number>
  readonly runs: Option.Option<number>
}

export interface Found {
  readonly failovers: ReadonlyArray<Failover.Failover>
  readonly coldRestarts: ReadonlyArray<ColdRestart.ColdRestart>
  /** Of the throughput before, while a replica catches up by entries; if that was looked at. */
  readonly catchUp: number | undefined
}

const ofSynod = ({ catchUp, followers, overload, restart }: Asked): boolean =>
  overload || restart || catchUp || followers

export const asked = (options: Asked): boolean => options.failover || options.coldRestart || ofSynod(options)

export const run = (options: Asked, systems: ReadonlyArray<System>) =>
  Effect.gen(function* () {
    const { catchUp, commands, coldRestart, failover, followers, overload, quick, restart } = options
    const runs = (otherwise: number) => Option.getOrElse(options.runs, () => otherwise)
    const seconds = (otherwise: number) => Option.getOrElse(options.seconds, () => otherwise)
    const failovers: Array<Failover.Failover> = []
    const coldRestarts: Array<ColdRestart.ColdRestart> = []
    const recover = (name: string, members: Members) =>
      Effect.gen(function* () {
        if (failover) failovers.push(yield* Failover.run(name, members, runs(quick ? 1 : 9)))
        if (!coldRestart) return
        const entries = Option.getOrElse(commands, () => (quick ? 20_000 : 100_000))
        coldRestarts.push(yield* ColdRestart.run(name, members, { entries, times: runs(quick ? 1 : 3) }))
      })
    let caughtUp: number | undefined
    if (ofSynod(options)) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const place = { directory: yield* Directory.temporary, profiles: undefined }
          const cluster = yield* launch(place, { tells: restart, keys: catchUp && !quick ? CatchUp.keys : undefined })
          // First what is held against a replica with nothing to apply, and last what leaves its load behind.
          if (restart) {
            const made = Option.getOrElse(commands, () => 1_000_000)
            yield* Restart.run(cluster, { commands: made, times: runs(3) })
          }
          if (overload) yield* Overload.run(cluster, seconds(10))
          if (followers) yield* Followers.run(cluster, seconds(5))
          if (systems.includes(Synod)) yield* recover(Synod.name, membersOf(cluster))
          if (catchUp) caughtUp = yield* CatchUp.run(cluster, { quick, times: runs(quick ? 1 : 3) })
        })
      )
    }
    if (failover || coldRestart) {
      for (const { name, start } of systems) {
        if (name === Synod.name && ofSynod(options)) continue
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { members } = yield* start({ directory: yield* Directory.temporary, profiles: undefined })
            if (members === undefined) return
            yield* Console.log(`\n${name} runs`)
            yield* recover(name, members)
          })
        ).pipe(
          Effect.catchTag("SystemFailed", (failed) =>
            name === Synod.name ? failed : Console.error(`  NOT MEASURED: ${failed.message}`)
          )
        )
      }
    }
    const found: Found = { failovers, coldRestarts, catchUp: caughtUp }
    return found
  })
