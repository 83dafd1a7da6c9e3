/**
 * Who waits for which slot. A submission is answered in one place and once: when its slot is applied here, or when this
 * replica loses the lead before.
 *
 * @since 0.1.0
 */
import { ClientRpcs } from "@synod/client"
import { Entry, Slot } from "@synod/paxos"
import type { Machine } from "@synod/state-machine"
import * as Effect from "effect/Effect"

/**
 * An envelope that waits for its reply.
 *
 * @since 0.1.0
 * @category models
 */
export interface Submission {
  readonly envelope: Uint8Array
  /** Its commands, as the machine has decoded them. */
  readonly decoded: ReadonlyArray<Machine.Decoded>
  readonly end: (outcome: Effect.Effect<Uint8Array, ClientRpcs.Superseded>) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Outcomes {
  /** These submissions, in this order, were proposed as this entry in this slot. */
  readonly expect: (slot: Slot.Slot, entry: Entry.Entry, submissions: ReadonlyArray<Submission>) => void
  /** The commands of the slot, by envelope, if this is the entry that was proposed here; once, since a handler may change them. */
  readonly decoded: (slot: Slot.Slot, entry: Entry.Entry) => ReadonlyArray<ReadonlyArray<Machine.Decoded>> | undefined
  /** The slot was applied with this entry, and these are the replies to its envelopes. */
  readonly settle: (slot: Slot.Slot, entry: Entry.Entry, replies: ReadonlyArray<Uint8Array>) => void
  /** Nobody waits for anything. */
  readonly isEmpty: () => boolean
  /** The slots through this one are in a snapshot: what became of them here shows when it is asked for again. */
  readonly skip: (through: Slot.Slot) => void
  /**
   * This replica doesn't lead any more: whatever waits for a slot behind that one, or for any, is to be asked for elsewhere.
   */
  readonly abandon: (behind?: Slot.Slot) => void
}

interface Expected {
  readonly entry: Entry.Entry
  readonly submissions: ReadonlyArray<Submission>
  /** What was decoded of it has been taken. */
  decoded: boolean
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Outcomes => {
  const waiting = new Map<Slot.Slot, Expected>()
  const supersede = (submissions: ReadonlyArray<Submission>) => {
    for (const { end } of submissions) end(Effect.fail(new ClientRpcs.Superseded()))
  }
  return {
    expect: (slot, entry, submissions) => waiting.set(slot, { entry, submissions, decoded: false }),
    decoded: (slot, entry) => {
      const expected = waiting.get(slot)
      // Another one of the same content came from elsewhere; that is rare.
      if (expected === undefined || expected.decoded || expected.entry !== entry) return undefined
      expected.decoded = true
      return expected.submissions.map(({ decoded }) => decoded)
    },
    settle: (slot, entry, replies) => {
      const expected = waiting.get(slot)
      if (expected === undefined) return
      waiting.delete(slot)
      if (Entry.equals(expected.entry, entry)) {
        expected.submissions.forEach(({ end }, i) => end(Effect.succeed(replies[i]!)))
      } else {
        supersede(expected.submissions)
      }
    },
    isEmpty: () => waiting.size === 0,
    skip: (through) => {
      for (const [slot, { submissions }] of waiting) {
        if (slot > through) continue
        waiting.delete(slot)
        supersede(submissions)
      }
    },
    abandon: (behind = Slot.zero) => {
      for (const [slot, { submissions }] of waiting) {
        if (slot <= behind) continue
        waiting.delete(slot)
        supersede(submissions)
      }
    }
  }
}
