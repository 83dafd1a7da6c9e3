/**
 * The proposer of one node: it follows, or it prepares a ballot of its own, or it leads.
 *
 * ```
 *              campaign                     prepare quorum, adopted log in hand
 *  Following ───────────► Preparing ───────────────────────────────────────────► Leading
 *      ▲                      │  own acceptor first: Prepare leaves only when the    │  Accept, one slot a batch,
 *      │                      │  ballot is durable here; then Prepare to all,        │  to all acceptors at once;
 *      │                      │  Fetch of the log to adopt                           │  an accept quorum: chosen
 *      └──────────────────────┴──────────────────────────────────────────────────────┘
 *                      a higher ballot is promised or claimed somewhere
 * ```
 *
 * A proposer keeps nothing on disk. Its ballot is durable as the promise of its own acceptor, and what it proposes is
 * durable at the acceptors (Lamport, *Paxos Made Simple*, 2.2; the sequence and its rules: DESIGN 5.2).
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type * as Entry from "./Entry.js"
import * as Follower from "./Follower.js"
import { hold } from "./Invariant.js"
import * as Leader from "./Leader.js"
import type * as Leading from "./Leading.js"
import * as Lease from "./Lease.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import type { Action, Options } from "./Proposing.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Action, Options } from "./Proposing.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Following {
  readonly _tag: "Following"
  /** The highest ballot heard of; the next one of our own goes above. */
  readonly highest: Ballot.Ballot
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Preparing {
  readonly _tag: "Preparing"
  readonly highest: Ballot.Ballot
  readonly ballot: Ballot.Ballot
  /** The ballot of the leader that handed over to this one; zero without one. */
  readonly released: Ballot.Ballot
  readonly promises: ReadonlyMap<NodeId, Message.Promise>
  /** Who has promised a higher ballot. */
  readonly outbid: ReadonlySet<NodeId>
  /** Once a prepare quorum has promised: the log to adopt, where it is, and what of it has come. */
  readonly adopting: { readonly from: NodeId; readonly held: Follower.Held; readonly log: Log.Log } | undefined
  /** Ticks since the last piece of it came. */
  readonly ticks: number
}

/**
 * @since 0.1.0
 * @category models
 */
export type State = Following | Preparing | Leading.Leading

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  /** The election wants this node to lead, under a ballot above `above`; `released` is that of a leader which handed over. */
  | { readonly _tag: "Campaign"; readonly above: Ballot.Ballot; readonly released?: Ballot.Ballot }
  /** The election finds that an attempt to lead has come to nothing. */
  | { readonly _tag: "Withdraw" }
  /** Somebody else claims or promised this ballot. */
  | { readonly _tag: "Observe"; readonly ballot: Ballot.Ballot }
  /** An acceptor's answer. */
  | { readonly _tag: "Receive"; readonly from: NodeId; readonly message: Message.ToProposer }
  /** One slot each; only while leading and within {@link capacity}. */
  | { readonly _tag: "Propose"; readonly entries: ReadonlyArray<Entry.Entry> }
  /** Reads wait: have the ballot confirmed by an accept quorum. `now` is the node's monotonic clock; leases need it. */
  | { readonly _tag: "Confirm"; readonly now?: number }
  /** No read relies on a lease of this ballot any more: it is about to be handed over. */
  | { readonly _tag: "Release" }
  /** Time passes: send again what seems lost. */
  | { readonly _tag: "Tick"; readonly now?: number }

/**
 * A proposer that follows whoever made `promised`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const initial = (promised: Ballot.Ballot): State => ({ _tag: "Following", highest: promised })

/**
 * How many more slots may be proposed now; 0 unless leading.
 *
 * @since 0.1.0
 * @category getters
 */
export const capacity = (self: State, options: Options): number =>
  self._tag === "Leading" && !self.stops ? Math.max(0, options.pipeline - (self.log.through - self.chosenThrough)) : 0

