/**
 * A journal with all the files it includes.
 */
import type { FileSystem } from "@effect/platform"
import { Path } from "@effect/platform"
import { Effect } from "effect"
import { Context } from "./Context.js"
import { type FileRefused, readText } from "./Files.js"
import type { Journal } from "./Journal.js"
import { JournalParser } from "./JournalParser.js"

/** How deep files may include each other. */
const maximumDepth = 16

/** Reads a journal. Problems inside are part of the result; only a first file that can't be read is an error. */
export const read = (file: string): Effect.Effect<Journal, FileRefused, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const context = new Context()
    yield* load(file, yield* readText(file), context, [])
    return context
  })

/** A journal at hand as text; it can't include files. */
export const parse = (file: string, source: string): Journal => {
  const context = new Context()
  const parser = new JournalParser(file, source, context)
  for (let include = parser.run(); include !== undefined; include = parser.run()) {
    parser.refuse(include.at, "only a journal in a file can include another file")
  }
  return context
}

const load = (
  file: string,
  source: string,
  context: Context,
  within: ReadonlyArray<string>
): Effect.Effect<void, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const parser = new JournalParser(file, source, context)
    const open = [...within, path.resolve(file)]
    for (let include = parser.run(); include !== undefined; include = parser.run()) {
      const { at, path: name } = include
      const target = path.isAbsolute(name) ? name : path.join(path.dirname(file), name)
      if (open.includes(path.resolve(target))) {
        parser.refuse(at, `${name} is being read already: it would include itself`)
      } else if (open.length >= maximumDepth) {
        parser.refuse(at, `expected files to include each other no deeper than ${maximumDepth}`)
      } else {
        yield* Effect.matchEffect(readText(target), {
          onFailure: (error) => Effect.sync(() => parser.refuse(at, error.message)),
          onSuccess: (text) => load(target, text, context, open)
        })
      }
    }
  })
