/**
 * A proposer that leads: it appends to its log, keeps every acceptor at the same log, and finds out what is chosen.
 *
 * New commands, lost messages, an acceptor that was away and one that never heard of this ballot are all the same work:
 * send from where its log and ours agree. Acceptors far behind get older entries fetched from an acceptor that has them,
 * one piece at a time.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type * as Entry from "./Entry.js"
import * as Follower from "./Follower.js"
import { hold } from "./Invariant.js"
import * as Leading from "./Leading.js"
import * as Lease from "./Lease.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import type { Action, Options } from "./Proposing.js"
import * as Replication from "./Replication.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * Ticks after which a leader tells everybody again what is chosen, news or not: an acceptor that came back may have
 * forgotten it, and nobody notices while nothing is proposed. Two messages a follower in so many heartbeats cost nothing.
 */
const remindEvery = 10

type Next = Step.Step<Leading.Leading, Action>

/**
 * Leadership begins: a prepare quorum has promised and the adopted log is in hand.
 *
 * @since 0.1.0
 * @category steps
 */
export const lead = (
  prepared: {
    readonly ballot: Ballot.Ballot
    readonly highest: Ballot.Ballot
    readonly released: Ballot.Ballot
    readonly promises: ReadonlyMap<NodeId, Message.Promise>
    readonly from: NodeId
    readonly held: Follower.Held
    readonly log: Log.Log
  },
  options: Options
): Next => {
  const { ballot, from, held, highest, log, promises, released } = prepared
  const followers = new Map<NodeId, Follower.Follower>()
  for (const node of [...options.quorums.members, ...(options.learners ?? [])]) {
    const promise = promises.get(node)
    followers.set(node, promise === undefined ? Follower.unknown : Follower.joined(promise, held))
  }
  // No promise of this epoch knows its stop sign to be chosen: what was adopted and may be it is in hand.
  const stops = Log.get(log, log.through)?._tag === "StopSign"
  const state: Leading.Leading = {
    _tag: "Leading",
    ballot,
    highest,
    released,
    adopted: { acceptedBallot: held.acceptedBallot, acceptedThrough: held.acceptedThrough },
    source: from,
    log,
    stops,
    chosenThrough: log.base,
    followers,
    confirm: { asked: 0, answered: 0 },
    lease: { ...Lease.none, released: stops },
    quiet: 0
  }
  const begin: Action = { _tag: "Lead", ballot, adoptedThrough: held.acceptedThrough }
  const sent = Replication.everyone(state, options, () => true)
  return Step.make(sent.state, begin, ...sent.actions)
}

/**
 * New entries at the end of the log.
 *
 * @since 0.1.0
 * @category steps
 */
export const propose = (self: Leading.Leading, entries: ReadonlyArray<Entry.Entry>, options: Options): Next => {
  const log = Log.append(self.log, entries)
  hold("proposer", "proposed within the pipeline", log.through - self.chosenThrough <= options.pipeline)
  const sign = entries.findIndex(({ _tag }) => _tag === "StopSign")
  const stops = sign >= 0
  hold("proposer", "nothing stands behind a stop sign", !self.stops && (!stops || sign === entries.length - 1))
  const lease = stops ? { ...self.lease, released: true } : self.lease
  return Replication.everyone({ ...self, log, stops, lease }, options)
}

/**
 * A new round in which acceptors confirm that they have promised nothing higher, and grant a lease if there are any. One at a
 * time: a leader that is cut off from a quorum would bind those whom it does reach, with each round anew.
 *
 * @since 0.1.0
 * @category steps
 */
export const confirm = (self: Leading.Leading, now: number, options: Options): Next => {
  hold("proposer", "one round of confirmation at a time", !isConfirming(self))
  return Replication.everyone(asking(self, now, options), options)
}

/**
 * A round of confirmation is under way, for reads or for a lease.
 *
 * @since 0.1.0
 * @category getters
 */
export const isConfirming = ({ confirm }: Leading.Leading): boolean => confirm.answered < confirm.asked

