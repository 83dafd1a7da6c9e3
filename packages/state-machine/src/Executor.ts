/**
 * Runs a machine: bytes of the log in, bytes of the replies out, alike on every replica.
 *
 * ```
 *   batch of a slot ──► envelopes ──► commands ──► answered before? ── yes ──► the first answer
 *                                                        │ no
 *                                                        ▼
 *                                        decode ─► handler ─► encode ──► answer and next state
 * ```
 *
 * Everything here is synchronous and none of it throws: what can't be decoded, and what a handler does wrong, is
 * answered in the same words everywhere and changes nothing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Either from "effect/Either"
import type * as Runtime from "effect/Runtime"
import * as Answer from "./Answer.js"
import * as Batch from "./Batch.js"
import * as Digest from "./Digest.js"
import * as Envelope from "./Envelope.js"
import { HandlerRuntime } from "./internal/handlerRuntime.js"
import { type Definition, Interpreter, type UntypedHandlers } from "./internal/interpreter.js"
import type { Replicated } from "./Replicated.js"
import * as Reply from "./Reply.js"
import * as Session from "./Session.js"
import * as Snapshot from "./Snapshot.js"

export type { Replicated }

/**
 * A place in the log, and the time there.
 *
 * @since 0.1.0
 * @category models
 */
export interface At {
  readonly slot: number
  /** The time agreed for the slot, in milliseconds since 1970. */
  readonly time: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Applied<State = any> {
  readonly state: Replicated<State>
  /** One `Reply` an envelope of the batch, in order. */
  readonly replies: ReadonlyArray<Uint8Array>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Executor<State = any> {
  readonly machine: { readonly name: string; readonly version: number }
  /** What a replica holds before the first slot. */
  readonly initial: Replicated<State>
  /** Applies the batch of a slot. Bytes that are no batch get no reply and change nothing. Never throws. */
  readonly apply: (state: Replicated<State>, at: At, batch: Uint8Array) => Applied<State>
  /** Answers a query with the bytes of an `Answer`; `at` is the last slot applied. Never throws. */
  readonly query: (state: Replicated<State>, at: At, query: Uint8Array) => Uint8Array
  /** Equal on all replicas after equal slots, however they came there; 16 hex digits. */
  readonly digest: (state: Replicated<State>) => string
  /** The state as bytes. Throws when the state's own schema refuses it: then the machine is wrong. */
  readonly snapshot: (state: Replicated<State>) => Uint8Array
  /** The state that a snapshot was taken of. */
  readonly restore: (bytes: Uint8Array) => Either.Either<Replicated<State>, Snapshot.SnapshotError>
}

/**
 * The executor of the machine `Name`, in the requirements of an effect or layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Id<in out Name extends string> {
  readonly _: "@synod/state-machine/Executor"
  readonly name: (_: Name) => Name
}

/**
 * The tag of the executor of a machine.
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Name extends string, State>(name: Name): Context.Tag<Id<Name>, Executor<State>> =>
  Context.GenericTag<Id<Name>, Executor<State>>(`@synod/state-machine/Executor/${name}`)

/**
 * The executor of a machine with its handlers, which run with the loggers and settings of `runtime`.
 *
 * @internal
 */
export const make = <State>(
  definition: Definition<State>,
  handlers: UntypedHandlers<State>,
  runtime: Runtime.Runtime<never>
): Executor<State> => {
  const interpreter = new Interpreter(definition, handlers, new HandlerRuntime(runtime), runtime)
  const { name, version } = definition

  const apply: Executor<State>["apply"] = (replicated, at, bytes) => {
    const batch = Batch.decode(bytes)
    if (Either.isLeft(batch)) return { state: replicated, replies: [] }
    const replies: Array<Uint8Array> = []
    let { sessions, state } = replicated
    let index = 0

    const call = ({ acknowledged, commands, first, session: id }: Envelope.Call): Reply.Reply => {
      const known = Session.get(sessions, id)
      if (known === undefined) return Reply.sessionUnknown
      let session = Session.acknowledge(known, acknowledged)
      const answers = commands.map((command, i) => {
        const sequence = first + i
        if (sequence < session.acknowledged) return Answer.forgotten
        const answered = Session.answer(session, sequence)
        if (answered !== undefined) return answered
        if (sequence >= session.acknowledged + Session.WINDOW) return BEYOND_WINDOW
        const result = interpreter.command(state, at, index++, command)
        state = result.state
        session = Session.record(session, sequence, result.answer)
        return result.answer
      })
      sessions = Session.set(sessions, id, session)
      return Reply.replied(answers)
    }

    for (const envelopeBytes of batch.right) {
      const envelope = Envelope.decode(envelopeBytes)
      if (Either.isLeft(envelope)) {
        replies.push(Reply.encode(Reply.refused(envelope.left.message)))
      } else if (envelope.right._tag === "Open") {
        sessions = Session.open(sessions)
        replies.push(Reply.encode(Reply.opened(sessions.opened)))
      } else {
        replies.push(Reply.encode(call(envelope.right)))
      }
    }
    return { state: { state, sessions }, replies }
  }

  return {
    machine: { name, version },
    initial: { state: definition.initial, sessions: Session.empty },
    apply,
    query: (replicated, at, query) => interpreter.query(replicated.state, at, query),
    digest: ({ sessions, state }) =>
      Digest.of([
        state,
        sessions.opened,
        Session.entries(sessions).map(([id, session]) => [id, session.acknowledged, Session.answers(session)])
      ]),
    snapshot: (replicated) => Snapshot.encode(definition, replicated),
    restore: (bytes) => Snapshot.decode(definition, bytes)
  }
}

const BEYOND_WINDOW = Answer.defect(
  "A command",
  `its sequence is ${Session.WINDOW} or more beyond the first unacknowledged one`
)
