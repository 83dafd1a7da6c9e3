/**
 * Who should lead: the replica with the highest claim that can reach a quorum, as OmniPaxos elects (Ng et al., *Omni-Paxos:
 * Breaking the Barriers of Partial Connectivity*, EuroSys 2023, section 5).
 *
 * Replicas ask each other in rounds of one tick. A reply carries the replica's own claim, the highest ballot it knows, and
 * whether it is happy: it leads, or it hears its leader. Only a replica that is unhappy, that hears a quorum, and whose
 * neighbours are all unhappy too claims the lead. So nobody disturbs a leader that a quorum hears, and whoever takes over
 * can do the work, also where not every replica reaches every other.
 *
 * Of several that could, the one with the highest priority goes first, and of equals the one with the lowest node: the others
 * give it {@link courtesy} rounds, since two that prepare at once only undo each other's work. A leader hands over to a
 * replica of higher priority that was able to lead for {@link trial} rounds.
 *
 * A replica that returns with a high ballot deposes nobody: an attempt ends when its replica finds a neighbour that is led, or
 * reaches no quorum; whoever hears a leader follows no mere attempt, and lets its acceptor promise nothing to one
 * ({@link heeds}); and a leader goes above a ballot that it is refused for, instead of giving way to it.
 *
 * ```
 *              tick: Heartbeat to all
 *   ┌──────────┐ ─────────────────────────► ┌──────────┐
 *   │ election │                            │ election │
 *   └────┬─────┘ ◄───────────────────────── └──────────┘
 *        │         HeartbeatReply { claim, leader, happy }
 *        ▼
 *    proposer: Campaign, or Observe somebody's higher ballot
 * ```
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import { hold } from "./Invariant.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import * as Quorum from "./Quorum.js"
import type { QuorumSystem } from "./QuorumSystem.js"
import * as Step from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly self: NodeId
  readonly quorums: QuorumSystem
  /** Of those that can lead, the one with the highest should. Default: all are equal. */
  readonly priority?: (node: NodeId) => number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface State {
  /** The number of the round under way. */
  readonly round: number
  /** The ballot that our proposer prepares or leads with; zero while it follows. */
  readonly claim: Ballot.Ballot
  /** Our proposer has finished phase 1 of it. */
  readonly leading: boolean
  /** The round in which it came up: as an attempt, and then as a lead. */
  readonly since: number
  /** The highest ballot known: claimed by somebody, or promised here. */
  readonly leader: Ballot.Ballot
  /** It leads, or it hears its leader. */
  readonly happy: boolean
  /** It heard enough replicas in the last round to take over: quorums of both phases. */
  readonly connected: boolean
  /** Rounds in which it left the lead to a lower node that could have taken it. */
  readonly yielded: number
  /** The replica of higher priority that could take over from us, and for how many rounds it could. */
  readonly preferred: { readonly node: NodeId; readonly rounds: number } | undefined
  /** The highest ballot that was known when the round began. */
  readonly known: Ballot.Ballot
  /** Who answered in the round under way. */
  readonly replies: ReadonlyMap<NodeId, Message.HeartbeatReply>
}

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  /** The round is over. */
  | { readonly _tag: "Tick" }
  | { readonly _tag: "Heartbeat"; readonly message: Message.Heartbeat }
  | { readonly _tag: "HeartbeatReply"; readonly message: Message.HeartbeatReply }
  /** The leader hands over to us. */
  | { readonly _tag: "TakeOver"; readonly message: Message.TakeOver }
  /** Our own acceptor has promised this ballot, or our proposer has heard of it. */
  | { readonly _tag: "Observe"; readonly ballot: Ballot.Ballot }
  /** What our proposer does now; `claim` is zero while it follows. Nothing else makes a claim. */
  | { readonly _tag: "Claim"; readonly claim: Ballot.Ballot; readonly leading: boolean }

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  /** To every other member. */
  | { readonly _tag: "Ask"; readonly message: Message.Heartbeat }
  | { readonly _tag: "Reply"; readonly message: Message.HeartbeatReply }
  /** Our proposer should prepare a ballot above `above`; `released` is that of a leader which hands over. */
  | { readonly _tag: "Campaign"; readonly above: Ballot.Ballot; readonly released?: Ballot.Ballot }
  /** Our proposer's attempt has come to nothing. */
  | { readonly _tag: "Withdraw" }
  /** Our proposer, which leads, should hand over to this replica. */
  | { readonly _tag: "HandOver"; readonly to: NodeId }
  /** This ballot is the highest known now; whoever made it leads or is about to. */
  | { readonly _tag: "Follow"; readonly ballot: Ballot.Ballot }

/**
 * A replica that starts, or comes back: it claims nothing, whatever it did before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const initial = (promised: Ballot.Ballot): State => ({
  round: 0,
  claim: Ballot.zero,
  leading: false,
  since: 0,
  leader: promised,
  happy: false,
  connected: false,
  yielded: 0,
  preferred: undefined,
  known: promised,
  replies: new Map()
})

/**
 * For how many rounds a lower node is let go first: one until it notices, one until its claim is heard.
 *
 * @since 0.1.0
 * @category constants
 */