/**
 * The ballot that this proposer prepares or leads with, for the election; zero while it follows.
 *
 * @since 0.1.0
 * @category getters
 */
export const claim = (self: State): { readonly claim: Ballot.Ballot; readonly leading: boolean } => ({
  claim: self._tag === "Following" ? Ballot.zero : self.ballot,
  leading: self._tag === "Leading"
})

/**
 * Whether it may have its ballot confirmed now: it leads, and no round is under way. One for a lease may be, which says nothing of
 * reads that came after it.
 *
 * @since 0.1.0
 * @category getters
 */
export const mayConfirm = (self: State): boolean => self._tag === "Leading" && !Leader.isConfirming(self)

/**
 * The slot from which on reads may be served without asking anybody; none unless this node leads with a lease that holds now,
 * by its monotonic clock. Who reads asks again before the answer leaves, and waits until the slot is applied.
 *
 * @since 0.1.0
 * @category getters
 */
export const leased = (self: State, options: Options, now: number): Slot.Slot | undefined =>
  self._tag === "Leading" && options.lease !== undefined && Lease.holds(self.lease, options.lease, now)
    ? Leader.readable(self)
    : undefined

/**
 * The other nodes that could take the lead at once: all that this leader ever proposed is chosen, and they hold it. None
 * while something is under way.
 *
 * @since 0.1.0
 * @category getters
 */
export const successors = (self: State, options: Options): ReadonlyArray<NodeId> => {
  if (self._tag !== "Leading" || self.chosenThrough < self.log.through) return []
  return options.quorums.members.filter(
    (node) => node !== options.self && self.followers.get(node)?.matched === self.log.through
  )
}

/**
 * Whether this node leads, and that one holds about all of its log: what it lacks is under way.
 *
 * @since 0.1.0
 * @category getters
 */
export const keepsUp = (self: State, node: NodeId, options: Options): boolean => {
  const follower = self._tag === "Leading" ? self.followers.get(node) : undefined
  return (
    self._tag === "Leading" &&
    follower?.mode === "Streaming" &&
    self.log.through - follower.matched <= 2 * options.pipeline
  )
}

/**
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, input: Input, options: Options): Step.Step<State, Action> => {
  const next = handle(self, input, options)
  check(self, next.state, options)
  return next
}

const handle = (self: State, input: Input, options: Options): Step.Step<State, Action> => {
  switch (input._tag) {
    case "Campaign":
      return campaign(self, Ballot.max(self.highest, input.above), input.released ?? Ballot.zero, options)
    case "Withdraw":
      return self._tag === "Preparing" ? resign(self, self.highest) : Step.make(self)
    case "Observe":
      return observe(self, input.ballot)
    case "Tick":
      return tick(self, input.now ?? 0, options)
    case "Receive":
      return receive(self, input.from, input.message, options)
    case "Propose":
      return self._tag === "Leading" ? Leader.propose(self, input.entries, options) : Step.make(self)
    case "Confirm":
      return self._tag === "Leading" ? Leader.confirm(self, input.now ?? 0, options) : Step.make(self)
    case "Release":
      return self._tag === "Leading"
        ? Step.make({ ...self, lease: { ...self.lease, released: true } })
        : Step.make(self)
  }
}

/** A new ballot, above all that were heard of. It goes to our own acceptor alone until that has made it durable. */
const campaign = (
  self: State,
  above: Ballot.Ballot,
  released: Ballot.Ballot,
  options: Options
): Step.Step<State, Action> => {
  const ballot = Ballot.next(above, options.self)
  const preparing: Preparing = {
    _tag: "Preparing",
    highest: ballot,
    ballot,
    released,
    promises: new Map(),
    outbid: new Set(),
    adopting: undefined,
    ticks: 0
  }
  const prepare = send(options.self, { _tag: "Prepare", ballot, released })
  return self._tag === "Leading"
    ? Step.make<State, Action>(preparing, { _tag: "Resign", ballot }, prepare)
    : Step.make<State, Action>(preparing, prepare)
}

