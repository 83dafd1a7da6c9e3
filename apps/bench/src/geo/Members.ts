/** Three processes that decide who holds what. */
import { Effect, Schedule, type Scope } from "effect"
import * as Path from "node:path"
import * as Directory from "../Directory.js"
import { SystemFailed } from "../System.js"
import * as Worker from "../Worker.js"
import type { Members, Settings } from "./Settings.js"

/** `places` has for each member, by node from 1 on, where it finds the others. They can be asked once one leads, if one is to. */
export const start = (
  settings: Pick<Settings, "by" | "leader">,
  places: ReadonlyArray<Members>
): Effect.Effect<ReadonlyArray<Worker.Worker>, SystemFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Directory.temporary
    const workers = yield* Effect.forEach(places, (members, i) =>
      process({ ...settings, members, self: { node: i + 1, file: Path.join(directory, `member-${i + 1}.sqlite`) } })
    )
    yield* Effect.findFirst(workers, (worker) => Effect.map(worker.ask("leads"), (leads) => leads === true)).pipe(
      Effect.flatten,
      Effect.retry({
        while: ({ _tag }) => _tag === "NoSuchElementException",
        schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(200))
      }),
      Effect.catchTag(
        "NoSuchElementException",
        () => new SystemFailed({ system: settings.by, reason: "who is to lead doesn't after 20 seconds" })
      )
    )
    return workers
  })

/** A process of clients, which finds the members there. */
export const clients = (settings: Pick<Settings, "by" | "leader">, members: Members) =>
  process({ ...settings, members })

const process = (settings: Settings) =>
  Worker.start({ system: settings.by, program: "geo/member", settings, profiles: undefined })
