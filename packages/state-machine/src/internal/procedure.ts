/**
 * An `Rpc` with its codecs compiled: a machine does this once, not for every command.
 */
import type * as Rpc from "@effect/rpc/Rpc"
import type * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

type Codec = (input: unknown) => Either.Either<unknown, ParseResult.ParseIssue>

export interface Procedure {
  readonly tag: string
  /** From what a caller passes to the payload's type, with its defaults filled in; encoding tells whether it fits. */
  readonly construct: (input: unknown) => unknown
  readonly encodePayload: Codec
  readonly decodePayload: Codec
  readonly encodeSuccess: Codec
  readonly decodeSuccess: Codec
  readonly encodeError: Codec
  readonly decodeError: Codec
}

export const fromRpcs = (rpcs: ReadonlyArray<Rpc.AnyWithProps>): ReadonlyMap<string, Procedure> =>
  new Map(rpcs.map((rpc) => [rpc._tag, fromRpc(rpc)]))

const fromRpc = (rpc: Rpc.AnyWithProps): Procedure => {
  const payload = untyped(rpc.payloadSchema)
  const success = untyped(rpc.successSchema)
  const error = untyped(rpc.errorSchema)
  return {
    tag: rpc._tag,
    construct: constructor(rpc.payloadSchema),
    encodePayload: ParseResult.encodeUnknownEither(payload),
    decodePayload: ParseResult.decodeUnknownEither(payload),
    // A success of type void is whatever the handler left there; none of it is kept.
    encodeSuccess: AST.isVoidKeyword(success.ast) ? () => VOID : ParseResult.encodeUnknownEither(success),
    decodeSuccess: ParseResult.decodeUnknownEither(success),
    encodeError: ParseResult.encodeUnknownEither(error),
    decodeError: ParseResult.decodeUnknownEither(error)
  }
}

const VOID = ParseResult.succeed(undefined) as Either.Either<unknown, ParseResult.ParseIssue>

/** `StateMachine.make` only takes schemas that need no services; `Rpc.AnyWithProps` no longer says so. */
const untyped = (schema: Schema.Schema.All): Schema.Schema<unknown, unknown> => Schema.make(schema.ast)

type Make = (input: unknown, options: { readonly disableValidation: boolean }) => unknown

/**
 * Structs and classes have a `make` that fills in defaults; other schemas take their type as it is. Whether it fits is
 * seen once, when it is encoded.
 */
const constructor =
  (schema: Schema.Schema.All & { readonly make?: Make }) =>
  (input: unknown): unknown =>
    schema.make === undefined ? input : schema.make(input, { disableValidation: true })