const observe = (self: State, ballot: Ballot.Ballot): Step.Step<State, Action> => {
  const above = self._tag === "Following" ? self.highest : self.ballot
  if (!Ballot.greaterThan(ballot, above)) return Step.make(self)
  return resign(self, Ballot.max(self.highest, ballot))
}

const resign = (self: State, ballot: Ballot.Ballot): Step.Step<State, Action> => {
  const following: State = { _tag: "Following", highest: ballot }
  return self._tag === "Following"
    ? Step.make(following)
    : Step.make<State, Action>(following, { _tag: "Resign", ballot })
}

const tick = (self: State, now: number, options: Options): Step.Step<State, Action> => {
  switch (self._tag) {
    case "Following":
      return Step.make(self)
    case "Leading":
      return Leader.isStranded(self, options) ? resign(self, self.highest) : Leader.tick(self, now, options)
    case "Preparing": {
      if (self.adopting !== undefined && self.ticks >= options.patience) return adoptElsewhere(self, options)
      return Step.make<State, Action>({ ...self, ticks: self.ticks + 1 }, ...missing(self, options))
    }
  }
}

/**
 * The acceptor whose log was to be adopted is silent. Its promise is dropped; any prepare quorum among the others knows
 * of all that was chosen just as well.
 */
const adoptElsewhere = (self: Preparing, options: Options): Step.Step<State, Action> => {
  const promises = new Map(self.promises)
  if (self.adopting !== undefined) promises.delete(self.adopting.from)
  const preparing: Preparing = { ...self, promises, adopting: undefined, ticks: 0 }
  return options.quorums.isPrepareQuorum(self.ballot.round, new Set(promises.keys()))
    ? adopt(preparing, options)
    : Step.make<State, Action>(preparing, ...missing(preparing, options))
}

const receive = (
  self: State,
  from: NodeId,
  message: Message.ToProposer,
  options: Options
): Step.Step<State, Action> => {
  if (message._tag === "Rejected" && Ballot.greaterThan(message.promised, claim(self).claim)) {
    return outbid(self, from, message.promised, options)
  }
  if (self._tag === "Following" || !Ballot.equals(message.ballot, self.ballot)) return Step.make(self)
  if (!options.quorums.members.includes(from) && options.learners?.includes(from) !== true) return Step.make(self)
  if (self._tag === "Leading") return Leader.receive(self, from, message, options)
  switch (message._tag) {
    case "Promise":
      return promise(self, from, message, options)
    case "Fetched":
      return fetched(self, from, message, options)
    case "Accepted":
    case "Trimmed":
    case "Rejected":
      return Step.make(self)
  }
}

/** Somebody has promised a higher ballot. Whoever can still win without goes on; others follow that ballot. */
const outbid = (self: State, from: NodeId, promised: Ballot.Ballot, options: Options): Step.Step<State, Action> => {
  switch (self._tag) {
    case "Following":
      return observe(self, promised)
    case "Leading":
      return Leader.outbid(self, from, promised, options) ?? resign(self, Ballot.max(self.highest, promised))
    case "Preparing": {
      const lost = new Set(self.outbid).add(from)
      const left = new Set(options.quorums.members.filter((node) => !lost.has(node)))
      const highest = Ballot.max(self.highest, promised)
      return options.quorums.isPrepareQuorum(self.ballot.round, left)
        ? Step.make({ ...self, highest, outbid: lost })
        : resign(self, highest)
    }
  }
}

const promise = (
  self: Preparing,
  from: NodeId,
  message: Message.Promise,
  options: Options
): Step.Step<State, Action> => {
  const promises = new Map(self.promises).set(from, message)
  const preparing: Preparing = { ...self, promises }
  if (self.adopting !== undefined) return Step.make(preparing)
  if (options.quorums.isPrepareQuorum(self.ballot.round, new Set(promises.keys()))) return adopt(preparing, options)
  // Our own acceptor answered: the ballot is durable, and now the others may hear of it.
  return from === options.self && !self.promises.has(from)
    ? Step.make<State, Action>(preparing, ...missing(preparing, options))
    : Step.make(preparing)
}

