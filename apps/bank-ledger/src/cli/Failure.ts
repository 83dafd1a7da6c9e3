/**
 * What a person is told when a command did not do all it was asked to.
 */
import { Data } from "effect"
import { maximumProblems, type Problem } from "../import/Problem.js"

export class CliFailure extends Data.TaggedError("CliFailure")<{
  /** Each on a line of its own, before the sentence. */
  readonly problems: ReadonlyArray<Problem>
  /** One sentence. */
  readonly sentence: string
}> {
  override get message() {
    const more =
      this.problems.length >= maximumProblems ? [`There may be more; the first ${maximumProblems} are listed.`] : []
    return [...this.problems.map(String), ...more, this.sentence].join("\n")
  }
}

/** `1 problem`, `2 problems`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`
