/**
 * The replicated state as bytes, a little at a time: the user's state through its own schema, and the session table.
 *
 * A MessagePack array `[format, name, version, state, sessions]`. Where the schema of the state has collections, at the top or
 * within structs, their entries are encoded and decoded some at a time, and each of them by itself. So a state of any size
 * takes no longer in one go than its largest part that can't be taken apart. Checksums are the business of
 * whoever stores or sends it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import { Decoder } from "./internal/slices/decoder.js"
import { Encoder } from "./internal/slices/encoder.js"
import * as Plan from "./internal/slices/plan.js"
import * as Sessions from "./internal/slices/sessions.js"
import type { Replicated } from "./Replicated.js"

const FORMAT = 1

/**
 * Bytes that this machine can't take its state from.
 *
 * @since 0.1.0
 * @category errors
 */
export class SnapshotError extends Data.TaggedError("SnapshotError")<{
  /** The machine that was to be restored. */
  readonly machine: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.machine} can't be restored from this snapshot: ${this.reason}`
  }
}

/** @internal */
export interface Subject<State> {
  readonly name: string
  readonly version: number
  readonly schema: Schema.Schema<State, unknown>
}

/**
 * How a machine's snapshots are written and read.
 *
 * @internal
 */
export interface Format<State> {
  /** Begins a snapshot. Its `next` throws when the state's own schema refuses it: then the machine is wrong. */
  readonly writer: (replicated: Replicated<State>) => Pick<Encoder, "next">
  readonly reader: () => Reader<State>
}

/** @internal */
export interface Reader<State> {
  /** Takes the next bytes. Once it has failed, it fails. */
  readonly write: (bytes: Uint8Array) => Either.Either<void, SnapshotError>
  readonly end: () => Either.Either<Replicated<State>, SnapshotError>
}

/** @internal */
export const format = <State>(machine: Subject<State>): Format<State> => {
  const state = Plan.of(machine.schema)
  const frame = () => {
    const checked = (check: (value: unknown) => unknown): Plan.Plan => Plan.whole({ encode: identity, decode: check })
    return Plan.tuple([
      checked((format) => format === FORMAT || refuse(`it is no snapshot of format ${FORMAT}`)),
      checked((name) => name === machine.name || refuse(`it is of the machine ${String(name)}`)),
      checked(
        (version) =>
          (Number.isSafeInteger(version) && (version as number) <= machine.version) ||
          refuse(`it is of version ${String(version)} and this is version ${machine.version}`)
      ),
      state,
      Sessions.plan()
    ])
  }

  const tried = <A>(run: () => A): Either.Either<A, SnapshotError> =>
    Either.try({ try: run, catch: (fault) => new SnapshotError({ machine: machine.name, reason: reasonOf(fault) }) })

  return {
    writer: ({ sessions, state }) =>
      new Encoder(`state of ${machine.name}`, frame(), [FORMAT, machine.name, machine.version, state, sessions]),
    reader: () => {
      const decoder = new Decoder("snapshot", frame())
      let failed: Either.Either<never, SnapshotError> | undefined
      return {
        write: (bytes) => {
          const written = failed ?? tried(() => decoder.write(bytes))
          if (Either.isLeft(written)) failed = Either.left(written.left)
          return written
        },
        end: () =>
          failed ??
          tried(() => {
            const [, , , state, sessions] = decoder.end() as readonly [1, string, number, State, Replicated["sessions"]]
            return { state, sessions }
          })
      }
    }
  }
}

class Refusal extends Error {}

const refuse = (reason: string): never => {
  throw new Refusal(reason)
}

const reasonOf = (fault: unknown): string =>
  ParseResult.isParseError(fault)
    ? `its state doesn't fit the schema: ${fault.message}`
    : fault instanceof Error
      ? fault.message
      : String(fault)

/**
 * All of it at once.
 *
 * @internal
 */
export const encode = <State>({ writer }: Format<State>, replicated: Replicated<State>): Uint8Array => {
  const writing = writer(replicated)
  return writing.next(Number.POSITIVE_INFINITY) ?? new Uint8Array(0)
}

/** @internal */
export const decode = <State>(
  { reader }: Format<State>,
  bytes: Uint8Array
): Either.Either<Replicated<State>, SnapshotError> => {
  const reading = reader()
  return Either.flatMap(reading.write(bytes), reading.end)
}
