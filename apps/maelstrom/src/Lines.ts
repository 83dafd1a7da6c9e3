/**
 * Text that comes in pieces, cut into lines, of which none may be longer than a bound.
 */

/** The text of a line, or that it was too long to be kept. */
export type Line = { readonly text: string } | { readonly tooLong: number }

/** @param longest in characters, as many as the longest line that others have reason to send */
export const make = (longest: number): ((chunk: string) => ReadonlyArray<Line>) => {
  let held = ""
  /** Characters of the line so far that were not held, since it is too long. */
  let passed = 0
  const end = (rest: string): Line => {
    const length = passed + held.length + rest.length
    const line = length > longest ? { tooLong: length } : { text: held + rest }
    held = ""
    passed = 0
    return line
  }
  return (chunk) => {
    const pieces = chunk.split("\n")
    const last = pieces.pop()!
    const lines = pieces.map(end)
    if (passed + held.length + last.length <= longest) held += last
    else {
      passed += held.length + last.length
      held = ""
    }
    return lines
  }
}
