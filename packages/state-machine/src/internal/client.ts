/**
 * A typed client: a method for each command and query that encodes its payload once, calls, and decodes the answer.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Answer from "../Answer.js"
import type * as Caller from "../Caller.js"
import * as Consistency from "../Consistency.js"
import { CommandDefect, SessionExpired, type Token } from "../Outcome.js"
import * as Ticket from "../Ticket.js"
import { decoder, encode } from "./calls.js"
import * as Follow from "./follow.js"
import type { Definition } from "./interpreter.js"
import type { Procedure } from "./procedure.js"

type Method = (input: unknown) => Effect.Effect<unknown, unknown>

export const makeClient = (definition: Definition, caller: Caller.Caller): Readonly<Record<string, unknown>> => {
  const client: Record<string, unknown> = {
    resolve: resolver(definition, caller),
    seen: caller.seen,
    applied: Follow.applied(definition, caller),
    follow: Follow.follow(definition, caller)
  }
  const submit = (bytes: Uint8Array) => Effect.flatMap(Ticket.Current, (ticket) => caller.submit(bytes, ticket?.note))
  for (const command of definition.commands.values()) {
    client[command.tag] = method(definition, command, submit)
  }
  for (const query of definition.queries.values()) {
    client[query.tag] = method(definition, query, (bytes) =>
      Effect.flatMap(Consistency.Current, (consistency) => caller.query(bytes, consistency))
    )
  }
  return client
}

const resolver = (definition: Definition, caller: Caller.Caller) => {
  const decoders = new Map(Array.from(definition.commands, ([tag, command]) => [tag, decoder(definition, command)]))
  return (token: Token): Effect.Effect<unknown, unknown> =>
    Effect.suspend(() => {
      const { command } = token
      const decode = decoders.get(command)
      if (decode === undefined) {
        return Effect.fail(new CommandDefect({ command, reason: `${definition.name} has no such command` }))
      }
      return Effect.flatMap(caller.resolve(token), (bytes) => {
        const answer = Answer.decode(bytes)
        if (Either.isRight(answer) && answer.right._tag === "Withdrawn") return Effect.succeed({ _tag: "NeverApplied" })
        if (Either.isRight(answer) && answer.right._tag === "Forgotten")
          return Effect.fail(new SessionExpired({ token }))
        return Effect.map(decode(bytes), (value) => ({ _tag: "Applied", command, value }))
      })
    })
}

const method = (
  definition: Definition,
  procedure: Procedure,
  call: (bytes: Uint8Array) => Effect.Effect<Uint8Array, unknown>
): Method => {
  const decode = decoder(definition, procedure)
  // What a caller passes is encoded when the call runs, so that an input its schema refuses is a defect of that call.
  return (input) => Effect.suspend(() => Effect.flatMap(call(encode(procedure, input)), decode))
}
