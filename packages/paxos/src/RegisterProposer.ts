/**
 * The proposer of one request: to have a value decided, or to read what is.
 *
 * ```
 *   propose ──────────────► Preparing ──► Accepting ──► Finished
 *                              ▲  │ hopeless   │            ▲
 *   read ──► Inspecting ───────┤  ▼            │            │ nothing was decided, or somebody knows what was
 *               │              └─ Waiting ◄────┘            │
 *               └───────────────────────────────────────────┘
 * ```
 *
 * What phase 1 finds at the highest ballot it must propose, its own value only where there is nothing. An attempt is given up when
 * those who have not refused and can be reached are no quorum any more: at once for a round of another kind in which they are
 * (all aboard falls back to majorities), else after a pause, so that two that undo each other's work don't do so for ever.
 *
 * A read looks first, and disturbs nobody: a value on an accept quorum is decided, and where those who hold nothing meet every accept
 * quorum nothing was, when it began. Only what is in between it finishes, with a ballot of its own.
 *
 * One file, since the phases hand over to each other.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import type { NodeId } from "./NodeId.js"
import * as Register from "./Register.js"
import type * as Message from "./RegisterMessage.js"
import * as RegisterEvidence from "./RegisterEvidence.js"
import type { Action, Attempt, Busy, Input, Options, Phase, State } from "./RegisterProposing.js"
import * as RegisterRound from "./RegisterRound.js"
import * as Step from "./Step.js"

export type { Action, Input, Options, Phase, State } from "./RegisterProposing.js"

type Nodes = ReadonlySet<NodeId>

/**
 * A request that was not begun yet; a read, if there is no value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (key: string, value: Register.Value | null): State => ({
  key,
  value,
  highest: Ballot.zero,
  offered: false,
  failures: 0,
  phase: { _tag: "Idle" }
})

/**
 * How long to wait before the next attempt, in milliseconds: twice as long after each one that failed, and somewhere in the upper
 * half of that, by a roll of the dice from 0 to 1.
 *
 * @since 0.1.0
 * @category getters
 */
export const pause = (failures: number, bounds: { readonly first: number; readonly longest: number }, roll: number) =>
  Math.min(bounds.longest, bounds.first * 2 ** (failures - 1)) * (0.5 + roll / 2)

/**
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, input: Input, options: Options): Step.Step<State, Action> => {
  const { phase } = self
  switch (input._tag) {
    case "Begin":
      if (phase._tag !== "Idle" && phase._tag !== "Waiting") return Step.make(self)
      return self.value === null ? inspect(self, options) : prepare(self, input.reachable, options)
    case "Receive":
      if (phase._tag === "Finished") return tell(self, phase, input.from, input.message)
      return receive(self, input.from, input.message, options)
    case "Unanswered":
      if (!isCurrent(phase, input.message)) return Step.make(self)
      return lose(self, phase, input.from, false, input.reachable, options)
  }
}

const inspect = (self: State, { quorums }: Options): Step.Step<State, Action> => {
  const phase: Phase = { _tag: "Inspecting", held: new Map(), lost: new Set(), refused: false }
  return Step.make({ ...self, phase }, ...send(quorums.members, { _tag: "Inspect", key: self.key }))
}

/** In a fast round its own acceptor is enough; but what others have accepted, which a read is after, that one can't tell. */
const prepare = (self: State, reachable: Nodes, options: Options): Step.Step<State, Action> => {
  const { life, quorums } = options
  const owner = self.value === null ? undefined : options.self
  const round = RegisterRound.next(quorums, owner, self.highest.round, reachable)
  const ballot = Ballot.make(round, options.self)
  const phase: Phase = { _tag: "Preparing", ballot, promises: new Map(), lost: new Set(), refused: false }
  const asked = RegisterRound.isFast(quorums, round) ? [options.self] : quorums.members
  return Step.make(
    { ...self, highest: ballot, phase },
    ...send(asked, { _tag: "Prepare", key: self.key, ballot, life })
  )
}

