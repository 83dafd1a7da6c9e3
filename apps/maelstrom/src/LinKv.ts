/**
 * The requests of the lin-kv workload (`doc/workloads.md` of Maelstrom), answered by a client of the store.
 */
import type { StateMachine } from "@synod/state-machine"
import { Effect } from "effect"
import * as Json from "./Json.js"
import { type Body, type Code, codes } from "./Message.js"
import type { Store } from "./Store.js"

/** What answers a request, without the ids. */
export type Answer = { readonly type: string; readonly [field: string]: unknown }

export const error = (code: Code, text: string): Answer => ({ type: "error", code, text })

/** Answers a request of any type, in any case. */
export const answer = (
  store: Pick<StateMachine.ClientOf<typeof Store>, "Read" | "Write" | "Cas">,
  body: Body
): Effect.Effect<Answer> => {
  const fields = { read: ["key"], write: ["key", "value"], cas: ["key", "from", "to"] }
  const type = body.type
  if (type !== "read" && type !== "write" && type !== "cas") {
    return Effect.succeed(error(codes.notSupported, `${type} is none of init, ${Object.keys(fields).join(", ")}`))
  }
  const missing = fields[type].find((name) => !Object.hasOwn(body, name))
  if (missing !== undefined) return Effect.succeed(error(codes.malformedRequest, `a ${type} needs a ${missing}`))
  const text = (name: string) => Json.canonical(body[name])
  const key = text("key")
  const done = { type: `${type}_ok` }
  const request = {
    read: () => Effect.map(store.Read({ key }), (value): Answer => ({ ...done, value: JSON.parse(value) as unknown })),
    write: () => Effect.as(store.Write({ key, value: text("value") }), done),
    cas: () => Effect.as(store.Cas({ key, from: text("from"), to: text("to") }), done)
  }[type]
  return Effect.catchAll(request(), (failure) => Effect.succeed(error(codeOf[failure._tag], failure.message)))
}

/** Only an outcome that is not known may be indefinite, and it must be. */
const codeOf = {
  KeyDoesNotExist: codes.keyDoesNotExist,
  PreconditionFailed: codes.preconditionFailed,
  Unavailable: codes.temporarilyUnavailable,
  Overloaded: codes.temporarilyUnavailable,
  OutcomeUnknown: codes.timeout,
  SessionExpired: codes.timeout,
  CommandDefect: codes.abort
} as const
