/**
 * Where values of a schema can be taken apart, found by walking the schema: structs, tuples, and collections in them.
 *
 * ```
 *   Struct { accounts: HashMap ──► Collection of pairs, some at a time
 *            totals: …         ──► Whole, through its schema in one go
 * ```
 *
 * Taken apart or whole, a value has the same bytes.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Kinds from "./kinds.js"

/** Both ways throw for what the schema refuses. */
export interface Codec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (encoded: unknown) => unknown
}

/** `codec` is that of the value in one go. */
export type Plan = Whole | Collection | Record | Tuple | Struct | Through

export interface Whole {
  readonly _tag: "Whole"
  readonly codec: Codec
}

export interface Collection {
  readonly _tag: "Collection"
  readonly codec: Codec
  readonly kind: Kinds.Kind
  /** Of some entries, to and from an array. */
  readonly entries: Codec
  /** How an entry is taken apart. */
  readonly entry: Plan
}

/** An object that is a collection of properties. */
export interface Record {
  readonly _tag: "Record"
  readonly codec: Codec
}

export interface Tuple {
  readonly _tag: "Tuple"
  readonly codec: Codec
  readonly elements: ReadonlyArray<Plan>
}

export interface Struct {
  readonly _tag: "Struct"
  readonly codec: Codec
  readonly properties: ReadonlyArray<{ readonly name: string; readonly optional: boolean; readonly plan: Plan }>
}

/** Another value stands for it. */
export interface Through {
  readonly _tag: "Through"
  readonly codec: Codec
  readonly step: Codec
  readonly plan: Plan
}

/** Levels of collections and structs within each other that are taken apart: what lies deeper is small, or recursive. */
const levels = 6

export const of = (schema: Schema.Schema.AnyNoContext): Plan => walk(schema.ast, levels)

export const whole = (codec: Codec): Whole => ({ _tag: "Whole", codec })

export const tuple = (elements: ReadonlyArray<Plan>): Tuple => {
  const each = (how: "encode" | "decode") => (value: unknown) => {
    if (!Array.isArray(value) || value.length !== elements.length) throw unlike(`${elements.length} elements`)
    return elements.map(({ codec }, i) => codec[how](value[i]))
  }
  return { _tag: "Tuple", elements, codec: { encode: each("encode"), decode: each("decode") } }
}

export const through = (step: Codec, plan: Plan): Through => ({
  _tag: "Through",
  step,
  plan,
  codec: {
    encode: (value) => plan.codec.encode(step.encode(value)),
    decode: (encoded) => step.decode(plan.codec.decode(encoded))
  }
})

/** `entries` is given for entries that stay whole. */
export const collection = (kind: Kinds.Kind, entry: Plan, some?: Codec): Collection => {
  const each = (how: "encode" | "decode") => (list: unknown) =>
    Array.isArray(list) ? list.map(entry.codec[how]) : refuseUnlike("a list")
  const entries = some ?? { encode: each("encode"), decode: each("decode") }
  return {
    _tag: "Collection",
    kind,
    entry,
    entries,
    codec: {
      encode: (value) =>
        entries.encode(kind.is(value) ? Array.from(kind.entries(value)) : refuseUnlike("a collection")),
      decode: (encoded) => Kinds.collect(kind, entries.decode(encoded) as ReadonlyArray<unknown>)
    }
  }
}

export const struct = (properties: Struct["properties"]): Struct => ({
  _tag: "Struct",
  properties,
  codec: {
    encode: (value) =>
      isObject(value)
        ? Object.fromEntries(present(properties, value).map(({ name, plan }) => [name, plan.codec.encode(value[name])]))
        : refuseUnlike("a struct"),
    decode: (encoded) => {
      if (!isObject(encoded)) throw unlike("a struct")
      const here = present(properties, encoded)
      return Object.fromEntries(here.map(({ name, plan }) => [name, plan.codec.decode(encoded[name])]))
    }
  }
})

/** What is missing and must not be is asked of its schema all the same, which may have it so. */
export const present = (properties: Struct["properties"], value: object): Struct["properties"] =>
  properties.filter(({ name, optional }) => !optional || Object.hasOwn(value, name))

const walk = (ast: AST.AST, level: number): Plan =>
  (level > 0 ? takenApart(ast, level) : undefined) ?? whole(codecOf(ast))

const takenApart = (ast: AST.AST, level: number): Plan | undefined => {
  switch (ast._tag) {
    case "TupleType":
      return ast.elements.length === 0 ? listOf(Kinds.array, ast, level) : tupleOf(ast, level)
    case "TypeLiteral":
      return ast.indexSignatures.length === 0 ? structOf(ast, level) : recordOf(ast)
    case "Refinement":
      return refined(ast, level)
    case "Transformation":
      return transformed(ast, level)
    default:
      return undefined
  }
}

const codecOf = (ast: AST.AST): Codec => {
  const schema = Schema.make<unknown, unknown, never>(ast)
  return { encode: Schema.encodeUnknownSync(schema), decode: Schema.decodeUnknownSync(schema) }
}

const listOf = (kind: Kinds.Kind, ast: AST.TupleType, level: number): Plan | undefined => {
  if (ast.rest.length !== 1) return undefined
  const entry = walk(ast.rest[0]!.type, level - 1)
  return collection(kind, entry, isWhole(entry) ? codecOf(ast) : undefined)
}

