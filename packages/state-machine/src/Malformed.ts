/**
 * Bytes that are not what they should be.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Why bytes from a peer, a client or a journal could not be read. Nothing that was read before the fault is used.
 *
 * @since 0.1.0
 * @category errors
 */
export class Malformed extends Data.TaggedError("Malformed")<{
  /** What the bytes should have been, such as `envelope` or `command`. */
  readonly what: string
  /** The byte at which reading stopped. */
  readonly at: number
  /** What was expected there. */
  readonly expected: string
}> {
  override get message(): string {
    return `Malformed ${this.what} at byte ${this.at}: expected ${this.expected}`
  }
}
