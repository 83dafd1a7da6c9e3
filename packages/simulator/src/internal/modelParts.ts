/**
 * The two halves of a node as the model checker drives them, each a plain function around the production steps.
 *
 * - A *store* is all that an acceptor's turn may change: its memory, its journal and the learner behind it. What the
 *   judge has to know of its past stands beside: its votes, and what a crash left of what it knew.
 * - A *proposal* is a state of the production proposer.
 *
 * Both name their node, so that equal ones behave alike.
 */
import * as Acceptor from "@synod/paxos/Acceptor"
import * as Ballot from "@synod/paxos/Ballot"
import type * as Durable from "@synod/paxos/Durable"
import type * as Entry from "@synod/paxos/Entry"
import * as Epoch from "@synod/paxos/Epoch"
import { InvariantBroken } from "@synod/paxos/Invariant"
import * as Learner from "@synod/paxos/Learner"
import * as Membership from "@synod/paxos/Membership"
import * as MembershipChange from "@synod/paxos/MembershipChange"
import type * as Message from "@synod/paxos/Message"
import type { NodeId } from "@synod/paxos/NodeId"
import * as Proposer from "@synod/paxos/Proposer"
import { nobody, type QuorumSystem } from "@synod/paxos/QuorumSystem"
import * as Slot from "@synod/paxos/Slot"
import * as Either from "effect/Either"

/** The functions under test. */
export interface Roles {
  readonly acceptor: typeof Acceptor.step
  readonly recover: typeof Acceptor.recover
  readonly proposer: typeof Proposer.step
  readonly learner: typeof Learner.step
  /** What becomes of a message of one epoch or another. */
  readonly judge: typeof Epoch.judge
  /** Whether a leader may end its epoch. */
  readonly change: typeof MembershipChange.next
  /** Who decides in the last of these epochs, as a node believes. */
  readonly quorums: (memberships: ReadonlyArray<Membership.Membership>) => QuorumSystem
}

export const production: Roles = {
  acceptor: Acceptor.step,
  recover: Acceptor.recover,
  proposer: Proposer.step,
  learner: Learner.step,
  judge: Epoch.judge,
  change: MembershipChange.next,
  quorums: (memberships) => Either.getOrElse(Membership.make(memberships[memberships.length - 1]!), () => nobody)
}

/** A log as it was accepted at one ballot of an epoch, whatever became of it later. */
export interface Vote {
  readonly epoch: number
  /** The slot behind which the epoch began. */
  readonly after: Slot.Slot
  readonly ballot: Ballot.Ballot
  readonly log: ReadonlyArray<Entry.Entry>
}

export interface Store {
  readonly node: NodeId
  readonly acceptor: Acceptor.State
  readonly journal: { readonly durable: Durable.Durable; readonly entries: ReadonlyArray<Entry.Entry> }
  readonly learner: Learner.State
  readonly applied: ReadonlyArray<Entry.Entry>
  readonly votes: ReadonlyArray<Vote>
  /** The highest ballot it has ever promised in the epoch that it is in. */
  readonly promised: Ballot.Ballot
  /** What it knew to be chosen when it last came back from a crash. */
  readonly recovered: Slot.Slot | undefined
  /** What should hold of one node alone, and does not; a node that is broken does nothing any more. */
  readonly broken: string | undefined
}

export interface Proposal {
  readonly node: NodeId
  /** The number of the epoch that it works in. */
  readonly epoch: number
  readonly state: Proposer.State
  readonly broken: string | undefined
}

export interface Turn {
  readonly store: Store
  readonly replies: ReadonlyArray<Message.ToProposer>
  /** The higher ballot that was promised in this turn: the node's own proposer hears of it. */
  readonly observed: Ballot.Ballot | undefined
  /** What was chosen in the epochs that ended in this turn, for whoever asks. */
  readonly lessons: ReadonlyArray<Message.Learned>
}

export const fresh = (node: NodeId, durable: Durable.Durable, roles: Roles): Store => ({
  node,
  acceptor: roles.recover(durable, []),
  journal: { durable, entries: [] },
  learner: Learner.initial(Slot.zero),
  applied: [],
  votes: [],
  promised: Ballot.zero,
  recovered: undefined,
  broken: undefined
})

/** All that was in memory is gone; the machine starts over from the journal. */
export const restart = (self: Store, roles: Roles): Store =>
  guarded(self, () => {
    const { durable, entries } = self.journal
    const acceptor = roles.recover(durable, entries.slice(durable.chosenThrough))
    const store: Store = {
      ...self,
      acceptor,
      learner: Learner.initial(Slot.zero),
      applied: [],
      recovered: acceptor.chosenThrough
    }
    return learn(store, { _tag: "Chosen", after: acceptor.chosenThrough, entries: [] }, roles)
  })

