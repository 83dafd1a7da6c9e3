/**
 * Comma-separated values (RFC 4180), with the place of every cell. Own code instead of a library, because what an
 * accountant needs when row 18,201 is wrong is its line and column, also when cells above hold line breaks; and it is
 * one loop.
 */
import { Data, Either } from "effect"
import { column } from "./Scanner.js"

export interface Cell {
  readonly text: string
  readonly place: Place
}

/** Turned into line and column only when someone asks. */
export interface Place {
  readonly line: number
  /** Offset at which the line begins. */
  readonly from: number
  /** Offset of the place itself. */
  readonly at: number
}

export type Row = ReadonlyArray<Cell>

export class Malformed extends Data.Class<{ readonly place: Place; readonly message: string }> {}

/** Longest cell, in characters. */
export const maximumCell = 10_000

/** Most cells in a row. */
export const maximumCells = 100

/** The column of a place, from 1. */
export const columnOf = (source: string, { at, from }: Place): number => column(source.slice(from, at), at - from)

/** The rows of a text; empty lines are passed over. The first mistake ends it: quotes that don't match leave no footing. */
export const parse = (source: string): Either.Either<ReadonlyArray<Row>, Malformed> => {
  const reader = new Reader(source)
  const rows: Array<Row> = []
  while (!reader.done) {
    const row = reader.row()
    if (row instanceof Malformed) return Either.left(row)
    if (row.length > 1 || row[0]?.text !== "") rows.push(row)
  }
  return Either.right(rows)
}

class Reader {
  private at: number
  private line = 1
  private from: number

  constructor(private readonly source: string) {
    this.at = this.from = source.startsWith("\uFEFF") ? 1 : 0
  }

  get done(): boolean {
    return this.at >= this.source.length
  }

  row(): Row | Malformed {
    const cells: Array<Cell> = []
    do {
      if (cells.length === maximumCells) return this.malformed(`expected at most ${maximumCells} cells in a row`)
      const place = this.place
      const text = this.source[this.at] === '"' ? this.quoted() : this.bare()
      if (text instanceof Malformed) return text
      if (text.length > maximumCell)
        return new Malformed({ place, message: `expected at most ${maximumCell} characters in a cell` })
      cells.push({ text, place })
    } while (this.eat(","))
    if (this.done) return cells
    this.eat("\r")
    if (!this.eat("\n")) return this.malformed("expected a comma or the end of the line after a cell")
    this.line++
    this.from = this.at
    return cells
  }

  private bare(): string | Malformed {
    const start = this.at
    while (!this.done && !',\n\r"'.includes(this.source[this.at]!)) this.at++
    if (this.source[this.at] === '"')
      return this.malformed("expected no quote inside a cell that doesn't begin with one")
    return this.source.slice(start, this.at)
  }

  private quoted(): string | Malformed {
    const opening = this.place
    let text = ""
    this.at++
    for (;;) {
      const start = this.at
      while (!this.done && this.source[this.at] !== '"') {
        if (this.source[this.at++] === "\n") {
          this.line++
          this.from = this.at
        }
      }
      if (this.done) return new Malformed({ place: opening, message: "expected a closing quote to this one" })
      text += this.source.slice(start, this.at)
      this.at++
      if (!this.eat('"')) return text
      text += '"'
    }
  }

  private eat(char: string): boolean {
    if (this.source[this.at] !== char) return false
    this.at++
    return true
  }

  private get place(): Place {
    return { line: this.line, from: this.from, at: this.at }
  }

  private malformed(message: string): Malformed {
    return new Malformed({ place: this.place, message })
  }
}