const asking = (self: Leading.Leading, now: number, options: Options): Leading.Leading => {
  const asked = self.confirm.asked + 1
  const lease = options.lease === undefined ? self.lease : Lease.asked(self.lease, asked, now)
  return { ...self, confirm: { ...self.confirm, asked }, lease }
}

/**
 * Reads may be served from this slot on, as soon as it is applied: the ballot stood when it was asked for. What was adopted is
 * part of it, since older leaders may have told clients of all of that.
 *
 * @since 0.1.0
 * @category getters
 */
export const readable = (self: Leading.Leading): Slot.Slot => Slot.max(self.chosenThrough, self.adopted.acceptedThrough)

/**
 * Sends again what was under way at the last tick and still is, tells everybody what is chosen, news at once and all
 * of it now and again, and renews a lease of which half is over.
 *
 * @since 0.1.0
 * @category steps
 */
export const tick = (self: Leading.Leading, now: number, options: Options): Next => {
  const reminds = self.quiet + 1 >= remindEvery
  const renews = options.lease !== undefined && !isConfirming(self) && Lease.isDue(self.lease, options.lease, now)
  let state: Leading.Leading = {
    ...(renews ? asking(self, now, options) : self),
    quiet: reminds ? 0 : self.quiet + 1
  }
  const actions: Array<Action> = []
  const confirming = isConfirming(self)
  for (const [node, before] of self.followers) {
    if (before.mode === "Unknown") actions.push(Replication.send(node, prepare(self)))
    const renewed = Follower.withoutLost(before)
    const asked = confirming ? renewed.asked : before.asked
    const follower = renewed.asked === asked ? renewed : { ...renewed, asked }
    const news = reminds || follower.told < self.chosenThrough || Follower.isStuck(before)
    const sent = Replication.one(Leading.withFollower(state, node, follower), node, options, news)
    state = Leading.withFollower(sent.state, node, Follower.noted(sent.state.followers.get(node)!))
    actions.push(...sent.actions)
  }
  return Step.make(state, ...actions)
}

/**
 * Our own acceptor lacks chosen entries, and everybody known to have them is silent: whoever prepares next may know of
 * others.
 *
 * @since 0.1.0
 * @category getters
 */
export const isStranded = (self: Leading.Leading, options: Options): boolean =>
  (self.followers.get(options.self)?.tries ?? 0) > options.patience + options.quorums.members.length

/**
 * An acceptor's answer to this ballot.
 *
 * @since 0.1.0
 * @category steps
 */
export const receive = (self: Leading.Leading, from: NodeId, message: Message.ToProposer, options: Options): Next => {
  const follower = self.followers.get(from)
  if (follower === undefined) return Step.make(self)
  switch (message._tag) {
    case "Promise":
      return follower.mode === "Unknown"
        ? heard(self, from, Follower.joined(message, self.adopted), options, true)
        : Step.make(self)
    case "Accepted":
      return accepted(self, from, follower, message, options)
    case "Rejected":
      return rejected(self, from, follower, message, options)
    case "Fetched":
      return fetched(self, from, message)
    case "Trimmed":
      return trimmed(self, from, message, options)
  }
}

const accepted = (
  self: Leading.Leading,
  from: NodeId,
  follower: Follower.Follower,
  message: Message.Accepted,
  options: Options
): Next => {
  // Before it holds all that was adopted, an acceptor only learns what is chosen, which is no vote.
  const synchronised = message.through >= self.adopted.acceptedThrough
  const known: Follower.Follower = {
    ...follower,
    mode: synchronised && follower.mode === "Probing" ? "Streaming" : follower.mode,
    agreed: Slot.max(follower.agreed, message.through),
    next: Slot.max(follower.next, message.through),
    matched: synchronised ? Slot.max(follower.matched, message.through) : follower.matched,
    knows: Slot.max(follower.knows, message.chosenThrough),
    confirmed: Math.max(follower.confirmed, message.confirm),
    granted: isGranted(message, options) ? Math.max(follower.granted, message.confirm) : follower.granted
  }
  return heard(self, from, known, options, false)
}

const isGranted = ({ grant }: Message.Accepted, { lease }: Options): boolean =>
  lease !== undefined && grant >= lease.grant

