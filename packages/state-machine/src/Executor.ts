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
import * as SessionTable from "./SessionTable.js"
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
  /** How many sessions there may be, and how long they last. */
  readonly sessions: SessionTable.Bounds
  /** The same machine with other bounds: in simulated worlds, where narrow ones are met often. */
  readonly bounded: (sessions: SessionTable.Bounds) => Executor<State>
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
  return bounded(definition, interpreter, definition.sessions)
}

const bounded = <State>(
  definition: Definition<State>,
  interpreter: Interpreter<State>,
  bounds: SessionTable.Bounds
): Executor<State> => {
  const { name, version } = definition

  const apply: Executor<State>["apply"] = (replicated, at, bytes) => {
    const batch = Batch.decode(bytes)
    if (Either.isLeft(batch)) return { state: replicated, replies: [] }
    const replies: Array<Uint8Array> = []
    let { state } = replicated
    let sessions = SessionTable.expire(replicated.sessions, bounds, at.time)
    let index = 0

    const open = (): Reply.Reply => {
      sessions = SessionTable.open(sessions, bounds, at.time)
      return Reply.opened(sessions.opened, bounds.expiry)
    }

    const call = ({ acknowledged, commands, first, session: id }: Envelope.Call): Reply.Reply => {
      const known = SessionTable.get(sessions, id)
      if (known === undefined) return Reply.sessionExpired(SessionTable.unapplied(sessions, id))
      let session = Session.acknowledge(known, acknowledged)
      const answers = commands.map((command, i) => {
        const sequence = first + i
        const answered = answerOf(session, sequence)
        if (answered !== undefined) return answered
        const result = interpreter.command(state, at, index++, command)
        state = result.state
        session = Session.record(session, sequence, result.answer)
        return result.answer
      })
      sessions = SessionTable.use(sessions, id, session, at.time)
      return Reply.replied(at.slot, answers)
    }

    const resolve = ({ sequence, session: id }: Envelope.Resolve): Reply.Reply => {
      const session = SessionTable.get(sessions, id)
      if (session === undefined) return Reply.sessionExpired(SessionTable.unapplied(sessions, id))
      const answered = answerOf(session, sequence)
      if (answered !== undefined) return Reply.replied(at.slot, [answered])
      // A tombstone: the command may be on its way still, and finds that it has been answered.
      sessions = SessionTable.use(sessions, id, Session.record(session, sequence, Answer.withdrawn), at.time)
      return Reply.replied(at.slot, [Answer.withdrawn])
    }

    const reply = (envelope: Envelope.Envelope): Reply.Reply => {
      switch (envelope._tag) {
        case "Open":
          return open()
        case "Call":
          return call(envelope)
        case "Resolve":
          return resolve(envelope)
      }
    }

    for (const envelopeBytes of batch.right) {
      const envelope = Envelope.decode(envelopeBytes)
      replies.push(Reply.encode(Either.isLeft(envelope) ? Reply.refused(envelope.left.message) : reply(envelope.right)))
    }
    return { state: { state, sessions }, replies }
  }

  return {
    machine: { name, version },
    sessions: bounds,
    bounded: (other) => bounded(definition, interpreter, other),
    initial: { state: definition.initial, sessions: SessionTable.empty },
    apply,
    query: (replicated, at, query) => interpreter.query(replicated.state, at, query),
    digest: ({ sessions, state }) =>
      Digest.of([
        state,
        sessions.opened,
        SessionTable.entries(sessions).map(([id, session]) => [
          id,
          session.used,
          session.acknowledged,
          Session.answers(session)
        ]),
        SessionTable.over(sessions)
      ]),
    snapshot: (replicated) => Snapshot.encode(definition, replicated),
    restore: (bytes) => Snapshot.decode(definition, bytes)
  }
}

/** The answer to a sequence that is not to be applied: it was answered before, or lies outside of the window. */
const answerOf = (session: Session.Session, sequence: number): Uint8Array | undefined =>
  sequence < session.acknowledged
    ? Answer.forgotten
    : sequence >= session.acknowledged + Session.WINDOW
      ? BEYOND_WINDOW
      : Session.answer(session, sequence)

const BEYOND_WINDOW = Answer.defect(
  "A command",
  `its sequence is ${Session.WINDOW} or more beyond the first unacknowledged one`
)
