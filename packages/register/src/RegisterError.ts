/**
 * What a request of a register may end with besides its answer.
 *
 * ```
 *             may the value be decided?
 *   no    ──  Unavailable, Overloaded, TooLarge
 *   ?     ──  OutcomeUnknown      it was sent to acceptors; a later read tells, or the same proposal again
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * No quorum could be asked in time. The value was sent to nobody and can't come to be decided; a read is as if it had not been.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("@synod/register/Unavailable")("Unavailable", {
  key: Schema.String,
  /** Who could not be reached, or why nothing came of it. */
  reason: Schema.String
}) {
  override get message(): string {
    return `Register "${this.key}" is unavailable: ${this.reason}`
  }
}

/**
 * The deadline passed after the value had been sent to acceptors: it may be decided, or come to be, by whoever finds it there.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>("@synod/register/OutcomeUnknown")(
  "OutcomeUnknown",
  { key: Schema.String }
) {
  override get message(): string {
    return `What became of the value for register "${this.key}" is not known yet: read it, or propose the same value again`
  }
}

/**
 * Refused before anything was sent: too many requests are under way.
 *
 * @since 0.1.0
 * @category errors
 */
export class Overloaded extends Schema.TaggedError<Overloaded>("@synod/register/Overloaded")("Overloaded", {
  /** Requests that may be under way at once. */
  limit: Schema.Int
}) {
  override get message(): string {
    return `${this.limit} requests are under way already`
  }
}

/**
 * The name or the value is longer than registers take, or the name is empty.
 *
 * @since 0.1.0
 * @category errors
 */
export class TooLarge extends Schema.TaggedError<TooLarge>("@synod/register/TooLarge")("TooLarge", {
  what: Schema.Literal("key", "value"),
  /** Characters of a key, bytes of a value. */
  size: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    const unit = this.what === "key" ? "characters" : "bytes"
    return `The ${this.what} has ${this.size} ${unit}, and from 1 to ${this.limit} can be taken`
  }
}

/**
 * The decided value is not what the register's schema describes: another version wrote it, or somebody under the same name.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unreadable extends Schema.TaggedError<Unreadable>("@synod/register/Unreadable")("Unreadable", {
  key: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `What register "${this.key}" holds can't be read: ${this.reason}`
  }
}

/**
 * An acceptor did not deal with a message: as if it were lost.
 *
 * @since 0.1.0
 * @category errors
 */
export class Refused extends Schema.TaggedError<Refused>("@synod/register/Refused")("Refused", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}
