/**
 * What a typed client follows its machine with: the elements of a page decoded in one go.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Answer from "../Answer.js"
import type * as Caller from "../Caller.js"
import * as Command from "../Command.js"
import type * as Feed from "../Feed.js"
import { decoder, encode } from "./calls.js"
import type { Definition } from "./interpreter.js"

/** The machine's commands, as they are applied. */
export const applied = (definition: Definition, caller: Caller.Caller) => {
  const { commands, name, version } = definition
  const procedures = new Map(
    Array.from(commands.values(), (procedure) => [
      procedure.tag,
      { ...procedure, decodeAnswer: decoder(definition, procedure) }
    ])
  )
  const decode = ({ answer, command: bytes, index, slot, time }: Feed.Record): Option.Option<unknown> => {
    const command = Either.getOrUndefined(Command.decode(bytes))
    const procedure = command && procedures.get(command.tag)
    const payload = procedure?.decodePayload(command!.payload)
    if (procedure === undefined || payload === undefined || Either.isLeft(payload)) {
      // What no handler could take was answered with a defect, and is no command of this machine.
      const read = Either.getOrUndefined(Answer.decode(answer))
      if (read?._tag === "Defect") return Option.none()
      throw new Error(`A command can't be read: ${name} is of another version here than version ${version}`)
    }
    const exit = readable(procedure.decodeAnswer(answer))
    return Option.some({ position: { slot, index }, time, command: procedure.tag, payload: payload.right, exit })
  }
  return ({ after }: { readonly after?: Feed.Position } = {}) =>
    decoded(caller.follow({ after }), Chunk.filterMap(decode))
}

/** For every query, its answers as they change. */
export const follow = (definition: Definition, caller: Caller.Caller) =>
  Object.fromEntries(
    Array.from(definition.queries.values(), (procedure) => {
      const decode = decoder(definition, procedure)
      const one = ({ answer, slot, time }: Feed.Record) => ({ slot, time, exit: readable(decode(answer)) })
      const answers = (input: unknown, { after }: { readonly after?: number } = {}) =>
        Stream.suspend(() => {
          const query = encode(procedure, input)
          return decoded(
            caller.follow({ query, after: after === undefined ? undefined : { slot: after } }),
            Chunk.map(one)
          )
        })
      return [procedure.tag, answers]
    })
  )

const decoded = <A>(
  records: Stream.Stream<Feed.Record, Feed.Failure>,
  decode: (records: Chunk.Chunk<Feed.Record>) => Chunk.Chunk<A>
) => Stream.mapChunksEffect(records, (chunk) => Effect.sync(() => decode(chunk)))

/** An answer that can't be read says nothing of how the call ended: it ends whoever follows. */
const readable = <A, E>(exit: Exit.Exit<A, E>): Exit.Exit<A, E> => {
  if (Exit.isFailure(exit) && Cause.isDie(exit.cause)) throw Cause.squash(exit.cause)
  return exit
}