const accept = (
  self: State,
  ballot: Ballot.Ballot,
  value: Register.Value,
  { life, quorums }: Options
): Step.Step<State, Action> => {
  const phase: Phase = { _tag: "Accepting", ballot, value, accepted: new Set(), lost: new Set(), refused: false }
  const offered = self.offered || (self.value !== null && Register.equals(value, self.value))
  return Step.make(
    { ...self, offered, phase },
    ...send(quorums.members, { _tag: "Accept", key: self.key, ballot, life, value })
  )
}

const receive = (
  self: State,
  from: NodeId,
  message: Message.ToProposer,
  options: Options
): Step.Step<State, Action> => {
  if (message._tag === "Decided") {
    if (message.key !== self.key) return Step.make(self)
    return finish(self, { ballot: message.ballot, value: message.value }, ignorant(self.phase))
  }
  const { phase } = self
  switch (phase._tag) {
    case "Inspecting":
      return message._tag === "Held" ? held(self, phase, from, message, options) : Step.make(self)
    case "Preparing":
    case "Accepting":
      if (message._tag === "Held" || !Ballot.equals(message.ballot, phase.ballot)) return Step.make(self)
      if (message._tag === "Rejected") return rejected(self, phase, from, message, options)
      if (message._tag === "Promise") {
        return phase._tag === "Preparing" ? promised(self, phase, from, message, options) : Step.make(self)
      }
      return phase._tag === "Accepting" ? accepted(self, phase, from, options) : Step.make(self)
    default:
      return Step.make(self)
  }
}

const held = (
  self: State,
  before: Extract<Phase, { _tag: "Inspecting" }>,
  from: NodeId,
  message: Message.Held,
  options: Options
): Step.Step<State, Action> => {
  const { quorums } = options
  if (message.decided && message.accepted !== null) return finish(self, message.accepted, ignorant(before))
  const phase = { ...before, held: new Map(before.held).set(from, message) }
  const highest = Ballot.max(self.highest, message.promised)
  const decided = RegisterEvidence.decided(quorums, phase.held)
  if (decided !== undefined) return finish({ ...self, highest }, decided, quorums.members)
  const empty = new Set(Array.from(phase.held.keys()).filter((node) => phase.held.get(node)!.accepted === null))
  if (RegisterEvidence.isBlocking(quorums, empty)) return finish(self, null, [])
  return conclude({ ...self, highest, phase }, phase, options)
}

/** All have answered who will: what some have accepted is finished. */
const conclude = (
  self: State,
  { held, lost }: Extract<Phase, { _tag: "Inspecting" }>,
  options: Options
): Step.Step<State, Action> => {
  if (!options.quorums.members.every((node) => held.has(node) || lost.has(node))) return Step.make(self)
  const found = Array.from(held.values()).some(({ accepted }) => accepted !== null)
  return found ? prepare(self, new Set(held.keys()), options) : backOff(self)
}

const promised = (
  self: State,
  before: Extract<Phase, { _tag: "Preparing" }>,
  from: NodeId,
  message: Message.Promise,
  options: Options
): Step.Step<State, Action> => {
  const { quorums } = options
  const promises = new Map(before.promises).set(from, message.accepted)
  const next: State = { ...self, phase: { ...before, promises } }
  if (!quorums.isPrepareQuorum(before.ballot.round, new Set(promises.keys()))) return Step.make(next)
  const value = RegisterEvidence.highest(promises.values())?.value ?? self.value
  if (value !== null) return accept(next, before.ballot, value, options)
  if (RegisterEvidence.isBlocking(quorums, new Set(promises.keys()))) return finish(next, null, [])
  const phase = { ...before, promises }
  return isHopeless(phase, options) ? backOff({ ...self, phase }) : Step.make(next)
}

const accepted = (
  self: State,
  before: Extract<Phase, { _tag: "Accepting" }>,
  from: NodeId,
  { quorums }: Options
): Step.Step<State, Action> => {
  const { ballot, value } = before
  const accepted = new Set(before.accepted).add(from)
  const next: State = { ...self, phase: { ...before, accepted } }
  return quorums.isAcceptQuorum(ballot.round, accepted)
    ? finish(next, { ballot, value }, quorums.members)
    : Step.make(next)
}

