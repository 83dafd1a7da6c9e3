/**
 * Following a machine: what was applied, command by command, or a query's answers as they change, each exactly once and in the
 * order of the log, from a position on.
 *
 * ```ts
 * bank.applied({ after })                      // every command that was applied, with its success or its own error
 * bank.follow.Balance({ account }, { after })  // the answer after each slot at which it changed
 * ```
 *
 * Both are functions of the log alone: whichever replica is asked, and however often, the same elements come at the same
 * positions. Hence whoever knows the position of the last element that it dealt with goes on from there, on any replica, with no gap and
 * no repeat. A command that stands in the log twice is one element, where it was applied; what was refused, withdrawn or
 * sent to a session that was over is none. What a replica shows is chosen and applied: it is never taken back.
 *
 * A page of elements, as replicas send it:
 *
 * ```
 * ┌────────┬───────┬──────┬───────┬──────┬────────┬─────────┬────────┬────────┬──
 * │ format │ count │ slot │ index │ time │ length │ command │ length │ answer │ …
 * └────────┴───────┴──────┴───────┴──────┴────────┴─────────┴────────┴────────┴──
 *   1 byte   varints                                bytes              bytes
 * ```
 *
 * @since 0.1.0
 */
import type * as Rpc from "@effect/rpc/Rpc"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Reader, stringSize, varintSize, Writer } from "./internal/bytes.js"
import type { Malformed } from "./Malformed.js"
import type { CommandDefect, Overloaded, Unavailable } from "./Outcome.js"

const FORMAT = 1

const Count = Schema.Int.pipe(Schema.nonNegative())

/**
 * How far somebody has come: through a command of a slot, counted from 0 among those that were applied in it, or through all of
 * the slot. Plain data, to be kept by whoever follows. Slot 0 is before everything.
 *
 * @since 0.1.0
 * @category models
 */
export const Position = Schema.Struct({
  slot: Count,
  index: Schema.optionalWith(Count, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Position = typeof Position.Type

/**
 * Does `a` come before `b`?
 *
 * @since 0.1.0
 * @category ordering
 */
export const isBefore = (a: Position, b: Position): boolean =>
  a.slot < b.slot || (a.slot === b.slot && a.index !== undefined && (b.index === undefined || a.index < b.index))

/**
 * What came after the position that was asked for is in no log any more, on any replica that could be asked.
 *
 * @since 0.1.0
 * @category errors
 */
export class FeedTrimmed extends Schema.TaggedError<FeedTrimmed>("@synod/state-machine/FeedTrimmed")("FeedTrimmed", {
  /** What came after this slot can still be followed, for now. */
  earliest: Count
}) {
  override get message(): string {
    return `What was asked for is in no log any more; what came after slot ${this.earliest} still is`
  }
}

/**
 * How following may end. `Unavailable`: no replica that hears of a leader could be reached. `Overloaded`: none had room.
 *
 * @since 0.1.0
 * @category errors
 */
export type Failure = Unavailable | Overloaded | FeedTrimmed

/**
 * One element, as bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Record {
  readonly slot: number
  /** Among the commands that were applied in the slot, from 0. */
  readonly index: number
  /** The time agreed for the slot, in milliseconds since 1970. */
  readonly time: number
  /** The command as its client wrote it; nothing where a query is followed. */
  readonly command: Uint8Array
  /** The `Answer` to the command, or to the query that is followed. */
  readonly answer: Uint8Array
}

/**
 * What came after a position, as far as it fits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly records: ReadonlyArray<Record>
  /** All that came by here is told. */
  readonly through: Position
}

/**
 * A command that was applied.
 *
 * @since 0.1.0
 * @category models
 */
export type Applied<Command extends Rpc.Any> = Command extends Rpc.Any
  ? {
      readonly position: Required<Position>
      /** The time agreed for its slot, in milliseconds since 1970. */
      readonly time: number
      /** The tag of the command. */
      readonly command: Rpc.Tag<Command>
      readonly payload: Rpc.Payload<Command>
      /** Its success, or the error with which it changed nothing. */
      readonly exit: Exit.Exit<Rpc.Success<Command>, Rpc.Error<Command> | CommandDefect>
    }
  : never

/**
 * What a query is answered from a slot on, until the next such answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Followed<out Query extends Rpc.Any> {
  readonly slot: number
  /** The time agreed for the slot, in milliseconds since 1970. */
  readonly time: number
  readonly exit: Exit.Exit<Rpc.Success<Query>, Rpc.Error<Query> | CommandDefect>
}

