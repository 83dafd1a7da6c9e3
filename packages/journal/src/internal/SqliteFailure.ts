/**
 * What SQLite's error codes mean for a journal.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { dirname } from "node:path"
import * as JournalError from "../JournalError.js"

/**
 * An error thrown while the file was opened. What is not about the file (the native module does not load, say) stays a
 * defect.
 *
 * @since 0.1.0
 * @category converting
 */
export const connecting = (filename: string, defect: unknown): Effect.Effect<never, JournalError.JournalUnopenable> => {
  if (isError(defect) && defect.message.includes("directory does not exist")) {
    return new JournalError.JournalUnopenable({ filename, reason: `the directory ${dirname(filename)} does not exist` })
  }
  return codeOf(defect).startsWith("SQLITE_CANTOPEN")
    ? new JournalError.JournalUnopenable({ filename, reason: unreachable(filename) })
    : Effect.die(defect)
}

/**
 * An error of the first statements, which find out whether the file can be used at all.
 *
 * @since 0.1.0
 * @category converting
 */
export const opening = (filename: string, error: SqlError): JournalError.OpenError => {
  const code = codeOf(error.cause)
  const unopenable = (reason: string) => new JournalError.JournalUnopenable({ filename, reason })
  if (code.startsWith("SQLITE_BUSY")) return new JournalError.JournalLocked({ filename })
  if (code.startsWith("SQLITE_NOTADB")) return unopenable("it is not a SQLite database, or its first page is destroyed")
  if (code.startsWith("SQLITE_CANTOPEN")) return unopenable(unreachable(filename))
  if (code.startsWith("SQLITE_READONLY")) return unopenable(readOnly(filename))
  if (code === "SQLITE_IOERR_LOCK") {
    return unopenable("it can't be locked (may the file be written to, and does its file system have locks?)")
  }
  return running(filename, "open", error)
}

/**
 * An error of any later statement.
 *
 * @since 0.1.0
 * @category converting
 */
export const running = (
  filename: string,
  operation: JournalError.JournalFailed["operation"],
  { cause }: SqlError
): JournalError.JournalDamaged | JournalError.JournalFailed => {
  const code = codeOf(cause)
  const text = isError(cause) ? cause.message : String(cause)
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) {
    return new JournalError.JournalDamaged({ filename, slot: undefined, reason: text })
  }
  const failed = (reason: string) => new JournalError.JournalFailed({ filename, operation, reason, cause })
  if (code === "SQLITE_FULL") return failed("the disk is full")
  if (code.startsWith("SQLITE_IOERR")) return failed(`the disk reports an I/O error (${code})`)
  if (code.startsWith("SQLITE_READONLY")) return failed(readOnly(filename))
  return failed(text)
}

const unreachable = (filename: string) =>
  `no file can be opened or made there (is ${dirname(filename)} a directory that may be written to?)`

const readOnly = (filename: string) => `the file or its directory ${dirname(filename)} may not be written to`

const isError = (value: unknown): value is Error => value instanceof Error

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : ""
