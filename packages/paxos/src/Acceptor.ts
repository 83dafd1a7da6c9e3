/**
 * The acceptor: the memory of the cluster. It promises, accepts and refuses; what it said yes to is on disk before it says
 * so, and it never goes back on it.
 *
 * ```
 *   Prepare ──►┌──────────┐──► Promise  | Rejected
 *   Accept  ──►│ acceptor │──► Accepted | Rejected
 *   Fetch   ──►│          │──► Fetched  | Trimmed | Rejected
 *   Behind  ──►└────┬─────┘──► Rejected, with what it holds
 *                   │ chosen entries, snapshots
 *                   ▼
 *                learner
 * ```
 *
 * The log is accepted in sequence: at one ballot every acceptor's log is a prefix of the leader's (DESIGN 5.2). The first
 * Accept of a ballot replaces whatever the acceptor held beyond the point of agreement, and must bring all that the leader
 * adopted in one piece: with only half of it, the acceptor would report the new ballot with a log that lacks what
 * older ballots may have chosen. What is known to be chosen may come before that, in pieces of any size; it
 * extends the chosen prefix and does not touch `acceptedBallot`. A snapshot does the same in one leap: it stands for the
 * chosen slots through its own, and what was chosen in them was chosen at no higher ballot than the one promised here, so that
 * the leader of that ballot has all of them in its log (see `Install`).
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type { Durable, Write } from "./Durable.js"
import * as Entry from "./Entry.js"
import * as Epoch from "./Epoch.js"
import { agreement } from "./Follower.js"
import { hold } from "./Invariant.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

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
 * May whoever has promised `ballot` have a snapshot of this replica? What was chosen here may have been chosen at the ballot
 * promised here. In the log of an acceptor that is bound to a lower one it would count as accepted at that: two logs of
 * one ballot would differ, and its leader would take slots for accepted there that it has not proposed yet.
 *
 * @since 0.1.0
 * @category getters
 */
export const lends = ({ promised }: State, ballot: Ballot.Ballot): boolean => !Ballot.greaterThan(promised, ballot)

/**
 * `now` is the acceptor's own monotonic clock, in milliseconds; only grants look at it.
 *
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, input: Input, options: Options, now = 0): Step.Step<State, Action> => {
  const next = handle(self, input, options, now)
  check(self, input, next.state)
  return next
}

const handle = (self: State, input: Input, options: Options, now: number): Step.Step<State, Action> => {
  switch (input._tag) {
    case "Prepare":
      return prepare(self, input, now)
    case "Accept":
      return accept(granting(self, input, options, now), input, options)
    case "Fetch":
      return fetch(self, input)
    case "Behind":
      return behind(self, input)
    case "Learn":
      return teach(self, input)
    case "Learned":
      return learned(self, input, options)
    case "Trim":
      return trim(self, input.through)
    case "Install":
      return input.at === undefined ? install(self, input.slot) : installAt(self, input.slot, input.at)
    case "Applied":
      return applied(self, input.slot, options)
    case "Reaffirm":
      return Step.make(self, persist(self, self.log.through, []))
  }
}

const prepare = (self: State, message: Message.Prepare, now: number): Step.Step<State, Action> => {
  const { ballot } = message
  if (Ballot.lessThan(ballot, self.promised)) return reject(self, ballot)
  if (now < self.grantedUntil && !isFreeFor(self, message)) return Step.make<State, Action>(self, { _tag: "Refuse" })
  const isNew = !Ballot.equals(ballot, self.promised)
  const state: State = isNew ? { ...self, promised: ballot, grantedRound: 0 } : self
  const promise = reply({ _tag: "Promise", ballot, ...held(state) })
  return isNew ? Step.make(state, persist(state, state.log.through, []), promise) : Step.make(state, promise)
}

/** Whoever holds the grant doesn't stand in its own way: a leader that prepares anew, or hands over, has given it up before. */
const isFreeFor = ({ promised }: State, { ballot, released }: Message.Prepare): boolean =>
  ballot.node === promised.node || Ballot.equals(released, promised)

/**
 * The first answer to each round of confirmation carries a grant, which runs from now: the leader counts from when it asked. One
 * that is asked again and again would be bound for ever by a leader whom no quorum answers.
 */
