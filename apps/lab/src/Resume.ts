/** A file that remembers which seeds of a long run are done, so that it can be stopped at any time and goes on from there. */
import { FileSystem } from "@effect/platform"
import type { Runs } from "@synod/simulator"
import { Data, Effect } from "effect"

export interface State {
  /** What is run, in words: another run can't go on from here. */
  readonly what: string
  /** Seeds in one piece of work. */
  readonly piece: number
  /** Pieces that are done, by number. */
  readonly done: ReadonlyArray<number>
  readonly report: Runs.Report
  /** Processor time, in seconds. */
  readonly spent: number
}

export class NotResumable extends Data.TaggedError("NotResumable")<{ readonly message: string }> {}

/** What the file remembers, or `fresh` where there is none yet. */
export const read = (file: string, fresh: State) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    if (!(yield* files.exists(file))) return fresh
    const text = yield* files.readFileString(file)
    const state = yield* Effect.try((): State => JSON.parse(text))
    if (state.what === fresh.what) return state
    return yield* new NotResumable({ message: `${file} is of another run (${state.what}): expected ${fresh.what}.` })
  }).pipe(
    Effect.catchTags({
      BadArgument: () => unreadable(file),
      SystemError: () => unreadable(file),
      UnknownException: () => unreadable(file)
    })
  )

/** All of it or nothing: a run that is stopped while it writes finds the last state. */
export const write = (file: string, state: State) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    yield* files.writeFileString(`${file}.new`, JSON.stringify(state))
    yield* files.rename(`${file}.new`, file)
  }).pipe(
    Effect.mapError(
      () => new NotResumable({ message: `${file} can't be written: expected a file in a folder that exists.` })
    )
  )

const unreadable = (file: string) =>
  new NotResumable({
    message: `${file} can't be read: expected what an earlier run with --resume ${file} has written.`
  })
