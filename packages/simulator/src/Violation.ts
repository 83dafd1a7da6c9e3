/**
 * A property that does not hold.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * What a run found: which property, and how it was broken.
 *
 * @since 0.1.0
 * @category errors
 */
export class Violation extends Data.TaggedError("Violation")<{
  /** The name of the property, such as `agreement`. */
  readonly property: string
  /** What was seen, in a sentence; and, where it is the user's to mend, how. */
  readonly sentence: string
  /** Virtual time, in milliseconds since the world began. */
  readonly time: number
  /** The history that has no order, shrunk: for a terminal, and as a page. */
  readonly picture?: { readonly text: string; readonly html: string }
}> {
  override get message(): string {
    const picture = this.picture === undefined ? "" : `\n\n${this.picture.text}`
    return `${this.property}: ${this.sentence} (after ${(this.time / 1000).toFixed(3)} s)${picture}`
  }
}
