/**
 * What `StateMachine.make` refuses, so that a mistake shows when a machine is made and not when a replica falls over it.
 */
import type * as Rpc from "@effect/rpc/Rpc"
import * as RpcSchema from "@effect/rpc/RpcSchema"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Digest from "../Digest.js"
import * as SessionTable from "../SessionTable.js"
import * as Snapshot from "../Snapshot.js"
import type { ValueDefinition } from "./interpreter.js"

export interface Subject {
  readonly name: string
  readonly version: number
  /** What a machine has whose state is a value. */
  readonly state?: Schema.Schema.Any
  readonly commands: ReadonlyArray<Rpc.AnyWithProps>
  readonly queries: ReadonlyArray<Rpc.AnyWithProps>
  readonly sessions: SessionTable.Bounds
}

/** Why there can be no such machine, or `undefined`. */
export const faultOf = (subject: Subject): string | undefined => {
  if (subject.name.length === 0) return "its name is empty"
  if (!Number.isSafeInteger(subject.version) || subject.version < 1) {
    return `its version is ${subject.version}, and must be an integer from 1 on`
  }
  const { expiry, most } = subject.sessions
  if (!Number.isSafeInteger(most) || most < 1) return `it has room for ${most} sessions, and must have for one or more`
  if (!Number.isSafeInteger(expiry) || expiry < 1) return "its sessions must last for a whole number of milliseconds"
  const tags = new Set<string>()
  for (const rpc of [...subject.commands, ...subject.queries]) {
    const tag = rpc._tag
    if (tag.length === 0) return "a command or query has an empty tag"
    if (Reserved.has(tag)) return `the tag ${tag} is the name of a method that every client has`
    if (tags.has(tag)) return `the tag ${tag} is used twice among its commands and queries`
    tags.add(tag)
    if (RpcSchema.isStreamSchema(rpc.successSchema)) return `${tag} is a stream; commands and queries have one reply`
    if (rpc.middlewares.size > 0) return `${tag} has middleware, which no replica would run`
    const fault =
      unpackable(`the payload of ${tag}`, rpc.payloadSchema) ??
      unpackable(`the success of ${tag}`, rpc.successSchema) ??
      unpackable(`the error of ${tag}`, rpc.errorSchema)
    if (fault !== undefined) return fault
  }
  return subject.state && unpackable("its state", subject.state)
}

/** What a client has besides the machine's own methods. */
const Reserved: ReadonlySet<string> = new Set(["resolve", "seen", "applied", "follow"])

/** Why the initial state could not be taken from a snapshot again, or `undefined`. */
export const faultOfInitial = <State>(definition: ValueDefinition<State>): string | undefined => {
  const { initial } = definition
  const format = Snapshot.format(definition)
  let bytes: Uint8Array
  try {
    bytes = Snapshot.encode(format, { state: initial, sessions: SessionTable.empty })
  } catch (cause) {
    return `its initial state doesn't fit its schema: ${cause instanceof Error ? cause.message : String(cause)}`
  }
  const restored = Snapshot.decode(format, bytes)
  if (Either.isLeft(restored)) return restored.left.message
  return Digest.of(restored.right.state) === Digest.of(initial)
    ? undefined
    : "its initial state comes back from a snapshot as another value"
}

const unpackable = (what: string, schema: Schema.Schema.All): string | undefined => {
  const found = findUnpackable(AST.encodedAST(schema.ast), new Set())
  return found === undefined
    ? undefined
    : `${what} encodes to ${String(found)}, which has no form as bytes; use a schema that encodes to plain data`
}

/** Classes that MessagePack holds as they are. */
const PACKABLE: ReadonlySet<AST.AST> = new Set([Schema.Uint8ArrayFromSelf.ast, Schema.DateFromSelf.ast])

const findUnpackable = (ast: AST.AST, seen: Set<AST.AST>): AST.AST | undefined => {
  if (seen.has(ast)) return undefined
  seen.add(ast)
  const first = (asts: ReadonlyArray<AST.AST>): AST.AST | undefined => {
    for (const member of asts) {
      const found = findUnpackable(member, seen)
      if (found !== undefined) return found
    }
    return undefined
  }
  switch (ast._tag) {
    case "Declaration":
      return PACKABLE.has(ast) ? undefined : ast
    case "SymbolKeyword":
    case "UniqueSymbol":
      return ast
    case "TypeLiteral":
      return ast.propertySignatures.some(({ name }) => typeof name === "symbol")
        ? ast
        : first(
            [
              ...ast.propertySignatures,
              ...ast.indexSignatures.flatMap((index) => [{ type: index.parameter }, index])
            ].map(({ type }) => type)
          )
    case "TupleType":
      return first([...ast.elements, ...ast.rest].map(({ type }) => type))
    case "Union":
      return first(ast.types)
    case "Refinement":
      return findUnpackable(ast.from, seen)
    case "Suspend":
      return findUnpackable(ast.f(), seen)
    default:
      return undefined
  }
}