/**
 * What every client has to follow its machine with. Streams are pulled: nothing is asked for before it is needed.
 *
 * @since 0.1.0
 * @category clients
 */
export interface Methods<out Commands extends Rpc.Any, in out Queries extends Rpc.Any> {
  /**
   * The commands that are applied from now on, or that were after a position, each once, in the order of the log. Every
   * command that is called after the first element was asked for is among them.
   */
  readonly applied: (options?: { readonly after?: Position }) => Stream.Stream<Applied<Commands>, Failure>
  /**
   * A query's answers: the one now, and then the answer after each slot at which it is another one than before. With `after`,
   * those of the slots that come after. None is left out, none told twice.
   */
  readonly follow: {
    readonly [Query in Queries as Rpc.Tag<Query>]: (
      payload: Rpc.PayloadConstructor<Query>,
      options?: { readonly after?: number }
    ) => Stream.Stream<Followed<Query>, Failure>
  }
}

/**
 * The elements of one page after the other, each page asked for when the one before is dealt with.
 *
 * @since 0.1.0
 * @category streams
 */
export const stream = <E>(
  ask: (after: Position | undefined) => Effect.Effect<Page, E>,
  after: Position | undefined
): Stream.Stream<Record, E> => {
  const next = (after: Position | undefined): Effect.Effect<Page, E> =>
    Effect.flatMap(ask(after), (page) => (page.records.length === 0 ? next(page.through) : Effect.succeed(page)))
  return Stream.paginateChunkEffect(after, (after: Position | undefined) =>
    Effect.map(next(after), ({ records, through }) => [
      Chunk.unsafeFromArray(records),
      Option.some<Position | undefined>(through)
    ])
  )
}

/**
 * Is a query answered as before?
 *
 * @since 0.1.0
 * @category checking
 */
export const isSameAnswer = (a: Uint8Array, b: Uint8Array): boolean =>
  a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]))

/**
 * How long an element is in a page, in bytes.
 *
 * @since 0.1.0
 * @category encoding
 */
export const sizeOf = ({ answer, command, index, slot, time }: Record): number =>
  varintSize(slot) + varintSize(index) + varintSize(time) + stringSize(command) + stringSize(answer)

/**
 * @since 0.1.0
 * @category encoding
 */
export const encode = (records: ReadonlyArray<Record>): Uint8Array => {
  let size = 1 + varintSize(records.length)
  for (const record of records) size += sizeOf(record)
  const writer = new Writer(size)
  writer.byte(FORMAT)
  writer.varint(records.length)
  for (const { answer, command, index, slot, time } of records) {
    writer.varint(slot)
    writer.varint(index)
    writer.varint(time)
    writer.string(command)
    writer.string(answer)
  }
  return writer.bytes
}

/** Each number, and the length of each string, takes a byte at least. */
const SHORTEST = 5

/**
 * The commands and answers are views of the page.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<ReadonlyArray<Record>, Malformed> => {
  const reader = new Reader("page", bytes)
  if (reader.byte("the format") !== FORMAT) reader.fail(`format ${FORMAT}`)
  const count = reader.varint("the number of elements")
  if (count * SHORTEST > bytes.length) reader.fail(`${count} elements`)
  const records: Array<Record> = []
  for (let i = 0; i < count && !reader.failed; i++) {
    const slot = reader.varint("the slot")
    const index = reader.varint("the index")
    const time = reader.varint("the time")
    const command = reader.string("a command")
    records.push({ slot, index, time, command, answer: reader.string("an answer") })
  }
  return reader.end(records)
}

/**
 * Whether a page tells of what comes after a position, in order, and of nothing else.
 *
 * @since 0.1.0
 * @category checking
 */
export const isInOrder = ({ records, through }: Page, after: Position | undefined): boolean => {
  let last = after
  for (const record of records) {
    if (last !== undefined && !isBefore(last, record)) return false
    last = record
  }
  return last === undefined || !isBefore(through, last)
}