const granting = (self: State, { ballot, confirm }: Message.Accept, { grant = 0 }: Options, now: number): State =>
  grant > 0 && confirm > self.grantedRound && Ballot.equals(ballot, self.promised)
    ? { ...self, grantedRound: confirm, grantedUntil: Math.max(self.grantedUntil, now + grant) }
    : self

const accept = (self: State, message: Message.Accept, options: Options): Step.Step<State, Action> => {
  if (!Ballot.equals(message.ballot, self.promised)) return reject(self, message.ballot)
  const synchronised = Ballot.equals(message.ballot, self.acceptedBallot)
  const joinsOn = message.after <= (synchronised ? self.log.through : agreement(held(self), message.adopted))
  if (!joinsOn) return reject(self, message.ballot)
  if (synchronised) return extend(self, message, options)
  const news = beyondChosen(self, message)
  const end = Slot.plus(news.after, news.entries.length)
  if (end >= message.adopted.acceptedThrough) return synchronise(self, message, news, options)
  if (end <= Slot.max(message.chosenThrough, self.chosenThrough)) return learn(self, message, news, options)
  return reject(self, message.ballot)
}

/** A run of entries behind slot `after`. */
interface News {
  readonly after: Slot.Slot
  readonly entries: ReadonlyArray<Entry.Entry>
}

/** The log is the leader's already: it grows by what is new and never shrinks, however old the message. */
const extend = (self: State, message: Message.Accept, options: Options): Step.Step<State, Action> => {
  const fresh = message.entries.slice(self.log.through - message.after)
  const log = Log.append(self.log, fresh)
  const state: State = { ...self, log, chosenThrough: believed(self, message, log) }
  const answer = accepted(state, message, log.through, options)
  return fresh.length === 0
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, self.log.through, fresh), answer)
}

/** The first Accept of a ballot: from the point of agreement on, the log becomes the leader's. */
const synchronise = (
  self: State,
  message: Message.Accept,
  { after, entries }: News,
  options: Options
): Step.Step<State, Action> => {
  const log = Log.append(Log.truncate(self.log, after), entries)
  const state: State = {
    ...self,
    log,
    acceptedBallot: message.ballot,
    chosenThrough: believed(self, message, log)
  }
  return finish(self, state, options, persist(state, after, entries), accepted(state, message, log.through, options))
}

/** Entries that are chosen, for an acceptor that is too far behind to be synchronised in one message. */
const learn = (self: State, message: Message.Accept, news: News, options: Options): Step.Step<State, Action> => {
  const { state, tail } = withChosen(self, news)
  const answer = accepted(state, message, state.chosenThrough, options)
  return news.entries.length === 0
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, news.after, [...news.entries, ...tail]), answer)
}