export const courtesy = 2

/**
 * For how many rounds a replica of higher priority must have been able to lead before it gets the lead: one that comes and
 * goes is of no use.
 *
 * @since 0.1.0
 * @category constants
 */
export const trial = 10

/**
 * Whether our acceptor may promise what it is asked for. Not while we hear a leader, unless the leader itself prepares anew or
 * has handed over: somebody who tries all the same was away, and does not know of it.
 *
 * @since 0.1.0
 * @category getters
 */
export const heeds = (self: State, { ballot, released }: Message.Prepare): boolean =>
  !self.happy || isAttempt(self) || ballot.node === self.leader.node || Ballot.equals(released, self.leader)

/**
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, input: Input, options: Options): Step.Step<State, Action> => {
  const next = handle(self, input, options)
  hold("election", "the known leader's ballot never falls", !Ballot.lessThan(next.state.leader, self.leader))
  hold("election", "a claim is never above the known leader", !Ballot.greaterThan(next.state.claim, next.state.leader))
  return next
}

const handle = (self: State, input: Input, options: Options): Step.Step<State, Action> => {
  switch (input._tag) {
    case "Tick":
      return tick(self, options)
    case "Heartbeat":
      return Step.make(self, {
        _tag: "Reply",
        message: {
          _tag: "HeartbeatReply",
          round: input.message.round,
          from: options.self,
          claim: self.claim,
          leading: self.leading,
          leader: self.leader,
          happy: self.happy,
          connected: self.connected
        }
      })
    case "HeartbeatReply":
      return input.message.round === self.round && options.quorums.members.includes(input.message.from)
        ? Step.make({ ...self, replies: new Map(self.replies).set(input.message.from, input.message) })
        : Step.make(self)
    case "TakeOver":
      // Happy, so that nobody else tries as well while we do. From a leader that was followed by another, it comes too late.
      return Ballot.equals(input.message.ballot, self.leader) && !isOurs(self)
        ? Step.make<State, Action>(
            { ...self, happy: true },
            { _tag: "Campaign", above: self.leader, released: self.leader }
          )
        : Step.make(self)
    case "Observe":
      return follow(self, input.ballot)
    case "Claim":
      return Step.make({
        ...self,
        claim: input.claim,
        leading: input.leading,
        since: Ballot.equals(input.claim, self.claim) && input.leading === self.leading ? self.since : self.round,
        leader: Ballot.max(self.leader, input.claim),
        happy: self.happy || input.leading
      })
  }
}

/** The round is over: whom do we follow, are we content with it, and if nobody around is, can we do it ourselves? */
const tick = (self: State, options: Options): Step.Step<State, Action> => {
  const replies = Array.from(self.replies.values())
  const led = hearsLeader(self, replies, options)
  const highest = replies.reduce(
    (leader, reply) => (led && !reply.leading ? leader : Ballot.max(leader, reply.claim)),
    self.leader
  )
  const followed = follow(self, highest)
  // Whoever answered before a new leader came up could not tell of it. To call that unhappy would have a neighbour that
  // doesn't hear the new leader itself take over from it, and then the other way around, for ever.
  const cameUp = Ballot.greaterThan(highest, self.known)
  const happy = isHappy(followed.state, replies, options) || (cameUp && !isOurs(followed.state))
  const reaches = (nodes: Iterable<NodeId>) => roundFor(highest, nodes, options) !== undefined
  const connected = reaches(self.replies.keys())
  const round = self.round + 1
  const preferred = happy ? preferredOf(followed.state, replies, options) : undefined
  const asked: Step.Step<State, Action> = Step.make<State, Action>(
    { ...followed.state, happy, connected, yielded: 0, preferred, known: highest, round, replies: new Map() },
    ...followed.actions,
    { _tag: "Ask", message: { _tag: "Heartbeat", round } },
    ...(isOver(followed.state, happy) ? [{ _tag: "Withdraw" } as const] : [])
  )
  // Whoever takes over has told its neighbours one round before that it could, unless it needs nobody.
  const able = connected && (self.connected || reaches([]))
  const orphan = happy || able ? orphaned(followed.state, replies) : undefined
  if (orphan !== undefined) {
    const attempt = campaign(orphan, self.replies.keys(), options)
    return Step.make<State, Action>({ ...asked.state, happy: true }, ...asked.actions, attempt)
  }
  if (happy) {
    return preferred === undefined || preferred.rounds < trial
      ? asked
      : Step.make<State, Action>(asked.state, ...asked.actions, { _tag: "HandOver", to: preferred.node })
  }
  if (!able || replies.some((reply) => reply.happy)) return asked
  if (cameUp) return asked
  if (self.yielded < courtesy && replies.some((reply) => reply.connected && goesFirst(reply.from, options))) {
    return { ...asked, state: { ...asked.state, yielded: self.yielded + 1 } }
  }
  // Happy until the next round shows what came of it, so that the neighbours don't all try at once.
  // And above what neighbours have promised: they follow nobody below, though whoever it was may be gone.
  const above = replies.reduce((ballot, reply) => Ballot.max(ballot, reply.leader), highest)
  const attempt = campaign(above, self.replies.keys(), options)
  return Step.make<State, Action>({ ...asked.state, happy: true }, ...asked.actions, attempt)
}

