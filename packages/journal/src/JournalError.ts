/**
 * Why a journal does not open, or does not answer. Each class asks for another reaction: start with the right file, stop
 * the other process, replace the replica, make room on the disk, recover.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * The journal belongs to somebody else, or to a newer version. Nothing in it was changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalRefused extends Data.TaggedError("JournalRefused")<{
  readonly filename: string
  readonly subject: "cluster" | "node" | "format"
  /** What the journal says of itself. */
  readonly found: string | number
  /** What it was opened as; for a format, the highest one that this version reads. */
  readonly expected: string | number
}> {
  override get message(): string {
    const { expected, filename, found, subject } = this
    return subject === "format"
      ? `journal ${filename} has format ${found}, and this version reads formats up to ${expected}: open it with a newer version`
      : subject === "cluster"
        ? `journal ${filename} belongs to cluster "${found}", not to cluster "${expected}"`
        : `journal ${filename} belongs to node ${found}, not to node ${expected}`
  }
}

/**
 * Somebody has the journal open. A journal serves one replica: two acceptors on one memory would contradict each other.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalLocked extends Data.TaggedError("JournalLocked")<{
  readonly filename: string
}> {
  override get message(): string {
    return `journal ${this.filename} is locked: another replica or process has it open`
  }
}

/**
 * There is no journal to be had at that place: a directory that is missing or read-only, a file of another kind, a file
 * system that can't give the durability that is asked of it.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalUnopenable extends Data.TaggedError("JournalUnopenable")<{
  readonly filename: string
  readonly reason: string
}> {
  override get message(): string {
    return `can't open journal ${this.filename}: ${this.reason}`
  }
}

/**
 * The journal does not hold what was written to it. A chosen entry can be had again from a peer; the state and entries
 * that are not chosen can't, and an acceptor that forgot one must not vote again (DESIGN 5.8; Alagappan et al.,
 * *Protocol-Aware Recovery*).
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalDamaged extends Data.TaggedError("JournalDamaged")<{
  readonly filename: string
  /** The slot of the row; 0 for the acceptor's state, `undefined` when the damage is not in one row. */
  readonly slot: number | undefined
  readonly reason: string
}> {
  override get message(): string {
    const { filename, reason, slot } = this
    return slot === undefined
      ? `journal ${filename} is damaged (${reason}): remove its node from the membership and add a new one in its place`
      : slot === 0
        ? `the acceptor's state in journal ${filename} is damaged (${reason}): remove its node from the membership and add a new one in its place`
        : `slot ${slot} of journal ${filename} is damaged (${reason}): fetch it from a peer if it is chosen, otherwise remove its node from the membership and add a new one in its place`
  }
}

/**
 * The operation did not happen: the disk is full, does not answer, or the journal is closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalFailed extends Data.TaggedError("JournalFailed")<{
  readonly filename: string
  readonly operation: "open" | "recover" | "write" | "read"
  readonly reason: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `can't ${this.operation} journal ${this.filename}: ${this.reason}`
  }
}

/**
 * A write failed, and since then nobody has looked what the journal really holds.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalUnsettled extends Data.TaggedError("JournalUnsettled")<{
  readonly filename: string
}> {
  override get message(): string {
    return `journal ${this.filename} does not answer after a failed write until it has been recovered`
  }
}

/**
 * The log begins later: a snapshot holds what was asked for.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalTrimmed extends Data.TaggedError("JournalTrimmed")<{
  readonly filename: string
  /** The slot that was asked for. */
  readonly slot: number
  /** The log begins behind this one. */
  readonly trimmedThrough: number
}> {
  override get message(): string {
    const { filename, slot, trimmedThrough } = this
    return `journal ${filename} no longer has slot ${slot}: its log begins behind slot ${trimmedThrough}`
  }
}

/**
 * A snapshot in the journal is not whole, or not what was written: it is as if it had never been there. An earlier one may
 * do, or a peer's.
 *
 * @since 0.1.0
 * @category errors
 */
export class SnapshotDamaged extends Data.TaggedError("SnapshotDamaged")<{
  readonly filename: string
  readonly slot: number
  readonly reason: string
}> {
  override get message(): string {
    return `the snapshot at slot ${this.slot} in journal ${this.filename} can't be used: ${this.reason}`
  }
}

/**
 * What an open journal may fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type JournalError = JournalDamaged | JournalFailed | JournalUnsettled | JournalTrimmed

/**
 * What opening a journal may fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type OpenError = JournalRefused | JournalLocked | JournalUnopenable | JournalDamaged | JournalFailed