/** The log with entries that are chosen, and what of its end stays behind them. */
const withChosen = (self: State, { after, entries }: News): { state: State; tail: ReadonlyArray<Entry.Entry> } => {
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

/** What is chosen behind a slot, for a replica that is in an earlier epoch, or that nobody leads. Never of two epochs at once. */
const teach = (self: State, { after, bytes }: Message.Learn): Step.Step<State, Action> => {
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
 */
const learned = (self: State, message: Message.Learned, options: Options): Step.Step<State, Action> => {
  const { number } = self.epochs.present
  if (message.after > self.chosenThrough || (number !== 0 && message.epoch !== number)) return Step.make(self)
  const news = beyondChosen(self, message)
  if (news.entries.length === 0) return Step.make(self)
  const { state, tail } = withChosen(bound(self, message.ballot), news)
  return finish(self, state, options, persist(state, news.after, [...news.entries, ...tail]))
}

const fetch = (self: State, message: Message.Fetch): Step.Step<State, Action> => {
  if (!Ballot.equals(message.ballot, self.promised)) return reject(self, message.ballot)
  if (message.after < self.log.base) {
    const { ballot, after } = message
    return message.after < self.trimmedThrough
      ? Step.make(self, reply({ _tag: "Trimmed", ballot, after, trimmedThrough: self.trimmedThrough }))
      : Step.make(self, { _tag: "Read", fetch: message })
  }
  return Step.make(
    self,
    reply({
      _tag: "Fetched",
      ballot: message.ballot,
      after: message.after,
      entries: Log.slice(self.log, message.after, Log.reach(self.log, message.after, message.bytes))
    })
  )
}

/** The answer tells how far this acceptor came since: once the snapshot is in place, the leader goes on from there. */
const behind = (self: State, { ballot, source }: Message.Behind): Step.Step<State, Action> => {
  const answer = reject(self, ballot)
  return Ballot.equals(ballot, self.promised) ? Step.make(self, ...answer.actions, { _tag: "Pull", source }) : answer
}

const trim = (self: State, through: Slot.Slot): Step.Step<State, Action> => {
  if (through <= self.trimmedThrough) return Step.make(self)
  hold("acceptor", "only what is chosen is trimmed", through <= self.chosenThrough)
  const state: State = { ...self, trimmedThrough: through, epochs: Epoch.forget(self.epochs, through) }
  return Step.make(state, persist(state, state.log.through, []))
}

/**
 * The snapshot stands for all slots through its own. Of the log, what lies behind it stays as it was: other acceptors' logs of that
 * ballot may have made it chosen. What lies below may differ from what was chosen, and nobody must read it any more.
 */
const install = (self: State, slot: Slot.Slot): Step.Step<State, Action> => {
  if (slot <= self.chosenThrough) {
    // Nothing for the acceptor; a learner that lost its own snapshot may go on from it, where the log begins no later.
    return slot < self.trimmedThrough ? Step.make(self) : Step.make<State, Action>(self, { _tag: "Restore", slot })
  }
  const log = slot < self.log.through ? Log.evict(self.log, slot) : Log.empty(slot)
  const epochs = Epoch.forget(self.epochs, slot)
  const state: State = { ...self, epochs, log, chosenThrough: slot, trimmedThrough: slot }
  return Step.make(state, persist(state, log.through, []), { _tag: "Restore", slot })
}

/** Promised without being asked: others promised that ballot, and this one is bound as they are. */
const bound = (self: State, ballot: Ballot.Ballot): State =>
  Ballot.greaterThan(ballot, self.promised) ? { ...self, promised: ballot, grantedRound: 0 } : self

/**
 * A snapshot of another replica says where it was taken. In this epoch, its ballot is promised first. In a later one, this one is
 * over: the snapshot holds all that was chosen in it.
 */
const installAt = (self: State, slot: Slot.Slot, { ballot, epoch }: Epoch.At): Step.Step<State, Action> => {
  const { number } = self.epochs.present
  if (epoch.number < number || slot <= self.chosenThrough) return install(self, slot)
  if (epoch.number === number) return install(bound(self, ballot), slot)
  const state: State = {
    epochs: { present: epoch, past: [] },
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

/** What a machine keeps by itself was applied from this log, which keeps every chosen slot as it is. */
const applied = (self: State, slot: Slot.Slot, options: Options): Step.Step<State, Action> => {
  hold("acceptor", "what is applied is in the log", slot <= self.log.through)
  return slot <= self.chosenThrough ? Step.make(self) : finish(self, { ...self, chosenThrough: slot }, options)
}

/** A follower believes the leader only as far as its log was accepted at the leader's ballot. */
const believed = (self: State, message: Message.Accept, log: Log.Log): Slot.Slot =>
  Slot.max(self.chosenThrough, Slot.min(message.chosenThrough, log.through))

/** The part of a message that lies behind what is known to be chosen; what lies before is here and the same. */
const beyondChosen = (self: State, { after, entries }: News): News =>
  after >= self.chosenThrough
    ? { after, entries }
    : { after: self.chosenThrough, entries: entries.slice(self.chosenThrough - after) }

/** Adds the delivery of what this step found chosen, and lets go of memory that is no longer needed. */
const finish = (
  before: State,
  after: State,
  options: Options,
  ...actions: ReadonlyArray<Action>
): Step.Step<State, Action> => {
  if (after.chosenThrough === before.chosenThrough) return { state: after, actions }
  const entries = Log.slice(after.log, before.chosenThrough, after.chosenThrough)
  const evictable = Slot.make(Math.max(0, after.chosenThrough - options.keep))
  const kept: State = { ...after, log: Log.evict(after.log, evictable) }
  const deliver: Action = { _tag: "Deliver", after: before.chosenThrough, entries }
  const last = entries[entries.length - 1]
  return last?._tag === "StopSign" ? enter(kept, last, ...actions, deliver) : Step.make(kept, ...actions, deliver)
}

/** Behind a chosen stop sign the next epoch begins, in which nothing is promised or accepted yet. */
const enter = (self: State, sign: Entry.StopSign, ...actions: ReadonlyArray<Action>): Step.Step<State, Action> => {
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

const held = (self: State) => ({
  acceptedBallot: self.acceptedBallot,
  acceptedThrough: self.log.through,
  chosenThrough: self.chosenThrough
})

const accepted = (
  { chosenThrough }: State,
  { ballot, confirm }: Message.Accept,
  through: Slot.Slot,
  { grant = 0 }: Options
): Action => reply({ _tag: "Accepted", ballot, through, chosenThrough, confirm, grant })

const reply = (message: Message.ToProposer): Action => ({ _tag: "Reply", message })

const reject = (self: State, ballot: Ballot.Ballot): Step.Step<State, Action> =>
  Step.make(self, reply({ _tag: "Rejected", ballot, promised: self.promised, ...held(self) }))

const persist = (state: State, after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>): Action => {
  hold("acceptor", "a write reaches to the end of the log", after + entries.length === state.log.through)
  return { _tag: "Persist", write: { state: durable(state), after, entries } }
}

/**
 * The first entries of a run whose sizes stay within `bytes`, and at least one if there is one.
 *
 * @since 0.1.0
 * @category helpers
 */
export const atMost = (entries: ReadonlyArray<Entry.Entry>, bytes: number): ReadonlyArray<Entry.Entry> => {
  let size = 0
  for (let i = 0; i < entries.length; i++) {
    size += Entry.sizeOf(entries[i]!)
    if (size > bytes && i > 0) return entries.slice(0, i)
  }
  return entries
}

const check = (before: State, { _tag }: Input, after: State): void => {
  const [was, is] = [before.epochs.present, after.epochs.present]
  const rises = (a: Ballot.Ballot, b: Ballot.Ballot) => a === b || was !== is || !Ballot.lessThan(b, a)
  hold("acceptor", "epochs follow each other", was === is || (was.number < is.number && was.after <= is.after))
  hold("acceptor", "what an epoch begins behind is chosen", is.after <= after.chosenThrough)
  hold("acceptor", "a promise never falls", rises(before.promised, after.promised))
  hold("acceptor", "an accepted ballot never falls", rises(before.acceptedBallot, after.acceptedBallot))
  hold("acceptor", "accepted ballot <= promised", rises(after.acceptedBallot, after.promised))
  const learns = _tag === "Learned" || _tag === "Install"
  hold(
    "acceptor",
    "only Prepare, and what was chosen at a higher ballot, moves a promise",
    _tag === "Prepare" || learns || was !== is || before.promised === after.promised
  )
  hold(
    "acceptor",
    "only Accept, Learned and Install move the log, and Applied what of it is in memory",
    _tag === "Accept" ||
      learns ||
      before.log === after.log ||
      (_tag === "Applied" && before.log.through === after.log.through)
  )
  hold("acceptor", "a grant is not taken back", was !== is || before.grantedUntil <= after.grantedUntil)
  hold("acceptor", "chosen never shrinks", before.chosenThrough <= after.chosenThrough)
  hold("acceptor", "chosen <= accepted", after.chosenThrough <= after.log.through)
  hold("acceptor", "trimmed never shrinks", before.trimmedThrough <= after.trimmedThrough)
  hold("acceptor", "trimmed <= chosen", after.trimmedThrough <= after.chosenThrough)
  hold("acceptor", "only what is chosen leaves memory", after.log.base <= after.chosenThrough)
  if (Log.sharesAllOf(after.log, before.log)) return
  for (let slot = Slot.plus(after.log.base, 1); slot <= before.chosenThrough; slot = Slot.plus(slot, 1)) {
    const was = Log.get(before.log, slot)
    const is = Log.get(after.log, slot)
    if (was === is) continue
    hold(
      "acceptor",
      `the chosen entry of slot ${slot} never changes`,
      is !== undefined && (was === undefined || Entry.equals(was, is))
    )
  }
}
