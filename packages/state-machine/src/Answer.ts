/**
 * What became of one command or query, as bytes: a MessagePack array of the kind and what belongs to it.
 *
 * ```
 * [0, value]         Success    the encoded success
 * [1, error]         Failure    the encoded error; the state is as it was
 * [2, tag, reason]   Defect     the state is as it was
 * [3]                Forgotten  the client acknowledged it long ago, and its answer was let go
 * [4]                Withdrawn  it was asked for before it came: it was never applied, and never will be
 * ```
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as MessagePack from "./internal/messagePack.js"
import { Malformed } from "./Malformed.js"

const SUCCESS = 0
const FAILURE = 1
const DEFECT = 2
const FORGOTTEN = 3
const WITHDRAWN = 4

/**
 * @since 0.1.0
 * @category models
 */
export type Answer =
  | { readonly _tag: "Success"; readonly value: unknown }
  | { readonly _tag: "Failure"; readonly error: unknown }
  | { readonly _tag: "Defect"; readonly command: string; readonly reason: string }
  | { readonly _tag: "Forgotten" }
  | { readonly _tag: "Withdrawn" }

/**
 * Fails when the value's encoded form holds what MessagePack can't.
 *
 * @since 0.1.0
 * @category encoding
 */
export const success = (value: unknown): Either.Either<Uint8Array, Malformed> =>
  value === undefined ? VOID : MessagePack.encode("success", [SUCCESS, value])

/**
 * Fails when the error's encoded form holds what MessagePack can't.
 *
 * @since 0.1.0
 * @category encoding
 */
export const failure = (error: unknown): Either.Either<Uint8Array, Malformed> =>
  MessagePack.encode("failure", [FAILURE, error])

/**
 * @since 0.1.0
 * @category encoding
 */
export const defect = (command: string, reason: string): Uint8Array =>
  Either.getOrThrow(MessagePack.encode("defect", [DEFECT, command, reason]))

/**
 * @since 0.1.0
 * @category encoding
 */
export const forgotten: Uint8Array = Either.getOrThrow(MessagePack.encode("answer", [FORGOTTEN]))

/**
 * @since 0.1.0
 * @category encoding
 */
export const withdrawn: Uint8Array = Either.getOrThrow(MessagePack.encode("answer", [WITHDRAWN]))

// Most commands succeed with nothing: they share these bytes.
const VOID = MessagePack.encode("success", [SUCCESS, undefined])

/**
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Answer, Malformed> =>
  Either.flatMap(MessagePack.decode("answer", bytes), (parts): Either.Either<Answer, Malformed> => {
    if (Array.isArray(parts)) {
      const [kind, first, second] = parts as ReadonlyArray<unknown>
      if (kind === SUCCESS && parts.length === 2) return Either.right({ _tag: "Success", value: first })
      if (kind === FAILURE && parts.length === 2) return Either.right({ _tag: "Failure", error: first })
      if (kind === DEFECT && typeof first === "string" && typeof second === "string") {
        return Either.right({ _tag: "Defect", command: first, reason: second })
      }
      if (kind === FORGOTTEN) return Either.right({ _tag: "Forgotten" })
      if (kind === WITHDRAWN) return Either.right({ _tag: "Withdrawn" })
    }
    return Either.left(
      new Malformed({ what: "answer", at: 0, expected: "a success, failure, defect, forgotten or withdrawn" })
    )
  })
