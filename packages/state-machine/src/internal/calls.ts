/**
 * The two ends of a call as its client sees them: what it passes, as bytes, and how the call ends, from the bytes of an answer.
 */
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import * as Answer from "../Answer.js"
import * as Command from "../Command.js"
import { CommandDefect, Unavailable } from "../Outcome.js"
import type { Definition } from "./interpreter.js"
import type { Procedure } from "./procedure.js"

/** Throws for an input that the payload's schema refuses. */
export const encode = (procedure: Procedure, input: unknown): Uint8Array => {
  const payload = Either.getOrThrowWith(procedure.encodePayload(procedure.construct(input)), ParseResult.parseError)
  return Either.getOrThrowWith(Command.encode(procedure.tag, payload), identity)
}

/** How a call with this answer ends. */
export const decoder = ({ name, version }: Definition, procedure: Procedure) => {
  const unreadable = (what: string) =>
    Exit.die(
      new Error(
        `The ${what} of ${procedure.tag} can't be read: ${name} is of another version here than version ${version}`
      )
    )
  return (bytes: Uint8Array): Exit.Exit<unknown, unknown> => {
    const read = Answer.decode(bytes)
    if (Either.isLeft(read)) return unreadable("answer")
    const answer = read.right
    switch (answer._tag) {
      case "Success": {
        const value = procedure.decodeSuccess(answer.value)
        return Either.isRight(value) ? Exit.succeed(value.right) : unreadable("success")
      }
      case "Failure": {
        const error = procedure.decodeError(answer.error)
        return Either.isRight(error) ? Exit.fail(error.right) : unreadable("error")
      }
      case "Defect":
        return Exit.fail(new CommandDefect({ command: answer.command, reason: answer.reason }))
      case "Forgotten":
        return Exit.die(new Error(`The answer to ${procedure.tag} was acknowledged before it was asked for`))
      case "Withdrawn":
        return Exit.fail(new Unavailable({ reason: "it was asked what became of the command before that was applied" }))
    }
  }
}
