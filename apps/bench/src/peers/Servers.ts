/** The three servers of another system, which can be killed and started again. */
import { Effect, Scope } from "effect"
import { Timeline } from "../Insist.js"
import { type Members, places, type SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"
import * as Server from "./Server.js"

export interface Servers {
  /** As they were first started. */
  readonly processes: ReadonlyArray<number>
  readonly kill: Members["kill"]
  readonly start: Members["start"]
}

/** `settings` is asked once for each, by its place. */
export const start = (
  system: string,
  settings: (place: number) => Server.Settings
): Effect.Effect<Servers, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const all = places.map(settings)
    const running = yield* Effect.forEach(all, (one) => Server.start(system, one))
    return {
      processes: running.map(({ pid }) => pid),
      kill: (place) => Effect.suspend(() => running[place]!.kill),
      start: (place) =>
        Server.start(system, all[place]!).pipe(
          Effect.map((server) => void (running[place] = server)),
          Effect.provideService(Scope.Scope, scope)
        )
    }
  })

/** With the process that asks them. */
export const members = ({ kill, start }: Servers, leader: Members["leader"], remote: Worker.Worker): Members => ({
  ...{ leader, kill, start },
  insist: (asked) => Effect.flatMap(remote.ask("insist", asked), Worker.decode(Timeline)),
  enough: (id) => Effect.asVoid(remote.ask("enough", id))
})
