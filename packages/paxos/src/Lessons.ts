/**
 * What is chosen, from replica to replica, whoever leads them and whatever epoch they are in: entries, and snapshots in their
 * place.
 *
 * ```
 *   Learn   ──►┌──────────┐──► Learned | Unlearnable
 *   Learned ──►│ acceptor │
 *   Install ──►└──────────┘──► Restore, Enter
 * ```
 *
 * @since 0.1.0
 */
import { type Action, type Next, type Options, persist, type State } from "./Accepting.js"
import * as Ballot from "./Ballot.js"
import { beyondChosen, finish, withChosen } from "./Chosen.js"
import * as Epoch from "./Epoch.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * May whoever has promised `ballot` have a snapshot of this replica? What was chosen here may have been chosen at the ballot
 * promised here. In the log of an acceptor that is bound to a lower one it would count as accepted at that: two logs of
 * one ballot would differ, and its leader would take slots for accepted there that it has not proposed yet.
 *
 * @since 0.1.0
 * @category getters
 */
export const lends = ({ promised }: State, ballot: Ballot.Ballot): boolean => !Ballot.greaterThan(promised, ballot)

/**
 * What is chosen behind a slot, for a replica that is in an earlier epoch, or that nobody leads. Never of two epochs at once.
 *
 * @since 0.1.0
 * @category steps
 */
export const teach = (self: State, { after, bytes }: Message.Learn): Next => {
  if (after < self.trimmedThrough) {
    return Step.make<State, Action>(self, {
      _tag: "Teach",
      message: { _tag: "Unlearnable", after, trimmedThrough: self.trimmedThrough }
    })
  }
  const { at, through = self.chosenThrough } = Epoch.at(self.epochs, self.promised, after)
  const { ballot, epoch } = at
  const lesson: Message.Learned = { _tag: "Learned", epoch: epoch.number, ballot, after, entries: [] }
  if (after >= through) return Step.make<State, Action>(self, { _tag: "Teach", message: lesson })
  if (after < self.log.base) {
    return Step.make<State, Action>(self, { _tag: "ReadChosen", lesson, slots: through - after, bytes })
  }
  const entries = Log.slice(self.log, after, Slot.min(through, Log.reach(self.log, after, bytes)))
  return Step.make<State, Action>(self, { _tag: "Teach", message: { ...lesson, entries } })
}

/**
 * What was chosen in this epoch, from a replica that knows it. Its ballot is promised first, as with a snapshot: so the leader of
 * whatever ballot is promised here has all of it in its log.
 *
 * @since 0.1.0
 * @category steps
 */
export const learned = (self: State, message: Message.Learned, options: Options): Next => {
  const { number } = self.epochs.present
  if (message.after > self.chosenThrough || (number !== 0 && message.epoch !== number)) return Step.make(self)
  const news = beyondChosen(self, message)
  if (news.entries.length === 0) return Step.make(self)
  const { state, tail } = withChosen(bound(self, message.ballot), news)
  return finish(self, state, options, persist(state, news.after, [...news.entries, ...tail]))
}

/**
 * The snapshot stands for all slots through its own. Of the log, what lies behind it stays as it was: other acceptors' logs of that
 * ballot may have made it chosen. What lies below may differ from what was chosen, and nobody must read it any more.
 *
 * @since 0.1.0
 * @category steps
 */
export const install = (self: State, slot: Slot.Slot): Next => {
  if (slot <= self.chosenThrough) {
    // Nothing for the acceptor; a learner that lost its own snapshot may go on from it, where the log begins no later.
    return slot < self.trimmedThrough ? Step.make(self) : Step.make<State, Action>(self, { _tag: "Restore", slot })
  }
  const log = slot < self.log.through ? Log.evict(self.log, slot) : Log.empty(slot)
  const epochs = Epoch.forget(self.epochs, slot)
  const state: State = { ...self, epochs, log, chosenThrough: slot, trimmedThrough: slot }
  return Step.make(state, persist(state, log.through, []), { _tag: "Restore", slot })
}

/**
 * A snapshot of another replica says where it was taken. In this epoch, its ballot is promised first. In a later one, this one is
 * over: the snapshot holds all that was chosen in it.
 *
 * @since 0.1.0
 * @category steps
 */
export const installAt = (self: State, slot: Slot.Slot, { ballot, epoch }: Epoch.At): Next => {
  const { number } = self.epochs.present
  if (epoch.number < number || slot <= self.chosenThrough) return install(self, slot)
  if (epoch.number === number) return install(bound(self, ballot), slot)
  const state: State = {
    epochs: Epoch.enter(self.epochs, epoch, []),
    promised: ballot,
    acceptedBallot: Ballot.zero,
    log: Log.empty(slot),
    chosenThrough: slot,
    trimmedThrough: slot,
    grantedUntil: 0,
    grantedRound: 0
  }
  return Step.make<State, Action>(state, persist(state, slot, []), { _tag: "Restore", slot }, { _tag: "Enter", epoch })
}

/** Promised without being asked: others promised that ballot, and this one is bound as they are. */
const bound = (self: State, ballot: Ballot.Ballot): State =>
  Ballot.greaterThan(ballot, self.promised) ? { ...self, promised: ballot, grantedRound: 0 } : self
