/**
 * A command of a transcript that can't be done, or a statement that does not hold. It is thrown inside the interpreter and
 * given the line at its edge.
 */
export class Refused extends Error {
  override readonly name = "Refused"
  constructor(
    /** What was expected. */
    readonly expected: string,
    /** What was found instead. */
    readonly found: string
  ) {
    super(`expected ${expected}, found ${found}`)
  }
}
