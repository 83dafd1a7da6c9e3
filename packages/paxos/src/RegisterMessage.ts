/**
 * What proposers and acceptors of a register say to each other.
 *
 * ```
 *  proposer                              acceptor
 *     │ ── Prepare ───────────────────────► │   phase 1
 *     │ ◄── Promise | Rejected | Decided ── │
 *     │ ── Accept ────────────────────────► │   phase 2
 *     │ ◄── Accepted | Rejected | Decided ─ │
 *     │ ── Decided ───────────────────────► │   news: whoever is asked from now on knows
 *     │ ◄── Decided ─────────────────────── │
 *     │ ── Inspect ───────────────────────► │   a look, which moves nothing
 *     │ ◄── Held ────────────────────────── │
 * ```
 *
 * Messages may be lost, repeated, delayed and reordered.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import { Cell, Key, Value } from "./Register.js"

/**
 * Which request a ballot belongs to: a number that is drawn when the request begins its life. A proposer need not remember its ballots,
 * may have several requests for a register at once, and may share its node id with others: at one ballot an acceptor deals with one
 * life only.
 *
 * @since 0.1.0
 * @category models
 */
export const Life = Schema.Int.pipe(Schema.nonNegative())

/** Which register, and for whom. */
const asked = {
  key: Key,
  /** The proposer's ballot. */
  ballot: Ballot,
  /** The life of the request that it was made for. */
  life: Life
}

/**
 * Asks for a promise to answer no ballot below this one (phase 1a).
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Prepare = Schema.TaggedStruct("Prepare", asked)

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Prepare = typeof Prepare.Type

/**
 * Asks an acceptor to accept a value (phase 2a).
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Accept = Schema.TaggedStruct("Accept", { ...asked, value: Value })

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Accept = typeof Accept.Type

/**
 * The register is decided: an accept quorum accepted this value at this ballot. It is told to acceptors, and by them.
 *
 * @since 0.1.0
 * @category both ways
 */
export const Decided = Schema.TaggedStruct("Decided", { key: Key, ballot: Ballot, value: Value })

/**
 * @since 0.1.0
 * @category both ways
 */
export type Decided = typeof Decided.Type

/**
 * Asks what an acceptor holds. Nobody's work is disturbed by it.
 *
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const Inspect = Schema.TaggedStruct("Inspect", { key: Key })

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type Inspect = typeof Inspect.Type

/**
 * The promise (phase 1b).
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Promise = Schema.TaggedStruct("Promise", {
  /** The ballot that is promised. */
  ballot: Ballot,
  /** What was accepted last, if anything was. */
  accepted: Schema.NullOr(Cell)
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Promise = typeof Promise.Type

/**
 * The value is accepted, durably (phase 2b).
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Accepted = Schema.TaggedStruct("Accepted", {
  /** The ballot of the {@link Accept}. */
  ballot: Ballot
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Accepted = typeof Accepted.Type

/**
 * The refusal: this acceptor has promised a higher ballot, or the same one to another request.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Rejected = Schema.TaggedStruct("Rejected", {
  /** The ballot that is refused. */
  ballot: Ballot,
  /** The ballot that is promised. */
  promised: Ballot,
  /** What was accepted last, if anything was. */
  accepted: Schema.NullOr(Cell)
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Rejected = typeof Rejected.Type

/**
 * What an acceptor holds of a register.
 *
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const Held = Schema.TaggedStruct("Held", {
  promised: Ballot,
  /** What was accepted last, if anything was. */
  accepted: Schema.NullOr(Cell),
  /** It knows that this value is decided. */
  decided: Schema.Boolean
})

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type Held = typeof Held.Type

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export const ToAcceptor = Schema.Union(Prepare, Accept, Decided, Inspect)

/**
 * @since 0.1.0
 * @category proposer to acceptor
 */
export type ToAcceptor = typeof ToAcceptor.Type

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export const ToProposer = Schema.Union(Promise, Accepted, Rejected, Decided, Held)

/**
 * @since 0.1.0
 * @category acceptor to proposer
 */
export type ToProposer = typeof ToProposer.Type
