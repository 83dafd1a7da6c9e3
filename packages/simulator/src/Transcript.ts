/**
 * Stories of the protocol as text: commands, then exactly what each node holds and says.
 *
 * ```
 * # The lock is free, and Alice asks for it.
 * > cluster 3
 * nodes 1, 2 and 3, quorums: majority of 3
 * > clients alice
 * alice has session 1
 * > node 1 prepares
 * node 1 prepares 1.1
 * …
 * > expect alice holds the lock
 * it holds
 * ```
 *
 * A line that begins with `#` tells the story, one with `>` is a command, and all else is what came of the command above.
 * Nodes are plain steps of `@synod/paxos`, over a network on which every message waits until a command says what becomes
 * of it; what the log holds are requests for a lock, applied with real sessions. Other stories have registers in place of a log,
 * and no leader. The commands: {@link patterns}.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { commands } from "./internal/storyCommands.js"
import { type Form, read } from "./internal/storyGrammar.js"
import { Refused } from "./internal/storyRefused.js"
import { Stage } from "./internal/storyStage.js"
import { statements } from "./internal/storyStatements.js"
import { views } from "./internal/storyViews.js"

/**
 * A line is no command, can't be done, or states what does not hold.
 *
 * @since 0.1.0
 * @category errors
 */
export class TranscriptRefused extends Data.TaggedError("TranscriptRefused")<{
  /** From 1. */
  readonly line: number
  readonly text: string
  readonly expected: string
  readonly found: string
}> {
  override get message(): string {
    return `Line ${this.line}, \`${this.text}\`: expected ${this.expected}, found ${this.found}.`
  }
}

const forms: ReadonlyArray<Form<Stage>> = [...commands, ...views, ...statements]

/**
 * Every command, view and statement, with placeholders in capitals.
 *
 * @since 0.1.0
 * @category constants
 */
export const patterns: ReadonlyArray<string> = forms.map(({ pattern }) => pattern)

/**
 * The transcript with what its commands bring about now, in place of what it says they do. A transcript that tells the
 * truth comes out as it went in.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (text: string): Either.Either<string, TranscriptRefused> => {
  const stage = new Stage()
  const told: Array<string> = []
  for (const [i, line] of text.trimEnd().split("\n").entries()) {
    if (line === "" || line.startsWith("#")) told.push(line)
    if (!line.startsWith(">")) continue
    try {
      read(forms, line.slice(1))(stage)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const { expected, found } = error
      return Either.left(new TranscriptRefused({ line: i + 1, text: line, expected, found }))
    }
    told.push(line, ...stage.shown())
  }
  return Either.right(told.join("\n") + "\n")
}
