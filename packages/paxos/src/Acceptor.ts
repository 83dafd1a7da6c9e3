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
 * Here it hears proposers. What is chosen it also has from other replicas (`Lessons`), and what follows when a slot is
 * known to be chosen is the same however it came (`Chosen`).
 *
 * @since 0.1.0
 */
import { type Action, held, type Input, type Next, type Options, persist, type State } from "./Accepting.js"
import { check } from "./AcceptorInvariants.js"
import * as Ballot from "./Ballot.js"
import { applied, beyondChosen, finish, type News, trim, withChosen } from "./Chosen.js"
import * as Entry from "./Entry.js"
import { agreement } from "./Follower.js"
import { found, note } from "./Founders.js"
import { install, installAt, learned, teach } from "./Lessons.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Action, Input, Local, Options, State } from "./Accepting.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export { recover } from "./Accepting.js"

/**
 * @since 0.1.0
 * @category getters
 */
export { durable } from "./Accepting.js"

/**
 * @since 0.1.0
 * @category getters
 */
export { lends } from "./Lessons.js"

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

const handle = (self: State, input: Input, options: Options, now: number): Next => {
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
    case "Note":
      return note(self, input.founding)
    case "Found":
      return found(self)
    case "Reaffirm":
      return Step.make(self, persist(self, self.log.through, []))
  }
}

const prepare = (self: State, message: Message.Prepare, now: number): Next => {
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

const accept = (self: State, message: Message.Accept, options: Options): Next => {
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

/** The log is the leader's already: it grows by what is new and never shrinks, however old the message. */
const extend = (self: State, message: Message.Accept, options: Options): Next => {
  const fresh = message.entries.slice(self.log.through - message.after)
  const log = Log.append(self.log, fresh)
  const state: State = { ...self, log, chosenThrough: believed(self, message, log) }
  const answer = accepted(state, message, log.through, options)
  return fresh.length === 0
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, self.log.through, fresh), answer)
}

/** The first Accept of a ballot: from the point of agreement on, the log becomes the leader's. */
const synchronise = (self: State, message: Message.Accept, { after, entries }: News, options: Options): Next => {
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
const learn = (self: State, message: Message.Accept, news: News, options: Options): Next => {
  const { state, tail } = withChosen(self, news)
  const answer = accepted(state, message, state.chosenThrough, options)
  return news.entries.length === 0
    ? finish(self, state, options, answer)
    : finish(self, state, options, persist(state, news.after, [...news.entries, ...tail]), answer)
}

/** A follower believes the leader only as far as its log was accepted at the leader's ballot. */
const believed = (self: State, message: Message.Accept, log: Log.Log): Slot.Slot =>
  Slot.max(self.chosenThrough, Slot.min(message.chosenThrough, log.through))

const fetch = (self: State, message: Message.Fetch): Next => {
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
const behind = (self: State, { ballot, source }: Message.Behind): Next => {
  const answer = reject(self, ballot)
  return Ballot.equals(ballot, self.promised) ? Step.make(self, ...answer.actions, { _tag: "Pull", source }) : answer
}

const accepted = (
  { chosenThrough }: State,
  { ballot, confirm }: Message.Accept,
  through: Slot.Slot,
  { grant = 0 }: Options
): Action => reply({ _tag: "Accepted", ballot, through, chosenThrough, confirm, grant })

const reply = (message: Message.ToProposer): Action => ({ _tag: "Reply", message })

const reject = (self: State, ballot: Ballot.Ballot): Next =>
  Step.make(self, reply({ _tag: "Rejected", ballot, promised: self.promised, ...held(self) }))

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
