/**
 * The commands of a transcript as patterns of words: what stands in capitals is a placeholder for words of its kind, all
 * else is meant literally. So a pattern is at once what is accepted, what is documented and what an error shows.
 */
import { Ballot, NodeId } from "@synod/paxos"
import type { Slot } from "@synod/paxos"
import { Refused } from "./storyRefused.js"

/** What each placeholder stands for. */
export interface Placeholders {
  readonly NODE: NodeId.NodeId
  readonly NODES: ReadonlyArray<NodeId.NodeId>
  readonly BALLOT: Ballot.Ballot
  readonly BALLOTS: ReadonlyArray<Ballot.Ballot>
  readonly NAME: string
  readonly NAMES: ReadonlyArray<string>
  readonly SLOT: Slot.Slot
  readonly ROUND: number
  readonly WINNER: string
  readonly COUNT: number
  readonly PREPARE: number
  readonly ACCEPT: number
  readonly MESSAGES: Selection
  readonly PREPARERS: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>
  readonly ACCEPTERS: ReadonlyArray<ReadonlyArray<NodeId.NodeId>>
}

/** Messages by their kind, who sent them, and who is to get them; what is not named may be any. */
export interface Selection {
  readonly kinds: ReadonlySet<string>
  readonly from: ReadonlySet<number> | undefined
  readonly to: ReadonlySet<number> | undefined
}

type Words<Pattern extends string> = Pattern extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Pattern

/** The values of a pattern's placeholders. */
export type Values<Pattern extends string> = Pick<Placeholders, Words<Pattern> & keyof Placeholders>

/** What was read, and how many words it took; or what was expected where it went wrong. */
type Read<A> = { readonly value: A; readonly taken: number } | { readonly expected: string; readonly at: number }

type Reader<A> = (words: ReadonlyArray<string>) => Read<A>

const one =
  <A>(expected: string, read: (word: string) => A | undefined): Reader<A> =>
  ([word]) => {
    const value = word === undefined ? undefined : read(word)
    return value === undefined ? { expected, at: 0 } : { value, taken: 1 }
  }

/** One or more, with `and` or the like between them. */
const many =
  <A>(expected: string, joint: string | undefined, read: (word: string) => A | undefined): Reader<ReadonlyArray<A>> =>
  (words) => {
    const values: Array<A> = []
    let taken = 0
    for (const [i, word] of words.entries()) {
      if (word === joint && i > 0) continue
      const value = read(word)
      if (value === undefined) break
      values.push(value)
      taken = i + 1
    }
    return values.length === 0 ? { expected, at: 0 } : { value: values, taken }
  }

const integer = (word: string, most: number): number | undefined =>
  /^[1-9]\d{0,8}$/.test(word) && Number(word) <= most ? Number(word) : undefined

const node = (word: string): NodeId.NodeId | undefined => {
  const id = integer(word, 65_535)
  return id === undefined ? undefined : NodeId.make(id)
}

const ballot = (word: string): Ballot.Ballot | undefined => {
  const [round, of, ...rest] = word.split(".")
  const id = node(of ?? "")
  const count = integer(round ?? "", 1_000_000)
  return id === undefined || count === undefined || rest.length > 0 ? undefined : Ballot.make(count, id)
}

const name = (word: string): string | undefined => (/^[a-z]+$/.test(word) ? word : undefined)

const log = ["Prepare", "Promise", "Accept", "Accepted", "Fetch", "Fetched", "Rejected", "Learn", "Learned", "Late"]
const kinds = [...log, "Inspect", "Held", "Decided"]

/** `1+2`: a set of nodes. */
const set = (word: string): ReadonlyArray<NodeId.NodeId> | undefined => {
  const nodes = word.split("+").map(node)
  return nodes.every((id) => id !== undefined) ? nodes : undefined
}

