/**
 * Epochs: a membership in force, from behind the stop sign that began it through the one that ends it. Each is a Multi-Paxos of
 * its own, with its own ballots, over the slots that follow each other through all of them (Lamport, Malkhi, Zhou,
 * *Reconfiguring a State Machine*, 2010, on stopping; DESIGN 5.4).
 *
 * ```
 *   slot      1   2   3   4     5   6   7     8   9
 *   epoch 1  [a] [b] [c] [■]
 *   epoch 2                    [d] [e] [■]
 *   epoch 3                                  [f] [g] …      ■ a stop sign: nothing of its epoch is chosen behind it
 * ```
 *
 * A message counts in the epoch in which it was sent, and in no other. Whoever is in an earlier epoch than the one it hears from
 * asks there for what was chosen, until it comes to the stop sign.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"
import type { StopSign } from "./Entry.js"
import * as Incarnation from "./Incarnation.js"
import * as Membership from "./Membership.js"
import type { NodeId } from "./NodeId.js"
import * as Slot from "./Slot.js"

/**
 * @since 0.1.0
 * @category models
 */
export const Epoch = Schema.Struct({
  /** From 1; 0 of a node that belongs to no cluster yet. */
  number: Schema.Int.pipe(Schema.nonNegative()),
  /** The slot of the stop sign that began it; 0 of the first one. */
  after: Slot.Slot,
  membership: Membership.Membership,
  /** Which journals its voters have; a replica with another one has no vote. */
  incarnations: Schema.optionalWith(Incarnation.Incarnations, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Epoch = typeof Epoch.Type

/**
 * With whom a node founds a cluster, and which journals they have.
 *
 * @since 0.1.0
 * @category models
 */
export const Founding = Schema.Struct({
  membership: Membership.Membership,
  incarnations: Incarnation.Incarnations
})

/**
 * @since 0.1.0
 * @category models
 */
export type Founding = typeof Founding.Type

/**
 * Which journal it is, and with whom it founds a cluster, until that is founded (see `Founders`).
 *
 * @since 0.1.0
 * @category models
 */
export const Identity = Schema.Struct({
  incarnation: Incarnation.Incarnation,
  founding: Schema.optionalWith(Founding, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Identity = typeof Identity.Type

/**
 * An epoch, and a ballot: what a node knows to be chosen in it was chosen at no higher one.
 *
 * @since 0.1.0
 * @category models
 */
export const At = Schema.Struct({ epoch: Epoch, ballot: Ballot })

/**
 * @since 0.1.0
 * @category models
 */
export type At = typeof At.Type

/**
 * The epoch that a node is in, those before whose entries it may still hand on, the oldest first, and which journal it has, once
 * that was begun.
 *
 * @since 0.1.0
 * @category models
 */
export const Epochs = Schema.Struct({
  present: Epoch,
  past: Schema.Array(At),
  identity: Schema.optionalWith(Identity, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Epochs = typeof Epochs.Type

/**
 * Of a node that has no membership yet: it votes nowhere, and learns from others until a stop sign names it.
 *
 * @since 0.1.0
 * @category constants
 */
export const none: Epochs = {
  present: { number: 0, after: Slot.zero, membership: { voters: [], learners: [], quorums: { _tag: "Majority" } } },
  past: []
}

/**
 * Of a node that founds a cluster with others, all of which are given the same membership.
 *
 * @since 0.1.0
 * @category constructors
 */
export const founded = (membership: Membership.Membership, incarnations?: Incarnation.Incarnations): Epochs => ({
  present: { number: 1, after: Slot.zero, membership, ...(incarnations === undefined ? {} : { incarnations }) },
  past: []
})

/**
 * In this epoch from now on, with the same journal.
 *
 * @since 0.1.0
 * @category combinators
 */
export const enter = ({ identity }: Epochs, present: Epoch, past: ReadonlyArray<At>): Epochs =>
  identity === undefined ? { present, past } : { present, past, identity: { incarnation: identity.incarnation } }

/**
 * Does another journal than this one stand for the node in its epoch? Then it has no vote there, and never will.
 *
 * @since 0.1.0
 * @category getters
 */
export const isReplaced = ({ identity, present }: Epochs, node: NodeId): boolean =>
  Incarnation.isAnother(present.incarnations, node, identity?.incarnation)

/**
 * The epoch that a chosen stop sign begins; `promised` is what the acceptor has promised in the one that it ends.
 *
 * @since 0.1.0
 * @category combinators
 */
export const next = (self: Epochs, promised: Ballot, slot: Slot.Slot, sign: StopSign): Epochs => {
  const { past, present } = self
  const { epoch, incarnations, membership } = sign
  const ended: At = { epoch: present.number === 0 ? { ...present, number: epoch } : present, ballot: promised }
  const known = incarnations === undefined ? {} : { incarnations }
  return enter(self, { number: epoch + 1, after: slot, membership, ...known }, [...past, ended])
}

/**
 * The epochs without those of which nothing is left in the log.
 *
 * @since 0.1.0
 * @category combinators
 */
export const forget = (self: Epochs, trimmedThrough: Slot.Slot): Epochs => {
  const past = self.past.filter((_, i) => endOf(self, i) > trimmedThrough)
  return past.length === self.past.length ? self : { ...self, past }
}

/**
 * The epoch whose entry stands behind this slot, the last slot of that epoch if it is over, and the ballot.
 *
 * @since 0.1.0
 * @category getters
 */
export const at = (
  self: Epochs,
  promised: Ballot,
  slot: Slot.Slot
): { readonly at: At; readonly through: Slot.Slot | undefined } => {
  const i = self.past.findIndex((_, i) => slot < endOf(self, i))
  const past = self.past[i]
  return past === undefined
    ? { at: { epoch: self.present, ballot: promised }, through: undefined }
    : { at: past, through: endOf(self, i) }
}

/**
 * Does the node know who belonged to it? Not of the epochs that it only learned, before a stop sign named it: what it knows of
 * them it may tell, and no snapshot of theirs, with which another node would go on in an epoch of nobody.
 *
 * @since 0.1.0
 * @category getters
 */
export const isKnown = ({ epoch }: At): boolean => epoch.membership.voters.length > 0

/** The stop sign that ended one of those that are past. */
const endOf = ({ past, present }: Epochs, i: number): Slot.Slot => past[i + 1]?.epoch.after ?? present.after

/**
 * What to do with a message that was sent in epoch `sent`, here in epoch `own`: obey it; tell its sender that it is late; or
 * catch up from its sender.
 *
 * @since 0.1.0
 * @category getters
 */
export const judge = (own: number, sent: number): "obey" | "late" | "behind" =>
  sent === own ? "obey" : sent < own ? "late" : "behind"

/**
 * Whether this node should try to lead the epoch as soon as it begins, so that nobody has to wait for an election: whoever led
 * the last one, or if that is no voter any more, the first voter.
 *
 * @since 0.1.0
 * @category getters
 */
export const begins = ({ membership }: Epoch, self: NodeId, led: number): boolean => {
  const { voters } = membership
  return (voters.find((node) => node === led) ?? voters[0]) === self
}
