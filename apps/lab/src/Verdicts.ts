/**
 * Expected verdicts on histories: a line for each, of file, model, initial state as JSON (or nothing) and verdict.
 */
import type { Models } from "@synod/simulator"
import { Either } from "effect"

export interface Row {
  readonly file: string
  readonly model: Models.Name
  /** `undefined`: the model's own. */
  readonly initial: unknown
  readonly verdict: "Ok" | "Illegal"
}

/** Fails with a sentence that names file and line. */
export const parseVerdicts = (file: string, text: string): Either.Either<ReadonlyArray<Row>, string> => {
  const rows: Array<Row> = []
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    const row = parseRow(line.replace(/\r$/, "").split("\t"))
    if (typeof row === "string") return Either.left(`${file}, line ${i + 1}: expected ${row}.`)
    rows.push(row)
  }
  return Either.right(rows)
}

const parseRow = (columns: ReadonlyArray<string>): Row | string => {
  const [file, model, initial, verdict] = columns
  if (columns.length !== 4 || file === undefined) return "file, model, initial state and verdict, separated by tabs"
  if (model !== "register" && model !== "append" && model !== "lock" && model !== "bank") {
    return "register, append, lock or bank as the model"
  }
  if (verdict !== "Ok" && verdict !== "Illegal") return "Ok or Illegal as the verdict"
  try {
    return { file, model, initial: initial === "" ? undefined : JSON.parse(initial!), verdict }
  } catch {
    return "the initial state as JSON, or nothing"
  }
}
