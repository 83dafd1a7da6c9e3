/**
 * A typed client: a method for each command and query that encodes its payload once, calls, and decodes the answer.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import * as Answer from "../Answer.js"
import type * as Caller from "../Caller.js"
import * as Command from "../Command.js"
import * as Consistency from "../Consistency.js"
import { CommandDefect, SessionExpired, type Token, Unavailable } from "../Outcome.js"
import * as Ticket from "../Ticket.js"
import type { Definition } from "./interpreter.js"
import type { Procedure } from "./procedure.js"

type Method = (input: unknown) => Effect.Effect<unknown, unknown>

export const makeClient = (
  definition: Definition,
  caller: Caller.Caller
): Readonly<Record<string, Method | Effect.Effect<number>>> => {
  const client: Record<string, Method | Effect.Effect<number>> = {
    resolve: resolver(definition, caller) as Method,
    seen: caller.seen
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
  return (input) =>
    Effect.suspend(() => {
      const payload = Either.getOrThrowWith(procedure.encodePayload(procedure.construct(input)), ParseResult.parseError)
      return Effect.flatMap(call(Either.getOrThrowWith(Command.encode(procedure.tag, payload), identity)), decode)
    })
}

const decoder = ({ name, version }: Definition, procedure: Procedure) => {
  const unreadable = (what: string) =>
    Effect.die(
      new Error(
        `The ${what} of ${procedure.tag} can't be read: ${name} is of another version here than version ${version}`
      )
    )
  return (bytes: Uint8Array): Effect.Effect<unknown, unknown> => {
    const read = Answer.decode(bytes)
    if (Either.isLeft(read)) return unreadable("answer")
    const answer = read.right
    switch (answer._tag) {
      case "Success": {
        const value = procedure.decodeSuccess(answer.value)
        return Either.isRight(value) ? Effect.succeed(value.right) : unreadable("success")
      }
      case "Failure": {
        const error = procedure.decodeError(answer.error)
        return Either.isRight(error) ? Effect.fail(error.right) : unreadable("error")
      }
      case "Defect":
        return Effect.fail(new CommandDefect({ command: answer.command, reason: answer.reason }))
      case "Forgotten":
        return Effect.die(new Error(`The answer to ${procedure.tag} was acknowledged before it was asked for`))
      case "Withdrawn":
        return Effect.fail(
          new Unavailable({ reason: "it was asked what became of the command before that was applied" })
        )
    }
  }
}
