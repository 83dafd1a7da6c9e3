import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Runs } from "@synod/simulator"
import { Effect } from "effect"
import * as Resume from "../src/Resume.js"

const fresh: Resume.State = { what: "seeds 1 to 9", piece: 3, done: [], report: Runs.empty, spent: 0 }

const inFolder = <A, E>(test: (file: string) => Effect.Effect<A, E, FileSystem.FileSystem>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    return yield* test(`${yield* files.makeTempDirectoryScoped()}/state.json`)
  }).pipe(Effect.provide(NodeContext.layer))

describe("a run that was stopped", () => {
  it.scoped("goes on from what it wrote last", () =>
    inFolder((file) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Resume.read(file, fresh), fresh, "nothing is written yet")
        const later = { ...fresh, done: [2, 0], report: { ...Runs.empty, seeds: 6 }, spent: 1.5 }
        yield* Resume.write(file, later)
        assert.deepStrictEqual(yield* Resume.read(file, fresh), later)
      })
    )
  )

  it.scoped("does not go on from another run, or from what is no state", () =>
    inFolder((file) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        yield* Resume.write(file, { ...fresh, what: "seeds 1 to 5" })
        const other = yield* Effect.flip(Resume.read(file, fresh))
        assert.include(other.message, "is of another run (seeds 1 to 5): expected seeds 1 to 9.")
        yield* files.writeFileString(file, "{")
        assert.include((yield* Effect.flip(Resume.read(file, fresh))).message, "can't be read")
      })
    )
  )
})
