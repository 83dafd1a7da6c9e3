/**
 * What a slot holds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A batch of commands: one drained mailbox of the leader, one slot. The bytes are the clients' own and stay unopened on
 * their way through messages and journal; only a learner decodes them, to apply them.
 *
 * @since 0.1.0
 * @category models
 */
export const Commands = Schema.TaggedStruct("Commands", {
  /** The time the leader agreed for this slot, in milliseconds since 1970; never lower than an earlier slot's. */
  time: Schema.Number,
  /** The batch, as the state machine's own codec wrote it. */
  batch: Schema.Uint8ArrayFromSelf
})

/**
 * @since 0.1.0
 * @category models
 */
export type Commands = typeof Commands.Type

/**
 * @since 0.1.0
 * @category models
 */
export const Entry = Commands

/**
 * @since 0.1.0
 * @category models
 */
export type Entry = typeof Entry.Type

/**
 * @since 0.1.0
 * @category constructors
 */
export const commands = (time: number, batch: Uint8Array): Commands => ({ _tag: "Commands", time, batch })

/**
 * The same decision? By content: an entry that came over the wire or from the journal is another object.
 *
 * @since 0.1.0
 * @category comparing
 */
export const equals = (a: Entry, b: Entry): boolean => {
  if (a === b) return true
  if (a.time !== b.time || a.batch.length !== b.batch.length) return false
  for (let i = 0; i < a.batch.length; i++) if (a.batch[i] !== b.batch[i]) return false
  return true
}

/**
 * Size in bytes as it counts against frame and batch bounds: the batch plus a fixed allowance for the rest.
 *
 * @since 0.1.0
 * @category comparing
 */
export const sizeOf = (entry: Entry): number => entry.batch.length + 32