/** The round above a ballot in which these nodes and we are quorums of both phases: not every round has the same. */
const roundFor = (above: Ballot.Ballot, nodes: Iterable<NodeId>, { quorums, self }: Options): number | undefined =>
  Quorum.roundFor(quorums, above.round, new Set([self, ...nodes]))

const campaign = (above: Ballot.Ballot, nodes: Iterable<NodeId>, options: Options): Action => {
  const round = roundFor(above, nodes, options) ?? above.round + 1
  return { _tag: "Campaign", above: { ...above, round: round - 1 } }
}

/** Whoever takes over needs the nodes for phase 1, and from then on those for phase 2. */
const canLead = (round: number, nodes: ReadonlySet<NodeId>, { quorums }: Options): boolean =>
  quorums.isPrepareQuorum(round, nodes) && quorums.isAcceptQuorum(round, nodes)

const isHappy = (self: State, replies: ReadonlyArray<Message.HeartbeatReply>, options: Options): boolean => {
  if (!isOurs(self))
    return replies.some((reply) => reply.happy && claims(reply) && Ballot.equals(reply.claim, self.leader))
  // A quorum has promised in this very round. Its replies may be missing: when an epoch has just begun they were asked too early.
  if (self.leading && self.round === self.since) return true
  if (isAttempt(self) && self.round > self.since && replies.some((reply) => isLed(reply, self))) return false
  const following = new Set([options.self])
  for (const reply of replies) if (!Ballot.greaterThan(reply.leader, self.claim)) following.add(reply.from)
  const enough = self.leading
    ? options.quorums.isAcceptQuorum(self.claim.round, following)
    : canLead(self.claim.round, following, options)
  return enough || replies.some((reply) => reply.happy && Ballot.greaterThan(reply.leader, self.claim))
}

/** It leads with a quorum, or the one that it follows says so of itself. */
const hearsLeader = (self: State, replies: ReadonlyArray<Message.HeartbeatReply>, options: Options): boolean =>
  isOurs(self)
    ? self.leading && isHappy(self, replies, options)
    : replies.some((reply) => reply.leading && reply.happy && Ballot.equals(reply.claim, self.leader))

/** A neighbour that leads, or hears a leader, with a ballot below that of our attempt: we were away when it came up. */
const isLed = ({ claim, happy, leader, leading }: Message.HeartbeatReply, self: State): boolean =>
  happy && leader.round > 0 && Ballot.lessThan(leader, self.claim) && (leading || claim.round === 0)

/** The proposer tries to lead, and does not yet. */
const isAttempt = (self: State): boolean => isOurs(self) && !self.leading

/** The attempt had a whole round for itself. */
const isOver = (self: State, happy: boolean): boolean => isAttempt(self) && !happy && self.round > self.since

const goesFirst = (node: NodeId, { priority = () => 0, self }: Options): boolean =>
  priority(node) > priority(self) || (priority(node) === priority(self) && node < self)

/** Of the replicas that follow us and could lead, the one with the highest priority, if that is above our own. */
const preferredOf = (
  self: State,
  replies: ReadonlyArray<Message.HeartbeatReply>,
  { priority, self: own }: Options
): State["preferred"] => {
  if (priority === undefined || !isOurs(self) || !self.leading) return undefined
  const best = replies
    .filter(({ connected, from, leader }) => {
      return connected && Ballot.equals(leader, self.claim) && priority(from) > priority(own)
    })
    .reduce<NodeId | undefined>(
      (a, { from }) => (a === undefined || priority(from) > priority(a) ? from : a),
      undefined
    )
  if (best === undefined) return undefined
  return { node: best, rounds: self.preferred?.node === best ? self.preferred.rounds + 1 : 1 }
}

/** Zero is no claim: replicas that know of no leader yet don't have one in each other. */
const claims = ({ claim }: Message.HeartbeatReply): boolean => claim.round > 0

const isOurs = (self: State): boolean => self.claim.round > 0 && Ballot.equals(self.leader, self.claim)

/**
 * The highest ballot that a neighbour promised to somebody who is gone. We lead, but that neighbour refuses us until our
 * ballot is above; better now than in the middle of the next command.
 */
const orphaned = (self: State, replies: ReadonlyArray<Message.HeartbeatReply>): Ballot.Ballot | undefined => {
  if (!isOurs(self) || !self.leading) return undefined
  const above = replies.filter((reply) => Ballot.greaterThan(reply.leader, self.claim))
  return above.length === 0 || above.some((reply) => reply.happy)
    ? undefined
    : above.reduce((ballot, reply) => Ballot.max(ballot, reply.leader), self.claim)
}

const follow = (self: State, ballot: Ballot.Ballot): Step.Step<State, Action> =>
  Ballot.greaterThan(ballot, self.leader)
    ? Step.make<State, Action>({ ...self, leader: ballot }, { _tag: "Follow", ballot })
    : Step.make(self)
