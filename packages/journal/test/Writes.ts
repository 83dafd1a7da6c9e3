import { Ballot, type Durable, Entry, Epoch, NodeId, Slot } from "@synod/paxos"

/** No limit that matters here. */
export const all = { slots: 100_000, bytes: 1_000_000_000 }

export const entry = (text: string): Entry.Entry => Entry.commands(1_700_000_000_000, new TextEncoder().encode(text))

/** One entry a letter. */
export const entriesOf = (letters: string): ReadonlyArray<Entry.Entry> => [...letters].map(entry)

export const write = (
  at: { round: number; through: number; chosen: number; after: number; trimmed?: number },
  entries: ReadonlyArray<Entry.Entry>
): Durable.Write => ({
  state: {
    epochs: Epoch.none,
    promised: Ballot.make(at.round, NodeId.make(65535)),
    acceptedBallot: Ballot.make(at.round - 1, NodeId.make(1)),
    acceptedThrough: Slot.make(at.through),
    chosenThrough: Slot.make(at.chosen),
    trimmedThrough: Slot.make(at.trimmed ?? 0)
  },
  after: Slot.make(at.after),
  entries
})

/** Entries at the end of a log of `after` entries. */
export const appended = (after: number, entries: ReadonlyArray<Entry.Entry>): Durable.Write =>
  write({ round: 1, through: after + entries.length, chosen: after, after }, entries)
