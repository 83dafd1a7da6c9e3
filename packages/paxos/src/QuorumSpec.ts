/**
 * A quorum system as data: what people write into a setting, what journals and messages carry. With members it becomes a
 * `QuorumSystem`, or is refused.
 *
 * | as text | see |
 * |---|---|
 * | `majority` | `Quorum.majority` |
 * | `flexible:prepare=4,accept=2` | `Quorum.flexible` |
 * | `grid:rows=2,columns=3` | `Quorum.grid` |
 * | `weighted:1=2,2=1,3=1` and perhaps `,prepare=3,accept=2` | `Quorum.weighted` |
 * | `hierarchical:1+2+3,4+5+6,7+8+9` and perhaps `,prepare=3,accept=1` groups | `Quorum.hierarchical` |
 * | `allAboard` or `allAboard:fast=10` | `Quorum.allAboard` |
 * | `{"_tag":"Table","rows":[…]}`, or any other as JSON | `Quorum.table` |
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { NodeId } from "./NodeId.js"
import * as Quorum from "./Quorum.js"
import * as QuorumRule from "./QuorumRule.js"

const Count = Schema.Int.pipe(Schema.positive())
const Nodes = Schema.Array(NodeId).pipe(Schema.maxItems(QuorumRule.most))
const Share = Schema.Struct({ groups: Count, each: Schema.optionalWith(Count, { exact: true }) })

/** Listed quorums of one row, at most: as many as sixteen members have majorities would be absurd to list. */
const mostSets = 1024

const Sets = Schema.Array(Nodes).pipe(Schema.maxItems(mostSets))

/**
 * @since 0.1.0
 * @category models
 */
export const QuorumSpec = Schema.Union(
  Schema.TaggedStruct("Majority", {}),
  Schema.TaggedStruct("Flexible", { prepare: Count, accept: Count }),
  Schema.TaggedStruct("Grid", { rows: Count, columns: Count }),
  Schema.TaggedStruct("Weighted", {
    /** Of each member. */
    weights: Schema.Array(Schema.Struct({ node: NodeId, weight: Schema.Int.pipe(Schema.nonNegative()) })).pipe(
      Schema.maxItems(QuorumRule.most)
    ),
    prepare: Schema.optionalWith(Count, { exact: true }),
    accept: Schema.optionalWith(Count, { exact: true })
  }),
  Schema.TaggedStruct("Hierarchical", {
    groups: Schema.Array(Nodes).pipe(Schema.maxItems(QuorumRule.most)),
    prepare: Schema.optionalWith(Share, { exact: true }),
    accept: Schema.optionalWith(Share, { exact: true })
  }),
  Schema.TaggedStruct("Table", {
    rows: Schema.Array(Schema.Struct({ from: Count, prepare: Sets, accept: Sets })).pipe(
      Schema.maxItems(QuorumRule.most)
    )
  }),
  Schema.TaggedStruct("AllAboard", { fast: Schema.optionalWith(Count, { exact: true }) })
)

/**
 * @since 0.1.0
 * @category models
 */
export type QuorumSpec = typeof QuorumSpec.Type

/**
 * What clusters have that name no other.
 *
 * @since 0.1.0
 * @category constants
 */
export const majority: QuorumSpec = { _tag: "Majority" }

/**
 * The system for these members, each of whom it must name if it names any.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (spec: QuorumSpec, members: ReadonlyArray<NodeId>): Quorum.Made =>
  Either.flatMap(systemOf(spec, members), (system): Quorum.Made => {
    const left = members.find((node) => !system.members.includes(node))
    const stranger = system.members.find((node) => !members.includes(node))
    if (left === undefined && stranger === undefined) return Either.right(system)
    const reason =
      left === undefined ? `it names node ${stranger}, which is no member` : `it does not name node ${left}, a member`
    return Either.left(new Quorum.QuorumsUnusable({ system: system.name, reason }))
  })

const systemOf = (spec: QuorumSpec, members: ReadonlyArray<NodeId>): Quorum.Made => {
  switch (spec._tag) {
    case "Majority":
      return Quorum.majority(members)
    case "Flexible":
      return Quorum.flexible(members, spec)
    case "Grid":
      return Quorum.grid(members, spec)
    case "Weighted":
      return Quorum.weighted(new Map(spec.weights.map(({ node, weight }) => [node, weight])), spec)
    case "Hierarchical":
      return Quorum.hierarchical(spec.groups, spec)
    case "Table":
      return Quorum.table(members, spec.rows)
    case "AllAboard":
      return Quorum.allAboard(members, spec)
  }
}

/**
 * Reads what people write on a command line or in the environment; the answer to what can't be read says what can.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string): Either.Either<QuorumSpec, string> => {
  const trimmed = text.trim()
  const decoded = trimmed.startsWith("{") ? decodeJson(trimmed) : Either.flatMap(read(trimmed), decode)
  return Either.mapLeft(decoded, () => `"${text}" is no quorum system, such as ${examples}`)
}

const examples =
  "majority, flexible:prepare=4,accept=2, grid:rows=2,columns=3, weighted:1=2,2=1,3=1, hierarchical:1+2,3+4,5+6 or allAboard"

const decode = Schema.decodeUnknownEither(QuorumSpec, { onExcessProperty: "error" })
const decodeJson = Schema.decodeUnknownEither(Schema.parseJson(QuorumSpec), { onExcessProperty: "error" })

/** The data that a text stands for, of whatever shape. */
const read = (text: string): Either.Either<unknown, string> => {
  const [, name, rest = ""] = /^([A-Za-z]+)(?::(.+))?$/.exec(text) ?? []
  const settings: Record<string, number> = {}
  const weights: Array<{ readonly node: number; readonly weight: number }> = []
  const groups: Array<ReadonlyArray<number>> = []
  for (const part of rest === "" ? [] : rest.split(",")) {
    const [, word, node, number] = /^\s*(?:([a-z]+)|(\d{1,5}))=(\d{1,15})\s*$/.exec(part) ?? []
    if (number === undefined) {
      if (!/^\s*\d{1,5}(?:\+\d{1,5})*\s*$/.test(part)) return Either.left(part)
      groups.push(part.split("+").map(Number))
    } else if (word === undefined) weights.push({ node: Number(node), weight: Number(number) })
    else settings[word] = Number(number)
  }
  if (weights.length > 0 && name !== "weighted") return Either.left(text)
  if (groups.length > 0 && name !== "hierarchical") return Either.left(text)
  switch (name) {
    case "majority":
      return Either.right({ _tag: "Majority", ...settings })
    case "flexible":
      return Either.right({ _tag: "Flexible", ...settings })
    case "grid":
      return Either.right({ _tag: "Grid", ...settings })
    case "weighted":
      return Either.right({ _tag: "Weighted", weights, ...settings })
    case "hierarchical": {
      const shares = Object.entries(settings).map(([phase, groups]) => [phase, { groups }] as const)
      return Either.right({ _tag: "Hierarchical", groups, ...Object.fromEntries(shares) })
    }
    case "allAboard":
      return Either.right({ _tag: "AllAboard", ...settings })
    default:
      return Either.left(text)
  }
}