/**
 * An acceptor has promised a higher ballot. One that was away may bring it along from an attempt that came to nothing: as long
 * as the others are a quorum this goes on, and the election finds a good moment to go above.
 *
 * @since 0.1.0
 * @category steps
 */
export const outbid = (
  self: Leading.Leading,
  from: NodeId,
  promised: Ballot.Ballot,
  options: Options
): Next | undefined => {
  const follower = self.followers.get(from)
  if (follower === undefined) return Step.make(self)
  const state = Leading.withFollower(self, from, { ...follower, mode: "Outbid", fetching: false })
  const left = new Set<NodeId>()
  for (const [node, { mode }] of state.followers) if (mode !== "Outbid") left.add(node)
  return options.quorums.isAcceptQuorum(self.ballot.round, left)
    ? Step.make({ ...state, highest: Ballot.max(self.highest, promised) })
    : undefined
}

/** Our ballot stands, but the message did not join on to what the acceptor holds: go back to where it does. */
const rejected = (
  self: Leading.Leading,
  from: NodeId,
  follower: Follower.Follower,
  message: Message.Rejected,
  options: Options
): Next => {
  if (follower.mode === "Outbid") return Step.make(self)
  if (!Ballot.equals(message.promised, self.ballot)) {
    const forgetful = Leading.withFollower(self, from, { ...follower, mode: "Unknown" })
    return Step.make(forgetful, Replication.send(from, prepare(self)))
  }
  const synchronised = Ballot.equals(message.acceptedBallot, self.ballot)
  const agreed = Slot.max(
    follower.agreed,
    synchronised ? message.acceptedThrough : Follower.agreement(message, self.adopted)
  )
  // A refusal of something older than the probe that is under way.
  if (follower.mode === "Probing" && agreed === follower.agreed && follower.next > agreed) return Step.make(self)
  const matched = synchronised ? Slot.max(follower.matched, message.acceptedThrough) : follower.matched
  // It came on by itself, with a snapshot: what was being fetched for it is of no more use.
  const fetching = follower.fetching && agreed === follower.agreed
  return heard(self, from, { ...probe(follower), agreed, next: agreed, matched, fetching }, options, true)
}

const prepare = ({ ballot, released }: Leading.Leading): Message.Prepare => ({ _tag: "Prepare", ballot, released })

/** A piece of older log, for every acceptor that waits at its beginning. */
const fetched = (self: Leading.Leading, from: NodeId, message: Message.Fetched): Next => {
  const through = Slot.min(self.log.base, Leading.agreesThrough(self, from))
  const entries = message.entries.slice(0, Math.max(0, through - message.after))
  if (entries.length === 0) return Step.make(self)
  let state = self
  const actions: Array<Action> = []
  for (const [node, follower] of self.followers) {
    if (!follower.fetching || follower.next !== message.after) continue
    const sent = Replication.accept(
      state,
      node,
      { ...follower, fetching: false, tries: 0, trimmed: 0, hinted: 0 },
      message.after,
      entries
    )
    state = sent.state
    actions.push(...sent.actions)
  }
  return Step.make(state, ...actions)
}

/**
 * A source has a snapshot in place of the piece. When all of them do, the acceptor that waits for it is to get a snapshot; it
 * stays marked as waiting, and is told again when nothing came of it.
 */
const trimmed = (self: Leading.Leading, from: NodeId, message: Message.Trimmed, options: Options): Next => {
  let state = self
  const actions: Array<Action> = []
  for (const [node, follower] of self.followers) {
    // One answer for each question, or several acceptors that wait at the same slot would make more and more of both.
    if (!follower.fetching || follower.next !== message.after || Leading.sourceOf(self, follower, options) !== from) {
      continue
    }
    const refused: Follower.Follower = {
      ...follower,
      tries: 0,
      turn: follower.turn + 1,
      trimmed: follower.trimmed + 1,
      fetching: false
    }
    const sources = Leading.sourcesOf(self, follower, options)
    if (refused.trimmed < sources.length) {
      const asked = Replication.fetch(Leading.withFollower(state, node, refused), node, refused, options)
      state = asked.state
      actions.push(...asked.actions)
      continue
    }
    // The leader has other things to do, but may be the only one that this acceptor can reach.
    const ranked = [...sources.filter((other) => other !== options.self), options.self].filter(
      (other) => other !== node && sources.includes(other)
    )
    const source = ranked[follower.hinted % ranked.length] ?? from
    state = Leading.withFollower(state, node, { ...refused, trimmed: 0, fetching: true, hinted: follower.hinted + 1 })
    actions.push(Replication.send(node, { _tag: "Behind", ballot: self.ballot, source }))
  }
  return Step.make(state, ...actions)
}