const tupleOf = (ast: AST.TupleType, level: number): Plan | undefined => {
  if (ast.rest.length > 0 || ast.elements.some(({ isOptional }) => isOptional)) return undefined
  const elements = ast.elements.map(({ type }) => walk(type, level - 1))
  return elements.every(isWhole) ? undefined : tuple(elements)
}

const structOf = (ast: AST.TypeLiteral, level: number): Plan | undefined => {
  const properties = ast.propertySignatures.map(({ isOptional, name, type }) => ({
    name: String(name),
    optional: isOptional,
    plan: walk(type, level - 1)
  }))
  return properties.every(({ plan }) => isWhole(plan)) ? undefined : struct(properties)
}

const recordOf = (ast: AST.TypeLiteral): Plan | undefined =>
  ast.propertySignatures.length === 0 && ast.indexSignatures.length === 1
    ? { _tag: "Record", codec: codecOf(ast) }
    : undefined

export const isWhole = ({ _tag }: Plan): boolean => _tag === "Whole"

/** Whether it holds is asked of the value as a whole. */
const refined = (ast: AST.Refinement, level: number): Plan | undefined => {
  const plan = takenApart(ast.from, level)
  if (plan === undefined) return undefined
  const check = (value: unknown): unknown =>
    Option.match(ast.filter(value, AST.defaultParseOption, ast), { onNone: () => value, onSome: refuse })
  return through({ encode: check, decode: check }, plan)
}

/** A transformation of what can be taken apart, and of nothing else. */
const transformed = (ast: AST.Transformation, level: number): Plan | undefined => {
  const { from, to, transformation } = ast
  // What is encoded in two steps stays whole. A class counts as one: it stands for its fields.
  const isClass = Option.isSome(AST.getSurrogateAnnotation(to))
  if (transformation._tag !== "FinalTransformation" || (!isClass && AST.typeAST(to) !== to)) return undefined
  const step: Codec = {
    encode: (value) => done(transformation.encode(value, AST.defaultParseOption, ast, value)),
    decode: (value) => done(transformation.decode(value, AST.defaultParseOption, ast, value))
  }
  if (from._tag === "TupleType") {
    const kind = from.elements.length === 0 ? Kinds.all.find((kind) => isPlain(kind, step)) : undefined
    return kind && listOf(kind, from, level)
  }
  const plan = takenApart(from, level)
  return plan && through(step, plan)
}

const done = (result: unknown): unknown => {
  if (!Either.isEither(result)) throw new TypeError("a schema of a state can't wait")
  return Either.isRight(result) ? result.right : refuse(result.left as ParseResult.ParseIssue)
}

const refuse = (issue: ParseResult.ParseIssue): never => {
  throw ParseResult.parseError(issue)
}

const unlike = (expected: string) => new TypeError(`${expected} should stand where something else does`)

const refuseUnlike = (expected: string): never => {
  throw unlike(expected)
}

/**
 * Does it nothing but collect, and list what was collected in its order? Tried with entries that can't be read, so that
 * whatever looks at them, to sort them or to leave some out, shows.
 */
const isPlain = (kind: Kinds.Kind, { decode, encode }: Codec): boolean => {
  try {
    return probes.every((count) => {
      const entries = kind.marked(count)
      const collection = Kinds.collect(kind, entries)
      const expected = Array.from(kind.entries(collection))
      const decoded = decode(entries)
      return (
        isSame(encode(collection), expected) && kind.is(decoded) && isSame(Array.from(kind.entries(decoded)), expected)
      )
    })
  } catch {
    return false
  }
}

const probes = [0, 1, 2, 3, 40]

const isSame = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) && Array.isArray(other)
    ? one.length === other.length && one.every((part, i) => isSame(part, other[i]))
    : one === other

/** Does a value have that many entries, in all that can be taken apart of it? */
export const isLarge = (plan: Plan, value: unknown, entries: number): boolean => after(plan, value, entries) <= 0

/** What is left to count once the entries of this value are. */
const after = (plan: Plan, value: unknown, left: number): number => {
  switch (plan._tag) {
    case "Whole":
      return left - 1
    case "Through":
      return after(plan.plan, value, left)
    case "Record":
      return isObject(value) ? left - Object.keys(value).length : left
    case "Collection": {
      if (!plan.kind.is(value)) return left
      const size = plan.kind.size(value)
      if (size >= left || isWhole(plan.entry)) return left - size
      return all(plan.kind.entries(value), left, (left, entry) => after(plan.entry, entry, left))
    }
    case "Tuple":
      return Array.isArray(value)
        ? all(plan.elements.entries(), left, (left, [i, element]) => after(element, value[i], left))
        : left
    case "Struct":
      return isObject(value)
        ? all(plan.properties, left, (left, { name, plan }) => after(plan, value[name], left))
        : left
  }
}

const all = <A>(parts: Iterable<A>, left: number, count: (left: number, part: A) => number): number => {
  let rest = left
  for (const part of parts) {
    if (rest <= 0) return rest
    rest = count(rest, part)
  }
  return rest
}

export const isObject = (value: unknown): value is Readonly<{ [name: string]: unknown }> =>
  typeof value === "object" && value !== null
