/**
 * From the names of files to plans: reads journals and tables, and finds out all that is wrong with them.
 */
import type { FileSystem, Path } from "@effect/platform"
import { Effect } from "effect"
import * as CsvJournal from "./CsvJournal.js"
import { type FileRefused, readText } from "./Files.js"
import type { Journal } from "./Journal.js"
import * as JournalReader from "./JournalReader.js"
import * as Plan from "./Plan.js"

/** `auto` goes by the file's name: `.csv` is a table, all else a journal. */
export const formats = ["auto", "journal", "csv"] as const
export type Format = (typeof formats)[number]

export const read = (
  files: ReadonlyArray<string>,
  format: Format
): Effect.Effect<ReadonlyArray<Plan.Plan>, FileRefused, FileSystem.FileSystem | Path.Path> =>
  Effect.map(
    Effect.forEach(files, (file) => (isTable(file, format) ? readTable(file) : JournalReader.read(file))),
    Plan.make
  )

const isTable = (file: string, format: Format): boolean =>
  format === "csv" || (format === "auto" && file.toLowerCase().endsWith(".csv"))

const readTable = (file: string): Effect.Effect<Journal, FileRefused, FileSystem.FileSystem> =>
  Effect.map(readText(file), (text) => CsvJournal.parse(file, text))
