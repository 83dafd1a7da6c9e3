/**
 * `demo`: the main job on three replicas, with the leader killed in the middle.
 */
import { Command, Options } from "@effect/cli"
import { FileSystem } from "@effect/platform"
import { Data, Effect } from "effect"
import * as Cluster from "../demo/Cluster.js"
import * as Story from "../demo/Demo.js"

/** What was claimed did not hold; which claim, the report has said. */
export class ClaimBroken extends Data.TaggedError("ClaimBroken")<{}> {
  override get message() {
    return "Not all of it held."
  }
}

const processes = Options.boolean("processes").pipe(
  Options.withDescription("Run each replica as a process of its own, and end the leader with kill -9.")
)

export const demo = Command.make("demo", { processes }, ({ processes }) =>
  Effect.scoped(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectoryScoped({ prefix: "synod-demo-" })
      const story = processes
        ? Effect.provide(Story.run, Cluster.processes(directory))
        : Effect.provide(Story.run, Cluster.inProcess(directory))
      if (!(yield* story)) return yield* new ClaimBroken()
    })
  )
).pipe(Command.withDescription("Import a bank's year on three replicas and kill the leader in the middle."))