const rejected = (
  self: State,
  phase: Attempt,
  from: NodeId,
  { promised }: Message.Rejected,
  options: Options
): Step.Step<State, Action> => {
  const highest = Ballot.max(self.highest, promised)
  return lose({ ...self, highest }, phase, from, true, new Set(), options)
}

/** One less to count on. */
const lose = (
  self: State,
  before: Busy,
  from: NodeId,
  refused: boolean,
  reachable: Nodes,
  options: Options
): Step.Step<State, Action> => {
  const phase: Busy = { ...before, lost: new Set(before.lost).add(from), refused: before.refused || refused }
  const next: State = { ...self, phase }
  if (phase._tag === "Inspecting") return conclude(next, phase, options)
  return isHopeless(phase, options) ? giveUp(next, phase, reachable, options) : Step.make(next)
}

/** What its own acceptor refused cost nobody anything, and where nobody refused nobody is in the way. */
const giveUp = (
  self: State,
  { _tag, ballot, lost, refused }: Attempt,
  reachable: Nodes,
  options: Options
): Step.Step<State, Action> => {
  const isFast = RegisterRound.isFast(options.quorums, ballot.round)
  if (!isFast || (refused && _tag === "Accepting")) return backOff(self)
  const left = _tag === "Accepting" ? Array.from(reachable).filter((node) => !lost.has(node)) : reachable
  return prepare(self, new Set(left), options)
}

const backOff = (self: State): Step.Step<State, Action> => {
  const failures = self.failures + 1
  return Step.make<State, Action>({ ...self, failures, phase: { _tag: "Waiting" } }, { _tag: "BackOff", failures })
}

/** Those who have not refused, and can be reached, are no quorum; or are one that tells a read too little. */
const isHopeless = (phase: Attempt, { quorums, self }: Options): boolean => {
  const { ballot, lost } = phase
  if (phase._tag === "Accepting") {
    return !quorums.isAcceptQuorum(ballot.round, new Set(quorums.members.filter((node) => !lost.has(node))))
  }
  const asked = RegisterRound.isFast(quorums, ballot.round) ? [self] : quorums.members
  const left = asked.filter((node) => !lost.has(node))
  return !quorums.isPrepareQuorum(ballot.round, new Set(left)) || left.every((node) => phase.promises.has(node))
}

const finish = (self: State, decided: Register.Cell | null, told: ReadonlyArray<NodeId>): Step.Step<State, Action> => {
  const news: ReadonlyArray<Action> = decided === null ? [] : send(told, { _tag: "Decided", key: self.key, ...decided })
  return Step.make<State, Action>(
    { ...self, phase: { _tag: "Finished", decided } },
    { _tag: "Finish", decided },
    ...news
  )
}

/** Whoever answers later, and shows that he doesn't know, is told. */
const tell = (
  self: State,
  { decided }: Extract<Phase, { _tag: "Finished" }>,
  from: NodeId,
  message: Message.ToProposer
): Step.Step<State, Action> => {
  const isIgnorant = message._tag === "Promise" || (message._tag === "Held" && !message.decided)
  if (decided === null || !isIgnorant) return Step.make(self)
  return Step.make(self, ...send([from], { _tag: "Decided", key: self.key, ...decided }))
}

/** Those who answered as if they didn't know yet. */
const ignorant = (phase: Phase): ReadonlyArray<NodeId> => {
  switch (phase._tag) {
    case "Inspecting":
      return Array.from(phase.held.keys())
    case "Preparing":
      return Array.from(phase.promises.keys())
    case "Accepting":
      return Array.from(phase.accepted)
    default:
      return []
  }
}

const isCurrent = (phase: Phase, message: Message.ToAcceptor): phase is Busy => {
  switch (phase._tag) {
    case "Inspecting":
      return message._tag === "Inspect"
    case "Preparing":
      return message._tag === "Prepare" && Ballot.equals(message.ballot, phase.ballot)
    case "Accepting":
      return message._tag === "Accept" && Ballot.equals(message.ballot, phase.ballot)
    default:
      return false
  }
}

const send = (nodes: ReadonlyArray<NodeId>, message: Message.ToAcceptor): ReadonlyArray<Action> =>
  nodes.map((to) => ({ _tag: "Send", to, message }))
