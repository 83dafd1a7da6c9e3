/**
 * What an acceptor knows to be chosen: a prefix of its log, which only grows. What is new in it is delivered once; what others
 * may still ask for stays in memory, and what a snapshot holds is trimmed. A stop sign at its end ends the epoch.
 *
 * @since 0.1.0
 */
import { type Action, type Next, type Options, persist, type State } from "./Accepting.js"
import * as Ballot from "./Ballot.js"
import * as Entry from "./Entry.js"
import * as Epoch from "./Epoch.js"
import { hold } from "./Invariant.js"
import * as Log from "./Log.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * A run of entries behind slot `after`.
 *
 * @since 0.1.0
 * @category models
 */
export interface News {
  readonly after: Slot.Slot
  readonly entries: ReadonlyArray<Entry.Entry>
}

/**
 * The part of a message that lies behind what is known to be chosen; what lies before is here and the same.
 *
 * @since 0.1.0
 * @category getters
 */
export const beyondChosen = (self: State, { after, entries }: News): News =>
  after >= self.chosenThrough
    ? { after, entries }
    : { after: self.chosenThrough, entries: entries.slice(self.chosenThrough - after) }

/**
 * The log with entries that are chosen, and what of its end stays behind them.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withChosen = (
  self: State,
  { after, entries }: News
): { state: State; tail: ReadonlyArray<Entry.Entry> } => {
  const end = Slot.plus(after, entries.length)
  // The unchosen end of the old log stays: other acceptors' logs of that ballot may have made it chosen. It goes only if
  // a chosen entry contradicts it, which proves that none of it was.
  const agrees = entries.every((entry, i) => {
    const mine = Log.get(self.log, Slot.plus(after, i + 1))
    return mine === undefined || Entry.equals(mine, entry)
  })
  const tail = agrees && end < self.log.through ? Log.slice(self.log, end) : []
  const log = entries.length === 0 ? self.log : Log.append(Log.truncate(self.log, after), [...entries, ...tail])
  return { state: { ...self, log, chosenThrough: Slot.max(self.chosenThrough, end) }, tail }
}

/**
 * Adds the delivery of what this step found chosen, and lets go of memory that is no longer needed.
 *
 * @since 0.1.0
 * @category steps
 */
export const finish = (before: State, after: State, options: Options, ...actions: ReadonlyArray<Action>): Next => {
  if (after.chosenThrough === before.chosenThrough) return { state: after, actions }
  const entries = Log.slice(after.log, before.chosenThrough, after.chosenThrough)
  const evictable = Slot.make(Math.max(0, after.chosenThrough - options.keep))
  const kept: State = { ...after, log: Log.evict(after.log, evictable) }
  const deliver: Action = { _tag: "Deliver", after: before.chosenThrough, entries }
  const last = entries[entries.length - 1]
  return last?._tag === "StopSign" ? enter(kept, last, ...actions, deliver) : Step.make(kept, ...actions, deliver)
}

/** Behind a chosen stop sign the next epoch begins, in which nothing is promised or accepted yet. */
const enter = (self: State, sign: Entry.StopSign, ...actions: ReadonlyArray<Action>): Next => {
  hold("acceptor", "nothing stands behind a stop sign", self.log.through === self.chosenThrough)
  const epochs = Epoch.next(self.epochs, self.promised, self.chosenThrough, sign)
  const state: State = {
    ...self,
    epochs: Epoch.forget(epochs, self.trimmedThrough),
    promised: Ballot.zero,
    acceptedBallot: Ballot.zero,
    grantedUntil: 0,
    grantedRound: 0
  }
  return Step.make<State, Action>(state, ...actions, persist(state, state.log.through, []), {
    _tag: "Enter",
    epoch: state.epochs.present
  })
}

/**
 * What a machine keeps by itself was applied from this log, which keeps every chosen slot as it is.
 *
 * @since 0.1.0
 * @category steps
 */
export const applied = (self: State, slot: Slot.Slot, options: Options): Next => {
  hold("acceptor", "what is applied is in the log", slot <= self.log.through)
  return slot <= self.chosenThrough ? Step.make(self) : finish(self, { ...self, chosenThrough: slot }, options)
}

/**
 * @since 0.1.0
 * @category steps
 */
export const trim = (self: State, through: Slot.Slot): Next => {
  if (through <= self.trimmedThrough) return Step.make(self)
  hold("acceptor", "only what is chosen is trimmed", through <= self.chosenThrough)
  const state: State = { ...self, trimmedThrough: through, epochs: Epoch.forget(self.epochs, through) }
  return Step.make(state, persist(state, state.log.through, []))
}
