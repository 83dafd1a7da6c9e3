/**
 * Maelstrom's messages: JSON objects, one a line, each with a source, a destination and a body.
 *
 * The protocol is that of its `doc/protocol.md`.
 */
import { Data, Either, Schema } from "effect"
import * as Json from "./Json.js"

/** Of a body only what routes it is read here; the rest belongs to whoever knows its type. */
export const Message = Schema.Struct({
  src: Schema.String,
  dest: Schema.String,
  body: Schema.Struct(
    {
      type: Schema.String,
      msg_id: Schema.optionalWith(Schema.Int, { exact: true }),
      in_reply_to: Schema.optionalWith(Schema.Int, { exact: true })
    },
    { key: Schema.String, value: Schema.Unknown }
  )
})

export type Message = typeof Message.Type

export type Body = Message["body"]

/** Maelstrom's error codes, as far as a node of ours gives them. */
export const codes = {
  /** The outcome is not known. */
  timeout: 0,
  notSupported: 10,
  /** Certainly not done. */
  temporarilyUnavailable: 11,
  malformedRequest: 12,
  /** Certainly not done, for a reason that will stay. */
  abort: 14,
  keyDoesNotExist: 20,
  preconditionFailed: 22
} as const

export type Code = (typeof codes)[keyof typeof codes]

/** A line that is no message. */
export class Malformed extends Data.TaggedError("Malformed")<{
  readonly expected: string
  /** Whom to tell, if the line says who asked. */
  readonly request: { readonly src: string; readonly msgId: number } | undefined
}> {
  override get message(): string {
    return `expected ${this.expected}`
  }
}

const decode = Schema.decodeUnknownEither(Message)

/** What can be told of a message that is otherwise none. */
const Request = Schema.Struct({ src: Schema.String, body: Schema.Struct({ msg_id: Schema.Int }) })

const isRequest = Schema.is(Request)

export const parse = (line: string): Either.Either<Message, Malformed> => {
  if (Json.depthOf(line) > Json.maxDepth) {
    return Either.left(new Malformed({ expected: `at most ${Json.maxDepth} levels of nesting`, request: undefined }))
  }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return Either.left(new Malformed({ expected: "a JSON object a line", request: undefined }))
  }
  return Either.mapLeft(
    decode(value),
    () =>
      new Malformed({
        expected: "src and dest as strings, and a body with a type as a string and ids as integers",
        request: isRequest(value) ? { src: value.src, msgId: value.body.msg_id } : undefined
      })
  )
}
