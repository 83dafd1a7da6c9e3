/**
 * One running copy of a machine: what a replica holds, and only its learner moves.
 *
 * ```
 *   Executor.open ──► Machine ◄── apply ── the log, slot by slot
 *                      │   ▲ └─── query ── reads
 *                      │   └──── restore ◄── pieces of a snapshot … Prepared.adopt
 *                      └── freeze ──► Frozen ──► pieces of a snapshot
 * ```
 *
 * A machine may be a value in memory, which begins at slot 0 whenever it is opened, or tables in a file of its own, which stand
 * where they stood. Whoever runs it asks {@link Machine.at} and goes on from there.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { SnapshotError } from "./Snapshot.js"

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
 * Before the first slot.
 *
 * @since 0.1.0
 * @category constants
 */
export const beginning: At = { slot: 0, time: 0 }

/**
 * What a machine keeps outside of memory can't be read or written. It stands where it stood before.
 *
 * @since 0.1.0
 * @category errors
 */
export class MachineFailed extends Data.TaggedError("MachineFailed")<{
  readonly machine: string
  readonly reason: string
  /** It may be well again the next time, as a disk is that was full. Otherwise its replica has to stop. */
  readonly passing: boolean
  /** What was thrown. */
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.machine} can't go on: ${this.reason}`
  }
}

/**
 * Is told of a command that is done, and of its answer: the `index`-th of its slot, from 0. A command that was answered before is not
 * done again.
 *
 * @since 0.1.0
 * @category models
 */
export type Performed = (index: number, command: Uint8Array, answer: Uint8Array) => void

/**
 * A command as its handler takes it. What is in it may be changed by the handler, so it is done once at most.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoded {
  readonly tag: string
  readonly payload: unknown
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Machine {
  /** The last slot that it holds, and the agreed time there. */
  readonly at: () => At
  /**
   * Applies the batch of the next slot, all of it or, when it fails, nothing. The replies are one `Reply` an envelope, in order;
   * bytes that are no batch get none and change nothing but the slot. `performed` is told of each command that is done; when the
   * slot fails, none of that counts. `decoded` has what {@link decode} made of the commands of this batch, by envelope, so that
   * they need not be decoded again. Never throws.
   */
  readonly apply: (
    at: At,
    batch: Uint8Array,
    performed?: Performed,
    decoded?: ReadonlyArray<ReadonlyArray<Decoded>>
  ) => Either.Either<ReadonlyArray<Uint8Array>, MachineFailed>
  /**
   * Decodes a command. If no handler can be asked, since it is no command of this machine or its payload doesn't fit: the bytes of
   * the `Answer` that it would get in whichever state. Never throws.
   */
  readonly decode: (command: Uint8Array) => Either.Either<Decoded, Uint8Array>
  /** Answers a query from the state as it is now, with the bytes of an `Answer`. Never throws. */
  readonly query: (query: Uint8Array) => Either.Either<Uint8Array, MachineFailed>
  /** The digest of the state as it is now; equal on all replicas after equal slots, however they came there. 16 hex digits. */
  readonly digest: Effect.Effect<Digested, MachineFailed>
  /** The state as it is now, for as long as the scope is open, whatever is applied meanwhile. */
  readonly freeze: Effect.Effect<Frozen, MachineFailed, Scope.Scope>
  /** Begins to read a snapshot, beside the state: nothing changes before what comes of it is adopted. */
  readonly restore: Effect.Effect<Restoration, MachineFailed, Scope.Scope>
  /**
   * The slot through which it would still hold everything after a power failure, by what it keeps itself; nothing for one that
   * is rebuilt from a snapshot and the log. The log stays from there on.
   */
  readonly durableThrough: () => number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Digested {
  readonly at: At
  readonly digest: string
}

/**
 * A state that stands still, and gives itself away as bytes. Equal states give equal bytes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Frozen {
  readonly at: At
  /**
   * The next bytes of the snapshot, nothing after the last ones. `bytes` says for how many it should work in one go: there may
   * be fewer or more of them, but the time it takes is bounded so.
   */
  readonly next: (bytes: number) => Effect.Effect<Uint8Array | undefined, MachineFailed>
}

/**
 * A snapshot that is being read. It lasts as long as its scope, and so does what comes of it until it is adopted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Restoration {
  /** Takes the next bytes, as many as come, which are not to be changed afterwards. The time it takes grows with them. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, SnapshotError | MachineFailed>
  /** These were all. The snapshot was taken at this place. */
  readonly end: (at: At) => Effect.Effect<Prepared, SnapshotError | MachineFailed>
}

/**
 * A state that can take the place of the one that a machine has.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prepared {
  readonly at: At
  /** Takes the place, at once: whatever happens meanwhile, the machine has the old state or the new one. */
  readonly adopt: Effect.Effect<void, MachineFailed>
}
