/**
 * Exactly once (Lee et al., *RIFL*, SOSP 2015): the replicated record of what each client has asked and been told.
 *
 * ```
 *              acknowledged                  acknowledged + WINDOW
 *                   │                                 │
 * ── let go ────────┼── answered ── or not yet ───────┼── refused ──►  sequence
 *      forgotten    │   first answer    apply, record │
 * ```
 *
 * A session is part of the replicated state and of snapshots, hence a command that is sent again, to any replica, after any
 * crash, is applied once. All of them: {@link "./SessionTable"}.
 *
 * Sessions are values: each change gives a new one and the old stays as it was.
 *
 * @since 0.1.0
 */

/**
 * How far a client may run ahead of its first unacknowledged sequence. It bounds what a session can hold; some thousand
 * calls are what a client ever has in flight.
 *
 * @since 0.1.0
 * @category constants
 */
export const WINDOW = 16_384

/**
 * What is remembered of one client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Session {
  /** The agreed time at which it was opened or last used, in milliseconds since 1970. */
  readonly used: number
  /** The first sequence whose answer the client may still ask for. */
  readonly acknowledged: number
  /** One more than the highest sequence that was answered; at least `acknowledged`. */
  readonly next: number
  /**
   * `buffer[offset + n]` answers `acknowledged + n`, a hole if it wasn't applied yet. Versions of a session share it:
   * the newest one appends, and each looks no further than its own `next`.
   */
  readonly buffer: Array<Uint8Array | undefined>
  readonly offset: number
}

/**
 * A session whose client has been told `answers`, from sequence `acknowledged` on, with holes for what it has not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  used: number,
  acknowledged: number,
  answers: ReadonlyArray<Uint8Array | undefined> = []
): Session => ({
  used,
  acknowledged,
  next: acknowledged + answers.length,
  buffer: answers.slice(),
  offset: 0
})

/**
 * The first answer to a sequence, if it was applied and its answer not let go.
 *
 * @since 0.1.0
 * @category getters
 */
export const answer = (self: Session, sequence: number): Uint8Array | undefined =>
  sequence >= self.acknowledged && sequence < self.next
    ? self.buffer[self.offset + sequence - self.acknowledged]
    : undefined

/**
 * All answers from `acknowledged` on, with holes.
 *
 * @since 0.1.0
 * @category getters
 */
export const answers = (self: Session): ReadonlyArray<Uint8Array | undefined> =>
  self.buffer.slice(self.offset, self.offset + self.next - self.acknowledged)

/**
 * Remembers the answer to a sequence, which must lie within the window and not be answered yet.
 *
 * @since 0.1.0
 * @category combinators
 */
export const record = (self: Session, sequence: number, answer: Uint8Array): Session => {
  const { acknowledged, next, offset, used } = self
  const end = offset + next - acknowledged
  if (sequence === next && end === self.buffer.length) {
    self.buffer.push(answer)
    return { used, acknowledged, next: next + 1, buffer: self.buffer, offset }
  }
  const buffer = self.buffer.slice(offset, end)
  // Holes are written out, so that the array stays a dense one.
  while (buffer.length < sequence - acknowledged) buffer.push(undefined)
  buffer[sequence - acknowledged] = answer
  return { used, acknowledged, next: Math.max(next, sequence + 1), buffer, offset: 0 }
}

/**
 * Lets go of the answers below `acknowledged`. Never goes back.
 *
 * @since 0.1.0
 * @category combinators
 */
export const acknowledge = (self: Session, acknowledged: number): Session => {
  if (acknowledged <= self.acknowledged) return self
  if (acknowledged >= self.next) return make(self.used, acknowledged)
  const offset = self.offset + acknowledged - self.acknowledged
  const length = self.next - acknowledged
  // Half of the array is given back at once, so that letting go costs a constant share of recording.
  return offset > length + 32
    ? { ...self, acknowledged, buffer: self.buffer.slice(offset, offset + length), offset: 0 }
    : { ...self, acknowledged, offset }
}
