/**
 * Reads one line from left to right. Each step looks at a character once, so no input takes more than linear time.
 */
import { Data, Either } from "effect"

/** The line is not as it should be, from character `at` (counted from 0) on. */
export class Failure extends Data.Class<{ readonly at: number; readonly message: string }> {}

export type Scanned<A> = Either.Either<A, Failure>

export class Scanner {
  constructor(
    readonly text: string,
    public at = 0
  ) {}

  get done(): boolean {
    return this.at >= this.text.length
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.text[this.at] ?? ""
  }

  get rest(): string {
    return this.text.slice(this.at)
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at)
  }

  /** Takes `text` if it comes next. */
  eat(text: string): boolean {
    const here = this.startsWith(text)
    if (here) this.at += text.length
    return here
  }

  /** Passes spaces and tabs; true if there were any. */
  skipSpaces(): boolean {
    const from = this.at
    while (this.next === " " || this.next === "\t") this.at++
    return this.at > from
  }

  takeWhile(accept: (char: string) => boolean): string {
    const from = this.at
    while (!this.done && accept(this.next)) this.at++
    return this.text.slice(from, this.at)
  }

  /** `expected …, found …`, at the present place or the one given. */
  expected(what: string, at = this.at): Either.Either<never, Failure> {
    return Either.left(new Failure({ at, message: `expected ${what}, found ${quote(this.text.slice(at))}` }))
  }

  refuse(message: string, at = this.at): Either.Either<never, Failure> {
    return Either.left(new Failure({ at, message }))
  }
}

/** A column for people: characters, not UTF-16 units. */
export const column = (text: string, at: number): number => Array.from(text.slice(0, at)).length + 1

const shown = 24

/** What stands there, cut to a length that fits in a sentence. */
const quote = (text: string): string => {
  const end = text.search(/ {2}|\t/)
  const word = (end > 0 ? text.slice(0, end) : text).trim()
  const chars = Array.from(word)
  return word === "" ? "the end of the line" : `"${chars.length > shown ? `${chars.slice(0, shown).join("")}…` : word}"`
}

export const isDigit = (char: string): boolean => char >= "0" && char <= "9" && char.length === 1
