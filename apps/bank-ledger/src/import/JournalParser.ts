/**
 * Reads a journal line by line. What can't be read is noted and passed over up to the next line that isn't indented,
 * so that one mistake is reported once and the next one too.
 */
import { Either } from "effect"
import type { Context } from "./Context.js"
import { declareStyle, type Follow, scanDirective } from "./Directives.js"
import { type Header, scanHeader, scanPosting } from "./EntrySyntax.js"
import type { Entry, Posting } from "./Journal.js"
import { maximumComment, maximumPostings } from "../domain/Transaction.js"
import { at, Problem } from "./Problem.js"
import { column, type Failure, isDigit, Scanner } from "./Scanner.js"

/** Longest line read; a journal written by people stays far below. */
export const maximumLine = 10_000

interface Open {
  readonly line: number
  readonly header: Header
  readonly comments: Array<string>
  readonly postings: Array<Posting>
  /** A line of it could not be read: the others still are, for their mistakes. */
  refused: boolean
}

/** What the line at hand belongs to. */
type Within =
  | { readonly _tag: "Top" }
  | { readonly _tag: "Entry"; readonly open: Open }
  /** Something that could not be read: its indented lines are passed over. */
  | { readonly _tag: "Refused" }
  | Exclude<Follow, { readonly _tag: "Include" | "Nothing" }>

const top: Within = { _tag: "Top" }

export class JournalParser {
  private within: Within = top
  private line = 0
  private offset = 0
  private text = ""

  constructor(
    private readonly file: string,
    private readonly source: string,
    private readonly context: Context
  ) {
    if (source.startsWith("\uFEFF")) this.offset = 1
  }

  /** Reads on, to the end or to an `include`, whose file is to be read before going on. */
  run(): Extract<Follow, { readonly _tag: "Include" }> | undefined {
    while (this.offset < this.source.length && !this.context.full) {
      const newline = this.source.indexOf("\n", this.offset)
      const end = newline < 0 ? this.source.length : newline
      this.text = this.source.slice(this.offset, this.source[end - 1] === "\r" && end > this.offset ? end - 1 : end)
      this.offset = end + 1
      this.line++
      const follow = this.read(this.text)
      if (follow !== undefined) return follow
    }
    this.close()
    return undefined
  }

  /** Notes a problem at the line just read. */
  refuse(at: number, message: string): void {
    if (this.context.full) return
    this.context.problems.push(
      new Problem({ file: this.file, line: this.line, column: column(this.text, at), message })
    )
  }

  private read(text: string) {
    if (this.within._tag === "Comment") {
      if (text.trim() === "end comment") this.within = top
      return
    }
    if (text.length > maximumLine) {
      this.fail({ at: maximumLine, message: `expected a line of at most ${maximumLine} characters` })
      return
    }
    const strange = controlCharacter(text)
    if (strange >= 0) {
      this.fail({ at: strange, message: "expected text without control characters" })
      return
    }
    const first = text[0]
    if (first === " " || first === "\t") {
      this.indented(text)
    } else {
      return this.flush(text)
    }
    return
  }

  /** A line that begins something new. */
  private flush(text: string) {
    this.close()
    const first = text[0]
    if (first === undefined || first === ";" || first === "#" || first === "*") return
    if (isDigit(first)) {
      Either.match(scanHeader(text, this.context.year), {
        onLeft: (failure) => this.fail(failure),
        onRight: (header) => {
          this.within = {
            _tag: "Entry",
            open: { line: this.line, header, comments: [header.comment], postings: [], refused: false }
          }
        }
      })
      return
    }
    const follow = scanDirective(text, this.context)
    if (Either.isLeft(follow)) {
      this.fail(follow.left)
    } else if (follow.right._tag === "Include") {
      return follow.right
    } else if (follow.right._tag !== "Nothing") {
      this.within = follow.right
    }
    return
  }

  private indented(text: string): void {
    const scanner = new Scanner(text)
    scanner.skipSpaces()
    if (scanner.done) {
      this.close()
      return
    }
    const { within } = this
    if (within._tag === "Entry") {
      this.entryLine(within.open, scanner)
    } else if (within._tag === "Format" && scanner.eat("format") && scanner.skipSpaces()) {
      const from = scanner.at
      Either.match(declareStyle(scanner, this.context), {
        onLeft: (failure) => this.fail(failure),
        onRight: (commodity) => {
          if (commodity !== within.commodity) {
            this.refuse(from, `expected a sample amount in ${within.commodity}`)
          }
        }
      })
    } else if (within._tag === "Top" && scanner.next !== ";") {
      this.fail({
        at: scanner.at,
        message: "expected no indentation: there is no transaction or directive that this line could belong to"
      })
    }
  }

  private entryLine(open: Open, scanner: Scanner): void {
    if (scanner.eat(";")) {
      this.comment(open, scanner.rest.trim())
      return
    }
    if (open.postings.length >= maximumPostings) {
      this.fail({ at: scanner.at, message: `expected at most ${maximumPostings} postings in a transaction` })
      return
    }
    Either.match(scanPosting(this.text, this.context, this.context.resolve), {
      onLeft: ({ at, message }) => {
        this.refuse(at, message)
        open.refused = true
      },
      onRight: ({ account, assertion, at, comment, cost, written }) => {
        if (written !== undefined) this.context.meet(written)
        open.postings.push({
          position: this.position(at),
          account,
          amount: written?.amount,
          cost,
          assertion: assertion && { ...assertion, position: this.position(assertion.at) },
          comment
        })
      }
    })
  }

  /** A comment below a posting is the posting's, one below the header the transaction's. */
  private comment(open: Open, text: string): void {
    const last = open.postings.at(-1)
    if (last === undefined) {
      open.comments.push(text)
    } else {
      open.postings[open.postings.length - 1] = { ...last, comment: join([last.comment, text]) }
    }
  }

  private position(at: number) {
    return { file: this.file, line: this.line, column: column(this.text, at) }
  }

  private fail({ at, message }: Pick<Failure, "at" | "message">): void {
    this.refuse(at, message)
    this.within = { _tag: "Refused" }
  }

  private close(): void {
    if (this.within._tag === "Entry" && !this.within.open.refused) {
      const { comments, header, line, postings } = this.within.open
      const entry: Entry = {
        ...header,
        position: { file: this.file, line, column: 1 },
        comment: join(comments),
        postings
      }
      const lengthy = [entry, ...postings].find((part) => part.comment.length > maximumComment)
      if (lengthy === undefined) {
        this.context.entries.push(entry)
      } else if (!this.context.full) {
        this.context.problems.push(at(lengthy.position, `expected a comment of at most ${maximumComment} characters`))
      }
    }
    this.within = top
  }
}

const join = (lines: ReadonlyArray<string>): string => lines.filter((line) => line !== "").join("\n")

const controlCharacter = (text: string): number => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 32 && code !== 9) || code === 127) return at
  }
  return -1
}
