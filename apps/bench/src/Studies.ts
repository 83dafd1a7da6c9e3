/**
 * What is looked at on three replicas of Synod alone. Several of these in one command share the replicas, one after another.
 */
import { Effect, Option } from "effect"
import * as CatchUp from "./CatchUp.js"
import * as Directory from "./Directory.js"
import * as Failover from "./Failover.js"
import * as Followers from "./Followers.js"
import * as Overload from "./Overload.js"
import * as Restart from "./Restart.js"
import { launch } from "./synod/Synod.js"

export interface Asked {
  readonly overload: boolean
  readonly failover: boolean
  readonly restart: boolean
  readonly catchUp: boolean
  readonly followers: boolean
  /** With `restart`: how many. */
  readonly commands: number
  readonly quick: boolean
  readonly seconds: Option.Option<number>
  readonly runs: Option.Option<number>
}

export const asked = (options: Asked): boolean =>
  options.overload || options.failover || options.restart || options.catchUp || options.followers

export const run = (options: Asked) =>
  Effect.gen(function* () {
    const { catchUp, commands, failover, followers, overload, quick, restart } = options
    const runs = (otherwise: number) => Option.getOrElse(options.runs, () => otherwise)
    const seconds = (otherwise: number) => Option.getOrElse(options.seconds, () => otherwise)
    const place = { directory: yield* Directory.temporary, profiles: undefined }
    const cluster = yield* launch(place, { tells: restart, keys: catchUp && !quick ? CatchUp.keys : undefined })
    // A restart comes first, since it is held against one with nothing to apply; the load of catching up goes on to the end.
    if (restart) yield* Restart.run(cluster, { commands, times: runs(3) })
    if (overload) yield* Overload.run(cluster, seconds(10))
    if (followers) yield* Followers.run(cluster, seconds(5))
    if (failover) yield* Failover.run(cluster, runs(9))
    if (catchUp) yield* CatchUp.run(cluster, { quick, times: runs(quick ? 1 : 3) })
  }).pipe(Effect.scoped)
