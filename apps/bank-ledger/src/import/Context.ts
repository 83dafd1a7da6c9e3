/**
 * What a journal's directives have said so far. Files that are included read it and add to it.
 */
import { type Option, Schema } from "effect"
import { type Commodity, mergeStyles, type Style } from "../domain/Commodity.js"
import { AccountName } from "../domain/AccountName.js"
import type { Notation, Written } from "./AmountSyntax.js"
import type { Entry } from "./Journal.js"
import { maximumProblems, type Problem } from "./Problem.js"

/** Most `alias` directives in force: each account name is held against all of them. */
export const maximumAliases = 100

export class Context implements Notation {
  readonly entries: Array<Entry> = []
  readonly accounts = new Set<AccountName>()
  readonly problems: Array<Problem> = []
  /** From `Y` and its synonyms. */
  year: number | undefined
  decimalMark: Style["decimalMark"] | undefined
  fallback: { readonly commodity: Commodity; readonly style: Style } | undefined
  private aliases: ReadonlyArray<{ readonly from: string; readonly to: string }> = []
  private applied: ReadonlyArray<string> = []
  private readonly resolved = new Map<string, Option.Option<AccountName>>()
  private readonly declared = new Map<Commodity, Style>()
  private readonly met = new Map<Commodity, Style>()

  styleOf = (commodity: Commodity): Style | undefined => this.declared.get(commodity)

  declare(commodity: Commodity, style: Style): void {
    this.declared.set(commodity, style)
  }

  /** Takes note of how an amount was written. */
  meet({ amount: { commodity }, style }: Written): void {
    if (style === undefined) return
    const known = this.met.get(commodity)
    this.met.set(commodity, known === undefined ? style : mergeStyles(known, style))
  }

  /** As hledger chooses: what a directive says, else the first amount's look with the most decimals met. */
  get styles(): ReadonlyMap<Commodity, Style> {
    const { fallback } = this
    return new Map([
      ...this.met,
      ...(fallback === undefined ? [] : ([[fallback.commodity, fallback.style]] as const)),
      ...this.declared
    ])
  }

  get full(): boolean {
    return this.problems.length >= maximumProblems
  }

  /** The account meant by a name, after `apply account` and `alias`; none if no account can be called that. */
  resolve = (name: string): Option.Option<AccountName> => {
    const known = this.resolved.get(name)
    if (known !== undefined) return known
    const meant = this.aliases.reduce(
      (name, { from, to }) => (name === from || name.startsWith(`${from}:`) ? to + name.slice(from.length) : name),
      [...this.applied, name].join(":")
    )
    const account = decodeAccount(meant)
    this.resolved.set(name, account)
    return account
  }

  /** `alias from = to`: the latest is tried first. False if there are too many. */
  alias(from: string, to: string): boolean {
    if (this.aliases.length >= maximumAliases) return false
    this.aliases = [{ from, to }, ...this.aliases]
    this.resolved.clear()
    return true
  }

  endAliases(): void {
    this.aliases = []
    this.resolved.clear()
  }

  /** `apply account name`: below which all that follow stand. */
  apply(name: string): void {
    this.applied = [...this.applied, name]
    this.resolved.clear()
  }

  /** False if none is in force. */
  endApply(): boolean {
    const inForce = this.applied.length > 0
    this.applied = this.applied.slice(0, -1)
    this.resolved.clear()
    return inForce
  }
}

const decodeAccount = Schema.decodeOption(AccountName)
