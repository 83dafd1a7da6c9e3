/**
 * Everything a call may end with besides its own result and its own typed errors.
 *
 * ```
 *            was the command applied?
 *   no   ──  Unavailable, Overloaded     try again when it suits
 *   no   ──  CommandDefect               a bug in the handler; trying again changes nothing
 *   ?    ──  OutcomeUnknown              ask again with the token (`client.resolve`), never send the command anew
 *   ?    ──  SessionExpired              it is too late to ask: at most once, and not from now on
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Names one call for ever: the session it belongs to and its sequence number there. Plain data, so that it can be kept, and
 * asked about by another process.
 *
 * @since 0.1.0
 * @category models
 */
export const Token = Schema.Struct({
  session: Schema.Int.pipe(Schema.nonNegative()),
  sequence: Schema.Int.pipe(Schema.nonNegative()),
  /** The tag of the command, which tells how to read its answer. */
  command: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type Token = typeof Token.Type

/**
 * The call reached no one who could serve it: it certainly was not applied, and never will be.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("@synod/state-machine/Unavailable")("Unavailable", {
  /** Who could not be reached, or why none could serve. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The machine is unavailable, nothing was applied: ${this.reason}`
  }
}

/**
 * The deadline passed before a reply came: the command may have been applied, or may still be, at most once.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>("@synod/state-machine/OutcomeUnknown")(
  "OutcomeUnknown",
  {
    /** With it the outcome can be asked for later. */
    token: Token
  }
) {
  override get message(): string {
    return `The outcome of ${nameOf(this.token)} is not known yet`
  }
}

/**
 * The client's session ended before it was told what became of the command, which may have been applied then, once. It will
 * not be applied any more.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionExpired extends Schema.TaggedError<SessionExpired>("@synod/state-machine/SessionExpired")(
  "SessionExpired",
  {
    token: Token
  }
) {
  override get message(): string {
    return `What became of ${nameOf(this.token)} is not known any more: its session is over, or its answer was let go`
  }
}

const nameOf = ({ command, sequence, session }: Token): string =>
  `${command}, command ${sequence} of session ${session},`

/**
 * Refused before it was taken, because too much is waiting already: it certainly was not applied.
 *
 * @since 0.1.0
 * @category errors
 */
export class Overloaded extends Schema.TaggedError<Overloaded>("@synod/state-machine/Overloaded")("Overloaded", {
  /** When to try again; milliseconds on the wire. */
  retryAfter: Schema.DurationFromMillis
}) {
  override get message(): string {
    return "The machine has too much to do and refused the call; nothing was applied"
  }
}

/**
 * The handler of a command or query died, went asynchronous or returned what its schema refuses, or no handler could be
 * found for the call. Every replica answers with the same reason, and the state is as it was.
 *
 * @since 0.1.0
 * @category errors
 */
export class CommandDefect extends Schema.TaggedError<CommandDefect>("@synod/state-machine/CommandDefect")(
  "CommandDefect",
  {
    /** The command or query, as far as it could be read. */
    command: Schema.String,
    /** The same text on every replica, so never a stack trace. */
    reason: Schema.String
  }
) {
  override get message(): string {
    return `${this.command} changed nothing: ${this.reason}`
  }
}
