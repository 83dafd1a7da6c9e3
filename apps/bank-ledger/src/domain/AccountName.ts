/**
 * Names of accounts: `assets:bank:checking`, a path from the general to the particular.
 */
import { Schema } from "effect"

/** Colon-separated, no empty part, no run of two spaces (that is where a journal's amount begins). */
export const AccountName = Schema.String.pipe(
  Schema.minLength(1),
  Schema.maxLength(256),
  Schema.filter((text) => isWellFormed(text) || "an account name such as assets:bank:checking"),
  Schema.brand("AccountName")
)
export type AccountName = typeof AccountName.Type

/** One pass, as every posting of every command comes by here: no part begins or ends with a space, or is empty. */
const isWellFormed = (text: string): boolean => {
  let before = ":"
  for (const char of text) {
    if (char < " " || char === "\u007f") return false
    if ((char === " " || char === ":") && (before === " " || before === ":")) return false
    before = char
  }
  return before !== ":" && before !== " "
}

/** Order of reports: part by part, so that a parent's children stand together. */
export const compare = (self: string, that: string): -1 | 0 | 1 => {
  const left = self.split(":")
  const right = that.split(":")
  for (let at = 0; at < left.length && at < right.length; at++) {
    if (left[at]! < right[at]!) return -1
    if (left[at]! > right[at]!) return 1
  }
  return left.length < right.length ? -1 : left.length > right.length ? 1 : 0
}

/** True for `parent` itself and for everything below it. */
export const isWithin = (self: string, parent: string): boolean => self === parent || self.startsWith(`${parent}:`)
