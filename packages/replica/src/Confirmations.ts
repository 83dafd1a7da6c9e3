/**
 * Linearizable reads that wait until their leader's ballot is confirmed. One round at a time serves all that waited when it began;
 * who comes meanwhile waits for the next, since what was chosen before it came may be later than what that round saw.
 *
 * ```
 *   read ──► waiting ── begin(round) ──► confirming ── end(round, slot) ──► served
 * ```
 *
 * @since 0.1.0
 */
import type { ClientRpcs } from "@synod/client"
import type { Slot } from "@synod/paxos"

/**
 * @since 0.1.0
 * @category models
 */
export interface Reader {
  readonly serve: (slot: Slot.Slot) => void
  readonly refuse: (error: ClientRpcs.NotLeader) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Confirmations {
  /** Reads that wait, for a round under way or for the next. */
  readonly size: () => number
  /** Some wait for a round that has not begun. */
  readonly wanted: () => boolean
  readonly underWay: () => boolean
  /** Gives how to withdraw it. */
  readonly add: (reader: Reader) => () => void
  /** That round serves all that wait. Only while none is under way: its readers would have no place any more. */
  readonly begin: (round: number) => void
  /** That round was answered: its readers may read from this slot on. */
  readonly end: (round: number, slot: Slot.Slot) => void
  /** Nobody here can serve them any more. */
  readonly refuse: (error: ClientRpcs.NotLeader) => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Confirmations => {
  let waiting = new Set<Reader>()
  let confirming: { readonly round: number; readonly readers: Set<Reader> } | undefined
  return {
    size: () => waiting.size + (confirming?.readers.size ?? 0),
    wanted: () => waiting.size > 0,
    underWay: () => confirming !== undefined,
    add: (reader) => {
      waiting.add(reader)
      return () => {
        waiting.delete(reader)
        confirming?.readers.delete(reader)
      }
    },
    begin: (round) => {
      confirming = { round, readers: waiting }
      waiting = new Set()
    },
    end: (round, slot) => {
      if (confirming === undefined || confirming.round > round) return
      const { readers } = confirming
      confirming = undefined
      for (const { serve } of readers) serve(slot)
    },
    refuse: (error) => {
      const refused = [...waiting, ...(confirming?.readers ?? [])]
      waiting = new Set()
      confirming = undefined
      for (const { refuse } of refused) refuse(error)
    }
  }
}
