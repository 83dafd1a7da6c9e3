/**
 * What is wrong with a file that was to be imported, and where.
 */
import { Data } from "effect"

/** Problems listed for one import. A file with more of them is of another kind, or broken throughout. */
export const maximumProblems = 100

export class Problem extends Data.Class<{
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, counted in characters, not bytes. */
  readonly column: number
  readonly message: string
}> {
  override toString(): string {
    return `${this.file}:${this.line}:${this.column}: ${this.message}`
  }
}

/** Where something that may yet turn out wrong was written. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export const at = ({ column, file, line }: Position, message: string): Problem =>
  new Problem({ file, line, column, message })
