/**
 * The journal's directives: each is followed, passed over because it moves no money, or refused with a reason.
 */
import { Either, Option } from "effect"
import type { Commodity } from "../domain/Commodity.js"
import { scanAmount, scanSymbol } from "./AmountSyntax.js"
import type { Context } from "./Context.js"
import { scanDate } from "./DateSyntax.js"
import { isDigit, type Scanned, Scanner } from "./Scanner.js"

/** What the lines after a directive are. */
export type Follow =
  | { readonly _tag: "Nothing" }
  /** Indented lines belong to it and say nothing of money. */
  | { readonly _tag: "Details" }
  /** Indented lines may say how the commodity is written. */
  | { readonly _tag: "Format"; readonly commodity: Commodity }
  /** All lines until `end comment`. */
  | { readonly _tag: "Comment" }
  | { readonly _tag: "Include"; readonly path: string; readonly at: number }

type Directive = (scanner: Scanner, context: Context) => Scanned<Follow>

const nothing: Scanned<Follow> = Either.right({ _tag: "Nothing" })
const details: Scanned<Follow> = Either.right({ _tag: "Details" })

/** Reads the directive that the line begins with. */
export const scanDirective = (line: string, context: Context): Scanned<Follow> => {
  const scanner = new Scanner(line)
  const glued = /^(?:Y|D)(?=[^a-z\s])/.exec(line.slice(0, 2))
  const word =
    glued === null
      ? scanner.takeWhile((char) => char !== " " && char !== "\t")
      : scanner.takeWhile((char) => "YD".includes(char))
  scanner.skipSpaces()
  const two = `${word} ${scanner.rest.split(/[ \t]/, 1)[0] ?? ""}`
  const twoWords = directives.get(two)
  if (twoWords !== undefined) {
    scanner.takeWhile((char) => char !== " " && char !== "\t")
    scanner.skipSpaces()
    return twoWords(scanner, context)
  }
  const directive = directives.get(word)
  if (directive !== undefined) return directive(scanner, context)
  const reason = refusals.get(word[0] ?? "")
  if (reason !== undefined) return scanner.refuse(reason, 0)
  return scanner.expected("a transaction, a directive or a comment", 0)
}

/** Text before a comment. */
const argument = (scanner: Scanner): string => scanner.takeWhile((char) => char !== ";").trim()

const year: Directive = (scanner, context) => {
  const from = scanner.at
  const digits = scanner.takeWhile(isDigit)
  if (digits.length !== 4 || Number(digits) < 1) return scanner.expected("a year of four digits", from)
  context.year = Number(digits)
  return nothing
}

const account: Directive = (scanner, context) => {
  const from = scanner.at
  while (!scanner.done && !scanner.startsWith("  ") && !scanner.startsWith(" ;") && scanner.next !== "\t") scanner.at++
  return Option.match(context.resolve(scanner.text.slice(from, scanner.at).trim()), {
    onNone: () => scanner.expected("an account name such as assets:bank:checking, of at most 256 characters", from),
    onSome: (name) => {
      context.accounts.add(name)
      return details
    }
  })
}

const commodity: Directive = (scanner, context) =>
  Either.gen(function* () {
    const from = scanner.at
    const name = yield* Either.orElse(
      Either.flatMap(scanSymbol(scanner), (symbol) => {
        scanner.skipSpaces()
        return scanner.done || scanner.next === ";" ? Either.right(symbol) : scanner.expected("a sample amount", from)
      }),
      () => Either.right(undefined)
    )
    if (name !== undefined) return { _tag: "Format", commodity: name } as const
    scanner.at = from
    yield* declareStyle(scanner, context)
    return { _tag: "Details" } as const
  })

/** `1.000,00 EUR` as a sample of how a commodity is written. */
export const declareStyle = (scanner: Scanner, context: Context): Scanned<Commodity> => {
  const from = scanner.at
  return Either.flatMap(scanAmount(scanner, { ...sample, decimalMark: context.decimalMark }), ({ amount, style }) => {
    scanner.skipSpaces()
    if (style === undefined || (!scanner.done && scanner.next !== ";")) {
      return scanner.expected("a sample amount such as 1,000.00 EUR", from)
    }
    context.declare(amount.commodity, style)
    return Either.right(amount.commodity)
  })
}

const sample = { fallback: undefined, styleOf: () => undefined }

const fallback: Directive = (scanner, context) => {
  const from = scanner.at
  return Either.flatMap(scanAmount(scanner, { ...sample, decimalMark: context.decimalMark }), ({ amount, style }) => {
    if (style === undefined || amount.commodity === "")
      return scanner.expected("a sample amount such as $1,000.00", from)
    context.fallback = { commodity: amount.commodity, style }
    return nothing
  })
}

const decimalMark: Directive = (scanner, context) => {
  const from = scanner.at
  const mark = argument(scanner)
  if (mark !== "." && mark !== ",") return scanner.expected("a decimal mark, . or ,", from)
  context.decimalMark = mark
  return nothing
}

const price: Directive = (scanner, context) =>
  Either.gen(function* () {
    yield* scanDate(scanner, context.year)
    scanner.skipSpaces()
    if (isDigit(scanner.next)) {
      scanner.takeWhile((char) => isDigit(char) || char === ":")
      scanner.skipSpaces()
    }
    yield* scanSymbol(scanner)
    scanner.skipSpaces()
    context.meet(yield* scanAmount(scanner, context))
    return yield* nothing
  })

const include: Directive = (scanner) => {
  const at = scanner.at
  const path = argument(scanner)
  if (path === "") return scanner.expected("the path of a file to include", at)
  const glob = path.search(/[*?[{]/)
  if (glob >= 0) return scanner.refuse("include takes one file by its name; patterns are not followed", at + glob)
  return Either.right({ _tag: "Include", path, at })
}

const alias: Directive = (scanner, context) => {
  const from = scanner.at
  if (scanner.next === "/")
    return scanner.refuse("an alias by regular expression is not followed; name the account", from)
  const old = scanner.takeWhile((char) => char !== "=").trim()
  if (old === "" || !scanner.eat("=")) return scanner.expected("an alias such as checking = assets:bank:checking", from)
  const to = scanner.rest.trim()
  if (to === "") return scanner.expected("the account that the alias stands for")
  return context.alias(old, to) ? nothing : scanner.refuse("there are too many aliases", from)
}

const applyAccount: Directive = (scanner, context) => {
  const from = scanner.at
  const name = argument(scanner)
  if (name === "") return scanner.expected("an account", from)
  context.apply(name)
  return nothing
}

const endApplyAccount: Directive = (scanner, context) =>
  context.endApply() ? nothing : scanner.refuse("there is no apply account to end", 0)

const endAliases: Directive = (_, context) => {
  context.endAliases()
  return nothing
}

const directives: ReadonlyMap<string, Directive> = new Map([
  ["account", account],
  ["alias", alias],
  ["apply account", applyAccount],
  ["apply year", year],
  ["comment", () => Either.right({ _tag: "Comment" })],
  ["commodity", commodity],
  ["D", fallback],
  ["decimal-mark", decimalMark],
  ["end aliases", endAliases],
  ["end apply", endApplyAccount],
  ["include", include],
  ["P", price],
  ["payee", () => details],
  ["tag", () => details],
  ["Y", year],
  ["year", year]
])

/** By first character, for what begins no directive we follow. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["=", "an automated transaction makes postings by rule; hledger print --auto writes them out as ordinary ones"],
  ["~", "a periodic transaction is a forecast, not something that happened; take it out of the journal"]
])
