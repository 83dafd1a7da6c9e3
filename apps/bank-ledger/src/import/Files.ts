/**
 * Reading the files that people name.
 */
import type { Error as PlatformError } from "@effect/platform"
import { FileSystem } from "@effect/platform"
import { Data, Effect } from "effect"

/** Largest file read, in bytes; it is held in memory whole. */
export const maximumFile = 256 * 1024 * 1024

export class FileRefused extends Data.TaggedError("FileRefused")<{ readonly file: string; readonly reason: string }> {
  override get message() {
    return `${this.file} ${this.reason}.`
  }
}

/** The text of a file; refused in one sentence if there is no such thing, or if it isn't text. */
export const readText = (file: string): Effect.Effect<string, FileRefused, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const { size, type } = yield* files.stat(file)
    if (type === "Directory") return yield* new FileRefused({ file, reason: "is a directory, not a file" })
    if (size > maximumFile) return yield* new FileRefused({ file, reason: "is larger than 256 MiB" })
    const bytes = yield* files.readFile(file)
    return yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
      catch: () => new FileRefused({ file, reason: "is not text in UTF-8" })
    })
  }).pipe(
    Effect.catchTags({
      BadArgument: (error) => new FileRefused({ file, reason: `can't be read: ${error.message}` }),
      SystemError: (error) => new FileRefused({ file, reason: reasonOf(error) })
    })
  )

const reasonOf = (error: PlatformError.SystemError): string => {
  switch (error.reason) {
    case "NotFound":
      return "doesn't exist"
    case "PermissionDenied":
      return "can't be read: permission denied"
    default:
      return `can't be read: ${error.description ?? error.reason}`
  }
}
