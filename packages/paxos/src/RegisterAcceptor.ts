/**
 * The acceptor of one register: a memory that never goes back on what it said.
 *
 * ```
 *   Prepare ──►┌──────────┐──► Promise  | Rejected | Decided
 *   Accept  ──►│ acceptor │──► Accepted | Rejected | Decided
 *   Decided ──►│          │──► Decided
 *   Inspect ──►└──────────┘──► Held
 * ```
 *
 * At one ballot it deals with the life of one request. So two requests with the same ballot, of one proposer, of one that forgot its
 * earlier ballots or of two that share a node id, can't both succeed with it: a prepare quorum of the one meets every accept quorum
 * of the other, those of the same round included (see `Quorum`), and refuses it there.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import { hold } from "./Invariant.js"
import * as Register from "./Register.js"
import type * as Message from "./RegisterMessage.js"
import * as Step from "./Step.js"

/**
 * What an acceptor must never forget of a register.
 *
 * @since 0.1.0
 * @category models
 */
export interface State {
  /** No ballot below this one gets a yes. */
  readonly promised: Ballot.Ballot
  /** Whom it was promised to. */
  readonly life: number
  /** What was accepted last. Once the register is decided, the value is its. */
  readonly accepted: Register.Cell | null
  /** Known to be decided. May be forgotten without harm: whoever asks finds out again. */
  readonly decided: boolean
}

/**
 * Of a register that nobody ever asked for.
 *
 * @since 0.1.0
 * @category constants
 */
export const initial: State = { promised: Ballot.zero, life: 0, accepted: null, decided: false }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Acceptors forget registers that are decided, when they are old: such a register may be decided anew, and this acceptor may
   * hear of it while it still holds what was decided before. Default: false, and that would be a breach of the protocol.
   */
  readonly forgets?: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  /** Must be durable before any reply of this or a later step leaves. */
  | { readonly _tag: "Persist"; readonly state: State }
  /** Goes back to whoever sent the message. */
  | { readonly _tag: "Reply"; readonly message: Message.ToProposer }

/**
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, message: Message.ToAcceptor, options: Options = {}): Step.Step<State, Action> => {
  const next = handle(self, message, options)
  check(self, next.state, options)
  return next
}

const handle = (self: State, message: Message.ToAcceptor, options: Options): Step.Step<State, Action> => {
  if (message._tag === "Inspect") return Step.make(self, reply(held(self)))
  if (self.decided) return Step.make(self, reply(decided(self, message.key)))
  switch (message._tag) {
    case "Prepare":
      return prepare(self, message)
    case "Accept":
      return accept(self, message)
    case "Decided":
      return learn(self, message, options)
  }
}

const prepare = (self: State, { ballot, life }: Message.Prepare): Step.Step<State, Action> => {
  if (!admits(self, ballot, life)) return reject(self, ballot)
  const promise = reply({ _tag: "Promise", ballot, accepted: self.accepted })
  if (Ballot.equals(ballot, self.promised)) return Step.make(self, promise)
  return persist({ ...self, promised: ballot, life }, promise)
}

const accept = (self: State, { ballot, life, value }: Message.Accept): Step.Step<State, Action> => {
  if (!admits(self, ballot, life)) return reject(self, ballot)
  const accepted = reply({ _tag: "Accepted", ballot })
  if (self.accepted === null || Ballot.lessThan(self.accepted.ballot, ballot)) {
    return persist({ ...self, promised: ballot, life, accepted: { ballot, value } }, accepted)
  }
  // A proposer has one value a ballot; what else comes is none of its messages.
  return Register.equals(self.accepted.value, value) ? Step.make(self, accepted) : reject(self, ballot)
}

const learn = (self: State, { ballot, key, value }: Message.Decided, options: Options): Step.Step<State, Action> => {
  const { accepted } = self
  const known = accepted !== null && !Ballot.lessThan(accepted.ballot, ballot)
  const agrees = known && Register.equals(accepted.value, value)
  hold("register", "what is accepted at higher ballots is what is decided", !known || agrees || isForgetful(options))
  const promised = Ballot.max(self.promised, ballot)
  const state: State = {
    promised,
    life: promised === self.promised ? self.life : 0,
    accepted: agrees ? accepted : { ballot: known ? accepted.ballot : ballot, value },
    decided: true
  }
  return persist(state, reply(decided(state, key)))
}

/** Ballots above the promise; that of the promise only for whom it was given to. Nobody can have made the zero ballot. */
const admits = (self: State, ballot: Ballot.Ballot, life: number): boolean =>
  Ballot.greaterThan(ballot, self.promised) ||
  (life === self.life && Ballot.equals(ballot, self.promised) && Ballot.greaterThan(ballot, Ballot.zero))

const isForgetful = ({ forgets = false }: Options): boolean => forgets

const held = ({ accepted, decided, promised }: State): Message.Held => ({ _tag: "Held", promised, accepted, decided })

const decided = (self: State, key: string): Message.Decided => ({ _tag: "Decided", key, ...self.accepted! })

const reject = (self: State, ballot: Ballot.Ballot): Step.Step<State, Action> =>
  Step.make(self, reply({ _tag: "Rejected", ballot, promised: self.promised, accepted: self.accepted }))

const reply = (message: Message.ToProposer): Action => ({ _tag: "Reply", message })

const persist = (state: State, answer: Action): Step.Step<State, Action> =>
  Step.make<State, Action>(state, { _tag: "Persist", state }, answer)

const check = (before: State, after: State, options: Options): void => {
  if (before === after) return
  const [was, is] = [before.accepted, after.accepted]
  hold("register", "a promise never falls", !Ballot.lessThan(after.promised, before.promised))
  hold("register", "accepted ballot <= promised", is === null || !Ballot.lessThan(after.promised, is.ballot))
  hold(
    "register",
    "an accepted ballot never falls",
    was === null || (is !== null && !Ballot.lessThan(is.ballot, was.ballot))
  )
  hold(
    "register",
    "what is accepted at a ballot never changes",
    was === null ||
      is === null ||
      isForgetful(options) ||
      Ballot.lessThan(was.ballot, is.ballot) ||
      Register.equals(was.value, is.value)
  )
  hold("register", "what is decided was accepted, and stays", !before.decided && (!after.decided || is !== null))
}
