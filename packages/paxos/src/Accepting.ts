/**
 * What an acceptor holds, what it is given, and what it asks for.
 *
 * @since 0.1.0
 */
import type * as Ballot from "./Ballot.js"
import type { Durable, Write } from "./Durable.js"
import type * as Entry from "./Entry.js"
import type * as Epoch from "./Epoch.js"
import { hold } from "./Invariant.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import type * as Slot from "./Slot.js"
import type * as Step from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface State {
  /** The epoch it is in, to which its promise, its accepted ballot and what is not known to be chosen belong. */
  readonly epochs: Epoch.Epochs
  /** No ballot below this one gets a yes. */
  readonly promised: Ballot.Ballot
  /** The ballot at which the log was accepted as a whole. */
  readonly acceptedBallot: Ballot.Ballot
  /** The accepted log; memory holds its end, the journal all of it. */
  readonly log: Log.Log
  /** Slots known here to be chosen. */
  readonly chosenThrough: Slot.Slot
  /** Slots that only a snapshot holds; the journal's log begins behind them. */
  readonly trimmedThrough: Slot.Slot
  /**
   * Until then, by the acceptor's own clock, nobody but the node of `promised` gets a promise: its leader may rely on that.
   * Not durable.
   */
  readonly grantedUntil: number
  /** The latest round of confirmation of that leader that came with a grant. */
  readonly grantedRound: number
}

/**
 * What the own replica asks, besides the messages of proposers.
 *
 * @since 0.1.0
 * @category models
 */
export type Local =
  /** A snapshot that is durable here makes the log through this chosen slot dispensable. */
  | { readonly _tag: "Trim"; readonly through: Slot.Slot }
  /**
   * A snapshot of this slot is durable here. Its slots were chosen at ballots no higher than the one promised here: it was
   * taken here, or it came from a replica that had promised no more than this one when it was asked for. One that came from
   * another epoch says in which it was taken, and up to which ballot.
   */
  | { readonly _tag: "Install"; readonly slot: Slot.Slot; readonly at?: Epoch.At }
  /** The own machine holds all slots through this one: they were chosen, which the journal may not have noted. */
  | { readonly _tag: "Applied"; readonly slot: Slot.Slot }
  /** With whom the cluster is founded, and which journals they have. */
  | { readonly _tag: "Note"; readonly founding: Epoch.Founding }
  /** All founders have noted the same. */
  | { readonly _tag: "Found" }
  /** Something else could not be written to the journal: a write of what is held shows whether it still takes any. */
  | { readonly _tag: "Reaffirm" }

/**
 * @since 0.1.0
 * @category models
 */
export type Input = Message.ToAcceptor | Message.Learn | Message.Learned | Local

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many chosen slots stay in memory, to serve followers that are a little behind without reading the journal. */
  readonly keep: number
  /** How long a grant lasts that comes with each `Accepted`, in milliseconds. Default: 0, no grants (see `Lease`). */
  readonly grant?: number
}

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  /** Must be durable before any reply of this or a later step leaves. */
  | { readonly _tag: "Persist"; readonly write: Write }
  /** Goes back to whoever sent the message. */
  | { readonly _tag: "Reply"; readonly message: Message.ToProposer }
  /** The ballot of the message gets no promise before a grant has run out: as if the message were lost. */
  | { readonly _tag: "Refuse" }
  /** Goes back to a replica that asked for what is chosen. */
  | { readonly _tag: "Teach"; readonly message: Message.Learned | Message.Unlearnable }
  /** The piece asked for is no longer in memory: read it from the journal and answer with it. */
  | { readonly _tag: "Read"; readonly fetch: Message.Fetch }
  /** As much is chosen of what was asked for: read it from the journal, and answer with `lesson` and that in it. */
  | { readonly _tag: "ReadChosen"; readonly lesson: Message.Learned; readonly slots: number; readonly bytes: number }
  /** Chosen entries, for the learner. */
  | { readonly _tag: "Deliver"; readonly after: Slot.Slot; readonly entries: ReadonlyArray<Entry.Entry> }
  /** What this acceptor lacks is in no log any more: get the snapshot that this node has. */
  | { readonly _tag: "Pull"; readonly source: NodeId }
  /** The snapshot has taken the place of the log: the learner goes on from it. */
  | { readonly _tag: "Restore"; readonly slot: Slot.Slot }
  /** An epoch has ended here, and this one begun: proposer and election begin anew. */
  | { readonly _tag: "Enter"; readonly epoch: Epoch.Epoch }

/**
 * @since 0.1.0
 * @category models
 */
export type Next = Step.Step<State, Action>

/**
 * The state of an acceptor whose journal says `durable` and holds `entries` behind `durable.chosenThrough`. Grants are in no
 * journal: one of before the restart has run out by `grantedUntil` at the latest.
 *
 * @since 0.1.0
 * @category constructors
 */
export const recover = (durable: Durable, entries: ReadonlyArray<Entry.Entry>, grantedUntil = 0): State => {
  const log = Log.make(durable.chosenThrough, entries)
  hold("acceptor", "the recovered entries end where the journal says", log.through === durable.acceptedThrough)
  return {
    epochs: durable.epochs,
    promised: durable.promised,
    acceptedBallot: durable.acceptedBallot,
    log,
    chosenThrough: durable.chosenThrough,
    trimmedThrough: durable.trimmedThrough,
    // Whoever never promised anything has granted nothing either.
    grantedUntil: durable.promised.round === 0 ? 0 : grantedUntil,
    grantedRound: 0
  }
}

/**
 * @since 0.1.0
 * @category getters
 */
export const durable = (self: State): Durable => ({
  epochs: self.epochs,
  promised: self.promised,
  acceptedBallot: self.acceptedBallot,
  acceptedThrough: self.log.through,
  chosenThrough: self.chosenThrough,
  trimmedThrough: self.trimmedThrough
})

/**
 * What it holds, as it tells a proposer.
 *
 * @since 0.1.0
 * @category getters
 */
export const held = (self: State) => ({
  acceptedBallot: self.acceptedBallot,
  acceptedThrough: self.log.through,
  chosenThrough: self.chosenThrough
})

/**
 * A write of what it holds now: these entries behind `after`, to the end of the log.
 *
 * @since 0.1.0
 * @category actions
 */
export const persist = (state: State, after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>): Action => {
  hold("acceptor", "a write reaches to the end of the log", after + entries.length === state.log.through)
  return { _tag: "Persist", write: { state: durable(state), after, entries } }
}
