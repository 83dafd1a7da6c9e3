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
 * A session is opened through the log, so that every replica numbers it alike. Its table is part of the replicated
 * state and of snapshots, hence a command that is sent again, to any replica, after any crash, is applied once.
 *
 * Tables and sessions are values: each change gives a new one and the old stays as it was.
 *
 * @since 0.1.0
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"

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
 * All sessions of a machine.
 *
 * @since 0.1.0
 * @category models
 */
export interface Table {
  /** How many were ever opened, which is also the number of the last one. */
  readonly opened: number
  readonly sessions: HashMap.HashMap<number, Session>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const empty: Table = { opened: 0, sessions: HashMap.empty() }

/**
 * A session whose client has been told `answers`, from sequence `acknowledged` on, with holes for what it has not.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (acknowledged: number, answers: ReadonlyArray<Uint8Array | undefined> = []): Session => ({
  acknowledged,
  next: acknowledged + answers.length,
  buffer: answers.slice(),
  offset: 0
})

/**
 * Opens the session numbered `opened` of the new table.
 *
 * @since 0.1.0
 * @category combinators
 */
export const open = (table: Table): Table => ({
  opened: table.opened + 1,
  sessions: HashMap.set(table.sessions, table.opened + 1, make(0))
})

/**
 * @since 0.1.0
 * @category getters
 */
export const get = (table: Table, id: number): Session | undefined =>
  Option.getOrUndefined(HashMap.get(table.sessions, id))

/**
 * @since 0.1.0
 * @category combinators
 */
export const set = (table: Table, id: number, session: Session): Table => ({
  opened: table.opened,
  sessions: HashMap.set(table.sessions, id, session)
})

/**
 * The sessions in the order they were opened.
 *
 * @since 0.1.0
 * @category getters
 */
export const entries = (table: Table): ReadonlyArray<readonly [id: number, session: Session]> =>
  HashMap.toEntries(table.sessions).sort((a, b) => a[0] - b[0])

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
  const { acknowledged, next, offset } = self
  const end = offset + next - acknowledged
  if (sequence === next && end === self.buffer.length) {
    self.buffer.push(answer)
    return { acknowledged, next: next + 1, buffer: self.buffer, offset }
  }
  const buffer = self.buffer.slice(offset, end)
  // Holes are written out, so that the array stays a dense one.
  while (buffer.length < sequence - acknowledged) buffer.push(undefined)
  buffer[sequence - acknowledged] = answer
  return { acknowledged, next: Math.max(next, sequence + 1), buffer, offset: 0 }
}

/**
 * Lets go of the answers below `acknowledged`. Never goes back.
 *
 * @since 0.1.0
 * @category combinators
 */
export const acknowledge = (self: Session, acknowledged: number): Session => {
  if (acknowledged <= self.acknowledged) return self
  if (acknowledged >= self.next) return make(acknowledged)
  const offset = self.offset + acknowledged - self.acknowledged
  const length = self.next - acknowledged
  // Half of the array is given back at once, so that letting go costs a constant share of recording.
  return offset > length + 32
    ? { acknowledged, next: self.next, buffer: self.buffer.slice(offset, offset + length), offset: 0 }
    : { acknowledged, next: self.next, buffer: self.buffer, offset }
}