/** Chooses the log to adopt, and asks for the part of it that is not known to be chosen. */
const adopt = (self: Preparing, options: Options): Step.Step<State, Action> => {
  let best: readonly [NodeId, Message.Promise] | undefined
  let chosenThrough = Slot.zero
  for (const candidate of self.promises) {
    // Of equal logs our own comes without a journey.
    if (
      best === undefined ||
      Follower.isNewer(candidate[1], best[1]) ||
      (candidate[0] === options.self && !Follower.isNewer(best[1], candidate[1]))
    )
      best = candidate
    chosenThrough = Slot.max(chosenThrough, candidate[1].chosenThrough)
  }
  hold("proposer", "a prepare quorum is not empty", best !== undefined)
  const [from, held] = best
  hold("proposer", "the adopted log reaches all that is chosen", held.acceptedThrough >= chosenThrough)
  return adoptMore({ ...self, adopting: { from, held, log: Log.empty(chosenThrough) } }, options)
}

const fetched = (
  self: Preparing,
  from: NodeId,
  message: Message.Fetched,
  options: Options
): Step.Step<State, Action> => {
  if (self.adopting === undefined || from !== self.adopting.from) return Step.make(self)
  if (message.after !== self.adopting.log.through) return Step.make(self)
  const missing = self.adopting.held.acceptedThrough - message.after
  const log = Log.append(self.adopting.log, message.entries.slice(0, missing))
  return adoptMore({ ...self, adopting: { ...self.adopting, log }, ticks: 0 }, options)
}

const adoptMore = (self: Preparing, options: Options): Step.Step<State, Action> => {
  const { adopting, ballot, highest, promises, released } = self
  if (adopting === undefined) return Step.make(self)
  return adopting.log.through < adopting.held.acceptedThrough
    ? Step.make<State, Action>(self, ...missing(self, options))
    : Leader.lead({ ballot, highest, released, promises, ...adopting }, options)
}

/** What a preparing proposer still waits for, asked (again). */
const missing = (self: Preparing, options: Options): ReadonlyArray<Action> => {
  const { adopting, ballot, outbid, promises, released } = self
  if (adopting !== undefined) {
    return [send(adopting.from, { _tag: "Fetch", ballot, after: adopting.log.through, bytes: options.chunk })]
  }
  const left = options.quorums.members.filter((node) => !promises.has(node) && !outbid.has(node))
  const to = promises.has(options.self) ? left : [options.self]
  return to.map((node) => send(node, { _tag: "Prepare", ballot, released }))
}

const send = (to: NodeId, message: Message.ToAcceptor): Action => ({ _tag: "Send", to, message })

const check = (before: State, after: State, options: Options): void => {
  hold("proposer", "the highest ballot heard of never falls", !Ballot.lessThan(after.highest, before.highest))
  if (after._tag === "Following") return
  hold("proposer", "its own ballots carry its own node", after.ballot.node === options.self)
  hold(
    "proposer",
    "a new ballot is above all heard of before",
    (before._tag !== "Following" && Ballot.equals(before.ballot, after.ballot)) ||
      Ballot.greaterThan(after.ballot, before.highest)
  )
  if (after._tag !== "Leading") return
  hold("proposer", "what was adopted stays in the log", after.log.through >= after.adopted.acceptedThrough)
  hold("proposer", "chosen <= proposed", after.chosenThrough <= after.log.through)
  hold("proposer", "only what is chosen leaves memory", after.log.base <= after.chosenThrough)
  if (before._tag !== "Leading" || before.ballot !== after.ballot) return
  hold("proposer", "chosen never shrinks", before.chosenThrough <= after.chosenThrough)
  hold("proposer", "the log never shrinks", before.log.through <= after.log.through)
}
