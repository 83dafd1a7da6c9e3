/**
 * Free text that people write on transactions, bounded so that no input can bloat every replica.
 */
import { Schema } from "effect"

/** One line without control characters (a tab is allowed). */
export const isPlain = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 32 && code !== 9) || code === 127) return false
  }
  return true
}

/** One line of at most `length` UTF-16 units. */
export const Line = (length: number) =>
  Schema.String.pipe(
    Schema.maxLength(length),
    Schema.filter((text) => isPlain(text) || "one line without control characters")
  )

/** Several lines of at most `length` UTF-16 units together. */
export const Lines = (length: number) =>
  Schema.String.pipe(
    Schema.maxLength(length),
    Schema.filter((text) => isPlain(text.replaceAll("\n", " ")) || "lines without control characters")
  )
