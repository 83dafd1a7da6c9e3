/**
 * What a slot holds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Incarnation from "./Incarnation.js"
import * as Membership from "./Membership.js"

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
 * The last entry of an epoch. Once it is chosen, nothing more is chosen in that epoch, and the next one begins behind it.
 *
 * @since 0.1.0
 * @category models
 */
export const StopSign = Schema.TaggedStruct("StopSign", {
  /** The time the leader agreed for this slot, as of {@link Commands}. */
  time: Schema.Number,
  /** The number of the epoch that ends. */
  epoch: Schema.Int.pipe(Schema.positive()),
  /** Who takes part in the next one. */
  membership: Membership.Membership,
  /** Which journals its voters have. */
  incarnations: Schema.optionalWith(Incarnation.Incarnations, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type StopSign = typeof StopSign.Type

/**
 * @since 0.1.0
 * @category models
 */
export const Entry = Schema.Union(Commands, StopSign)

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
 * @since 0.1.0
 * @category constructors
 */
export const stopSign = (
  time: number,
  epoch: number,
  membership: Membership.Membership,
  incarnations?: Incarnation.Incarnations
): StopSign => ({
  _tag: "StopSign",
  ...{ time, epoch, membership },
  ...(incarnations === undefined ? {} : { incarnations })
})

/**
 * The same decision? By content: an entry that came over the wire or from the journal is another object.
 *
 * @since 0.1.0
 * @category comparing
 */
export const equals = (a: Entry, b: Entry): boolean => {
  if (a === b) return true
  if (a.time !== b.time) return false
  if (a._tag === "StopSign") {
    if (b._tag !== "StopSign" || a.epoch !== b.epoch || !Membership.equals(a.membership, b.membership)) return false
    return Incarnation.equals(a.incarnations ?? [], b.incarnations ?? [])
  }
  if (b._tag === "StopSign") return false
  if (a.batch.length !== b.batch.length) return false
  for (let i = 0; i < a.batch.length; i++) if (a.batch[i] !== b.batch[i]) return false
  return true
}

/**
 * Size in bytes as it counts against frame and batch bounds: the batch plus a fixed allowance for the rest, and for a
 * membership about what it takes as JSON.
 *
 * @since 0.1.0
 * @category comparing
 */
export const sizeOf = (entry: Entry): number =>
  32 +
  (entry._tag === "Commands"
    ? entry.batch.length
    : JSON.stringify(entry.membership).length + JSON.stringify(entry.incarnations ?? []).length)