export const accept = (self: Store, message: ToStore, options: Acceptor.Options, roles: Roles): Turn => {
  const replies: Array<Message.ToProposer> = []
  const lessons: Array<Message.Learned> = []
  const store = guarded(self, () => {
    const { actions, state } = roles.acceptor(self.acceptor, message, options)
    const isSame = numberOf(state) === numberOf(self.acceptor)
    let store: Store = {
      ...self,
      acceptor: state,
      promised: isSame ? Ballot.max(self.promised, state.promised) : state.promised
    }
    for (const action of actions) if (action._tag === "Persist") store = persist(store, action.write)
    for (const action of actions) {
      if (action._tag === "Reply") replies.push(action.message)
      if (action._tag === "Read") replies.push(read(store, action.fetch))
    }
    for (const action of actions) {
      if (action._tag === "Deliver") store = learn(store, { ...action, _tag: "Chosen" }, roles)
    }
    if (!isSame) lessons.push(...teach(store, roles))
    return store
  })
  const { promised } = store.acceptor
  if (store.broken !== undefined) return { store, replies: [], observed: undefined, lessons: [] }
  const risen = lessons.length === 0 && Ballot.greaterThan(promised, self.acceptor.promised)
  return { store, replies, observed: risen ? promised : undefined, lessons }
}

/** What an acceptor is told, by proposers or by others who know more. */
export type ToStore = Message.ToAcceptor | Message.Learned

export const numberOf = ({ epochs }: Acceptor.State): number => epochs.present.number

/** Larger than any log of a model, in bytes. */
const whole = 1 << 20

/** What a node that has entered an epoch would say of the one before to whoever asked behind its beginning. */
const teach = ({ acceptor, journal }: Store, roles: Roles): ReadonlyArray<Message.Learned> => {
  const ended = acceptor.epochs.past[acceptor.epochs.past.length - 1]
  if (ended === undefined) return []
  const question: Message.Learn = { _tag: "Learn", after: ended.epoch.after, bytes: whole }
  return roles.acceptor(acceptor, question, { keep: 0 }).actions.flatMap((action) => {
    if (action._tag === "Teach" && action.message._tag === "Learned") return [action.message]
    if (action._tag !== "ReadChosen") return []
    const { lesson, slots } = action
    return [{ ...lesson, entries: journal.entries.slice(lesson.after, lesson.after + slots) }]
  })
}

export interface Sends {
  readonly proposal: Proposal
  readonly sends: ReadonlyArray<{ readonly to: NodeId; readonly message: Message.ToAcceptor }>
}

export const propose = (self: Proposal, input: Proposer.Input, options: Proposer.Options, roles: Roles): Sends => {
  try {
    const { actions, state } = roles.proposer(self.state, input, options)
    return { proposal: { ...self, state }, sends: actions.filter((action) => action._tag === "Send") }
  } catch (error) {
    return { proposal: { ...self, broken: claimOf(error) }, sends: [] }
  }
}

const persist = (self: Store, { after, entries, state }: Durable.Write): Store => {
  const log = [...self.journal.entries.slice(0, after), ...entries]
  const store: Store = { ...self, journal: { durable: state, entries: log } }
  // While the promise is above the accepted ballot, a write promises or learns what is chosen, and where nothing is promised
  // an epoch begins: it is no vote.
  const isVote = Ballot.equals(state.promised, state.acceptedBallot) && Ballot.greaterThan(state.promised, Ballot.zero)
  const { after: begins, number } = state.epochs.present
  return isVote ? vote(store, { epoch: number, after: begins, ballot: state.acceptedBallot, log }) : store
}

const vote = (self: Store, cast: Vote): Store => {
  const { ballot, epoch, log } = cast
  const before = self.votes.find((vote) => vote.epoch === epoch && Ballot.equals(vote.ballot, ballot))
  if (before !== undefined && log.length < before.log.length) {
    return { ...self, broken: `what was accepted at ${Ballot.format(ballot)} is taken back` }
  }
  return { ...self, votes: [...self.votes.filter((vote) => vote !== before), cast] }
}

const read = ({ journal }: Store, { after, ballot, bytes }: Message.Fetch): Message.Fetched => ({
  _tag: "Fetched",
  ballot,
  after,
  entries: Acceptor.atMost(journal.entries.slice(after), bytes)
})

const learn = (self: Store, input: Learner.Input, roles: Roles): Store => {
  const { actions, state } = roles.learner(self.learner, input)
  let store: Store = { ...self, learner: state }
  for (const action of actions) {
    if (action._tag === "Read") {
      const entries = store.journal.entries.slice(action.after)
      store = learn(store, { _tag: "Read", after: action.after, entries }, roles)
    } else if (action._tag === "Restore") {
      store = { ...store, broken: "a machine is restored, and there are no snapshots here" }
    } else if (action.slot === store.applied.length + 1) {
      store = { ...store, applied: [...store.applied, action.entry] }
    } else {
      store = { ...store, broken: `slot ${action.slot} is applied after slot ${store.applied.length}` }
    }
  }
  return store
}

const guarded = (self: Store, turn: () => Store): Store => {
  try {
    return turn()
  } catch (error) {
    return { ...self, broken: claimOf(error) }
  }
}

/** A breach of the core's own invariants is a finding; anything else is a fault of the model. */
const claimOf = (error: unknown): string => {
  if (error instanceof InvariantBroken) return error.message
  throw error
}