/** Chosen is what an accept quorum has matched; a slot takes all before it along. */
const count = (self: Leading.Leading, options: Options): Leading.Leading => {
  const chosenThrough = Slot.make(reached(self, options, ({ matched }) => matched, self.chosenThrough))
  const answered = reached(self, options, ({ confirmed }) => confirmed, self.confirm.answered)
  const lease = options.lease === undefined ? self.lease : grants(self, options)
  if (chosenThrough === self.chosenThrough && answered === self.confirm.answered && lease === self.lease) return self
  const evictable = Slot.make(Math.max(0, chosenThrough - options.keep))
  return {
    ...self,
    chosenThrough,
    log: Log.evict(self.log, evictable),
    confirm: { ...self.confirm, answered },
    lease
  }
}

/** An accept quorum has an acceptor in common with every prepare quorum of a higher ballot, and that promises nothing. */
const grants = (self: Leading.Leading, options: Options): Lease.Lease =>
  Lease.granted(
    self.lease,
    reached(self, options, ({ granted }) => granted, 0)
  )

/** The highest number, from `floor` up, that all acceptors of some accept quorum have reached. */
const reached = (
  self: Leading.Leading,
  { quorums }: Options,
  of: (follower: Follower.Follower) => number,
  floor: number
): number => {
  let highest = floor
  for (const follower of self.followers.values()) {
    const candidate = of(follower)
    if (candidate <= highest) continue
    const nodes = new Set<NodeId>()
    for (const [node, other] of self.followers) if (of(other) >= candidate) nodes.add(node)
    if (quorums.isAcceptQuorum(self.ballot.round, nodes)) highest = candidate
  }
  return highest
}

/** Reads may be served from all that was chosen when they were asked, which the adopted log surely contains. */
const confirmed = (before: Leading.Leading, after: Leading.Leading): ReadonlyArray<Action> =>
  after.confirm.answered > before.confirm.answered && !after.stops
    ? [
        {
          _tag: "Confirmed",
          confirm: after.confirm.answered,
          slot: readable(after)
        }
      ]
    : []

const probe = (follower: Follower.Follower): Follower.Follower =>
  !Follower.isJoined(follower.mode) ? follower : { ...follower, mode: "Probing", next: follower.agreed }

/**
 * What follows from news of an acceptor: slots may be chosen now, a round confirmed, and it may be sent more. Our own learner
 * hears at once what is chosen; the others with the next Accept or tick.
 */
const heard = (
  self: Leading.Leading,
  node: NodeId,
  follower: Follower.Follower,
  options: Options,
  evenIfEmpty: boolean
): Next => {
  const known = Leading.withFollower(self, node, follower)
  const counts =
    follower.matched > self.chosenThrough ||
    follower.confirmed > self.confirm.answered ||
    (options.lease !== undefined && self.lease.asked !== undefined)
  const counted = counts ? count(known, options) : known
  if (counted.stops && self.chosenThrough < counted.chosenThrough && counted.chosenThrough === counted.log.through) {
    // The epoch is over: whoever hears of it can begin the next one.
    return Replication.everyone(counted, options, () => true)
  }
  const sent = Replication.one(counted, node, options, evenIfEmpty)
  const own = sent.state.followers.get(options.self)
  if (counted.chosenThrough === self.chosenThrough || own === undefined || own.told === counted.chosenThrough) {
    return Step.make(sent.state, ...sent.actions, ...confirmed(self, counted))
  }
  const told = Replication.one(sent.state, options.self, options, true)
  return Step.make(told.state, ...sent.actions, ...told.actions, ...confirmed(self, counted))
}
