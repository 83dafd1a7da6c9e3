/**
 * The replicated state as bytes: the user's state through its own schema, and the session table.
 *
 * A MessagePack array `[format, name, version, state, [opened, [[id, used, acknowledged, [answer | nil, …]], …], [[id, next], …]]]`,
 * sessions, and those that are over, in the order they were opened. Checksums are the business of whoever stores or sends it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as MessagePack from "./internal/messagePack.js"
import type { Replicated } from "./Replicated.js"
import * as Session from "./Session.js"
import * as SessionTable from "./SessionTable.js"

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

const Sessions = Schema.Tuple(
  Schema.NonNegativeInt,
  Schema.Array(
    Schema.Tuple(
      Schema.NonNegativeInt,
      Schema.NonNegativeInt,
      Schema.NonNegativeInt,
      Schema.Array(Schema.NullOr(Schema.Uint8ArrayFromSelf)).pipe(Schema.maxItems(Session.WINDOW))
    )
  ),
  Schema.Array(Schema.Tuple(Schema.NonNegativeInt, Schema.NonNegativeInt))
)

const Envelope = Schema.Tuple(Schema.Literal(FORMAT), Schema.String, Schema.NonNegativeInt, Schema.Unknown, Sessions)

const decodeEnvelope = Schema.decodeUnknownEither(Envelope)

/** @internal */
export const encode = <State>(machine: Subject<State>, { sessions, state }: Replicated<State>): Uint8Array => {
  const table: typeof Sessions.Encoded = [
    sessions.opened,
    SessionTable.entries(sessions).map(
      ([id, session]) =>
        [id, session.used, session.acknowledged, Session.answers(session).map((answer) => answer ?? null)] as const
    ),
    SessionTable.over(sessions)
  ]
  const encoded = Schema.encodeSync(machine.schema)(state)
  return Either.getOrThrowWith(
    MessagePack.encode(`state of ${machine.name}`, [FORMAT, machine.name, machine.version, encoded, table]),
    identity
  )
}

/** @internal */
export const decode = <State>(
  machine: Subject<State>,
  bytes: Uint8Array
): Either.Either<Replicated<State>, SnapshotError> => {
  const refuse = (reason: string) => Either.left(new SnapshotError({ machine: machine.name, reason }))
  const read = MessagePack.decode("snapshot", bytes)
  if (Either.isLeft(read)) return refuse(read.left.message)
  const envelope = decodeEnvelope(read.right)
  if (Either.isLeft(envelope)) return refuse(`it is no snapshot of format ${FORMAT}`)
  const [, name, version, encoded, [opened, sessions, over]] = envelope.right
  if (name !== machine.name) return refuse(`it is of the machine ${name}`)
  if (version > machine.version) {
    return refuse(`it is of version ${version} and this is version ${machine.version}`)
  }
  const state = Schema.decodeUnknownEither(machine.schema)(encoded)
  if (Either.isLeft(state)) {
    return refuse(`its state doesn't fit the schema: ${ParseResult.TreeFormatter.formatErrorSync(state.left)}`)
  }
  return Either.right({
    state: state.right,
    sessions: SessionTable.make(
      opened,
      sessions.map(([id, used, acknowledged, answers]) => {
        const held = answers.map((answer) => answer ?? undefined)
        return [id, Session.make(used, acknowledged, held)] as const
      }),
      over
    )
  })
}
