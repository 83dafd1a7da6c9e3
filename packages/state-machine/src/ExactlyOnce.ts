/**
 * Applies the batch of a slot, each command once (Lee et al., *RIFL*, SOSP 2015): what an envelope asks for is done or, if it
 * was done before, answered as it was then.
 *
 * ```
 *   batch of a slot ──► envelopes ──► commands ──► answered before? ── yes ──► the first answer
 *                                                        │ no
 *                                                        ▼
 *                                                     perform ──► answer, recorded
 * ```
 *
 * Where sessions are kept is the machine's own business: in a value beside its state, or in tables that the same transaction
 * changes. Nothing here throws unless they do.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Answer from "./Answer.js"
import * as Batch from "./Batch.js"
import * as Envelope from "./Envelope.js"
import type { At, Decoded, Performed } from "./Machine.js"
import * as Reply from "./Reply.js"
import * as Session from "./Session.js"

/**
 * The sessions of a machine while a slot is applied. What they do is told in `SessionTable`, and is the same wherever
 * they are kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sessions {
  /** How long a session lasts after its last use, in milliseconds. */
  readonly expiry: number
  /** Ends what was not used for too long at this time. */
  readonly expire: (time: number) => void
  /** Opens the next session, and gives its number. */
  readonly open: (time: number) => number
  /** The session of this number, if it is open. */
  readonly find: (id: number) => Held | undefined
  /** Of a session that is not open: the sequence from which on no command was applied, nor ever will be. */
  readonly unapplied: (id: number) => number
}

/**
 * One open session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  /** The first sequence whose answer may still be asked for. */
  readonly acknowledged: () => number
  /** Lets go of the answers below; never goes back. */
  readonly acknowledge: (sequence: number) => void
  /** The answer to a sequence, if it has one. */
  readonly answer: (sequence: number) => Uint8Array | undefined
  /** Remembers the answer to a sequence, which lies within the window and has none. */
  readonly record: (sequence: number, answer: Uint8Array) => void
  /** It was used at this time, and what was changed of it counts from now on. */
  readonly use: (time: number) => void
}

/**
 * Applies a batch; one reply an envelope, none for bytes that are no batch. `perform` does a command, the `index`-th of the slot
 * that is done at all, and gives its answer; then `performed` is told. `decoded` is as of `Machine.apply`.
 *
 * @since 0.1.0
 * @category applying
 */
export const apply = (
  sessions: Sessions,
  at: At,
  bytes: Uint8Array,
  perform: (index: number, command: Uint8Array, decoded: Decoded | undefined) => Uint8Array,
  performed?: Performed,
  decoded?: ReadonlyArray<ReadonlyArray<Decoded>>
): ReadonlyArray<Uint8Array> => {
  const batch = Batch.decode(bytes)
  if (Either.isLeft(batch)) return []
  sessions.expire(at.time)
  let count = 0

  const call = (
    { acknowledged, commands, first, session: id }: Envelope.Call,
    decoded: ReadonlyArray<Decoded> | undefined
  ): Reply.Reply => {
    const session = sessions.find(id)
    if (session === undefined) return Reply.sessionExpired(sessions.unapplied(id))
    session.acknowledge(acknowledged)
    const answers = commands.map((command, i) => {
      const sequence = first + i
      const answered = answerOf(session, sequence)
      if (answered !== undefined) return answered
      const index = count++
      const answer = perform(index, command, decoded?.[i])
      session.record(sequence, answer)
      performed?.(index, command, answer)
      return answer
    })
    session.use(at.time)
    return Reply.replied(at.slot, answers)
  }

  const resolve = ({ sequence, session: id }: Envelope.Resolve): Reply.Reply => {
    const session = sessions.find(id)
    if (session === undefined) return Reply.sessionExpired(sessions.unapplied(id))
    const answered = answerOf(session, sequence)
    if (answered !== undefined) return Reply.replied(at.slot, [answered])
    // A tombstone: the command may be on its way still, and finds that it has been answered.
    session.record(sequence, Answer.withdrawn)
    session.use(at.time)
    return Reply.replied(at.slot, [Answer.withdrawn])
  }

  const reply = (envelope: Envelope.Envelope, place: number): Reply.Reply => {
    switch (envelope._tag) {
      case "Open":
        return Reply.opened(sessions.open(at.time), sessions.expiry)
      case "Call":
        return call(envelope, decoded?.[place])
      case "Resolve":
        return resolve(envelope)
    }
  }

  return batch.right.map((envelopeBytes, place) => {
    const envelope = Envelope.decode(envelopeBytes)
    return Reply.encode(Either.isLeft(envelope) ? Reply.refused(envelope.left.message) : reply(envelope.right, place))
  })
}

/** The answer to a sequence that is not to be applied: it was answered before, or lies outside of the window. */
const answerOf = (session: Held, sequence: number): Uint8Array | undefined =>
  sequence < session.acknowledged()
    ? Answer.forgotten
    : sequence >= session.acknowledged() + Session.WINDOW
      ? BEYOND_WINDOW
      : session.answer(sequence)

const BEYOND_WINDOW = Answer.defect(
  "A command",
  `its sequence is ${Session.WINDOW} or more beyond the first unacknowledged one`
)