const messages: Reader<Selection> = (words) => {
  const named = new Set<string>()
  let from: ReadonlySet<number> | undefined
  let to: ReadonlySet<number> | undefined
  let i = 0
  while (i < words.length) {
    const word = words[i]!
    i++
    if (kinds.includes(word)) named.add(word)
    else if (word === "from" || word === "to" || word === "among") {
      const ids = many("the numbers of nodes", "and", node)(words.slice(i))
      if (!("value" in ids)) return { expected: ids.expected, at: i }
      if (word !== "to") from = new Set(ids.value)
      if (word !== "from") to = new Set(ids.value)
      i += ids.taken
    } else if (word !== "and") {
      return { expected: `a kind of message (${kinds.join(", ")}), from, to, among`, at: i - 1 }
    }
  }
  return { value: { kinds: named, from, to }, taken: i }
}

const slot = one("a slot, from 1", (word) => integer(word, 1_000_000))
const count = one("a number, from 1", (word) => integer(word, 1000))
const sets = many("sets of nodes, such as 1+2 or 3", "or", set)

const readers: { readonly [Name in keyof Placeholders]: Reader<Placeholders[Name]> } = {
  NODE: one("the number of a node", node),
  NODES: many("the numbers of nodes", "and", node),
  BALLOT: one("a ballot, such as 1.3", ballot),
  BALLOTS: many("ballots, such as 1.3 < 2.1", "<", ballot),
  NAME: one("a name in small letters", name),
  NAMES: many("names in small letters", "and", name),
  SLOT: (words) => slot(words) as Read<Slot.Slot>,
  ROUND: count,
  WINNER: one("a name in small letters", name),
  COUNT: count,
  PREPARE: count,
  ACCEPT: count,
  MESSAGES: messages,
  PREPARERS: sets,
  ACCEPTERS: sets
}

const isPlaceholder = (word: string): word is keyof Placeholders => word in readers

/** One command: its pattern, and what it does. */
export interface Form<Context> {
  readonly pattern: string
  readonly run: (context: Context, values: Placeholders) => void
}

/** Makes forms for a context of one kind. */
export const forms =
  <Context>() =>
  <const Pattern extends string>(
    pattern: Pattern,
    run: (context: Context, values: Values<Pattern>) => void
  ): Form<Context> => ({ pattern, run })

/** What a command stands for, among these forms; throws {@link Refused} where none fits. */
export const read = <Context>(known: ReadonlyArray<Form<Context>>, text: string): ((context: Context) => void) => {
  const words = text.split(/\s+/).filter((word) => word !== "")
  let furthest = -1
  const expected: Array<string> = []
  // A word that begins a command is never the name of a client there.
  const begun = known.filter(({ pattern }) => pattern.split(" ")[0] === words[0])
  for (const { pattern, run } of begun.length > 0 ? begun : known) {
    const matched = match(pattern.split(" "), words)
    if ("values" in matched) return (context) => run(context, matched.values)
    if (matched.at > furthest) expected.length = 0
    furthest = Math.max(furthest, matched.at)
    if (matched.at === furthest && !expected.includes(matched.expected)) expected.push(matched.expected)
  }
  const before = words.slice(0, furthest).join(" ")
  throw new Refused(
    `${expected.join(" or ")}${before === "" ? "" : ` after "${before}"`}`,
    furthest < words.length ? `"${words.slice(furthest).join(" ")}"` : "the end of the line"
  )
}

const match = (
  pattern: ReadonlyArray<string>,
  words: ReadonlyArray<string>
): { readonly values: Placeholders } | { readonly expected: string; readonly at: number } => {
  const values: Record<string, unknown> = {}
  let at = 0
  for (const part of pattern) {
    if (!isPlaceholder(part)) {
      if (words[at] !== part) return { expected: part, at }
      at++
      continue
    }
    const result = readers[part](words.slice(at))
    if (!("value" in result)) return { expected: result.expected, at: at + result.at }
    values[part] = result.value
    at += result.taken
  }
  return at === words.length ? { values: values as unknown as Placeholders } : { expected: "the end of the line", at }
}
