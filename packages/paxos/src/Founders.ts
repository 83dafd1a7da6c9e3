/**
 * How founders come to vote. A founder votes on nothing before every founder, itself among them, has durably noted the same members
 * and the same journals: the first of the two rounds notes them, the second one tells that all have.
 *
 * ```
 *   founder 1        founder 2        founder 3
 *      │ ── I am x ──► │ ── I am y ──► │           each hears which journal every other one has,
 *      │ note x, y, z  │ note x, y, z  │ note      and notes the whole set, once and for all;
 *      │ ─── noted ──► │ ──── noted ─► │           whoever knows that all have noted the same
 *      │ epoch 1       │ epoch 1       │           begins epoch 1
 * ```
 *
 * The second round is what makes it safe. Say that X and Z choose something, and Z alone knew who X was; then X loses its journal.
 * Had Y noted nothing, the new X and Y would be a quorum that knows of nothing. So: a journal notes one set only, and in a set that
 * became a cluster all journals have noted it; of two clusters, no journal is in both. What is decided here is a plain function of what
 * others have said last, so that any of it may be lost, late or repeated.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { type Next, persist, type State } from "./Accepting.js"
import type * as Epoch from "./Epoch.js"
import * as Incarnation from "./Incarnation.js"
import * as Membership from "./Membership.js"
import { NodeId } from "./NodeId.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * What a replica tells of itself. All of it is durable.
 *
 * @since 0.1.0
 * @category models
 */
export const Introduction = Schema.Struct({
  /** The node of whoever speaks. */
  node: NodeId,
  /** Which journal it has. */
  incarnation: Incarnation.Incarnation,
  /** The number of the epoch that it is in; 0 before it belongs to a cluster. */
  epoch: Schema.Int.pipe(Schema.nonNegative()),
  /** Who takes part in that epoch; of a founder, whom it founds the cluster with. */
  membership: Schema.optionalWith(Membership.Membership, { exact: true }),
  /** Which journals vote in that epoch; of a founder, those that it has noted. */
  incarnations: Schema.optionalWith(Incarnation.Incarnations, { exact: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Introduction = typeof Introduction.Type

/**
 * What to do, given what others have said.
 *
 * @since 0.1.0
 * @category models
 */
export type Decision =
  /** Nothing yet. These nodes have not said what they must. */
  | { readonly _tag: "Wait"; readonly nodes: ReadonlyArray<NodeId> }
  /** All have said which journals they have. */
  | { readonly _tag: "Note"; readonly incarnations: Incarnation.Incarnations }
  /** All have noted the same: epoch 1 begins. */
  | { readonly _tag: "Found" }
  /** The cluster knows this node by another journal, or has begun without this one. */
  | { readonly _tag: "Forgotten"; readonly by: Introduction }
  /** That founder was told of other members, or noted other journals. */
  | { readonly _tag: "Differs"; readonly from: Introduction }

/**
 * What to do for a replica that belongs to no epoch yet. One without members of its own founds nothing: it waits for a change that
 * names it.
 *
 * @since 0.1.0
 * @category steps
 */
export const decide = (self: Introduction, others: ReadonlyMap<NodeId, Introduction>): Decision => {
  const { incarnation, incarnations: noted, membership, node } = self
  for (const other of others.values()) {
    if (Incarnation.isAnother(other.incarnations, node, incarnation)) return { _tag: "Forgotten", by: other }
    if (membership === undefined) continue
    // No cluster begins before all of its founders have noted who they are.
    if (other.epoch > 0 && noted === undefined) return { _tag: "Forgotten", by: other }
    if (other.epoch <= 1 && differs(self, other)) return { _tag: "Differs", from: other }
  }
  if (membership === undefined) return { _tag: "Wait", nodes: [] }
  const rest = membership.voters.filter((voter) => voter !== node)
  const lacking = (has: (other: Introduction) => boolean) =>
    rest.filter((voter) => {
      const other = others.get(voter)
      return other === undefined || !has(other)
    })
  if (noted === undefined) {
    const silent = lacking((other) => other.membership !== undefined)
    if (silent.length > 0) return { _tag: "Wait", nodes: silent }
    const incarnations = membership.voters.map((voter) => ({
      node: voter,
      incarnation: voter === node ? incarnation : others.get(voter)!.incarnation
    }))
    return { _tag: "Note", incarnations }
  }
  // Whoever has begun knew that all have noted it; by now one of them may be gone for good.
  const isBegun = ({ epoch, incarnations }: Introduction) =>
    epoch === 1 && incarnations !== undefined && Incarnation.equals(noted, incarnations)
  if (Array.from(others.values()).some(isBegun)) return { _tag: "Found" }
  const unsure = lacking((other) => other.incarnations !== undefined && Incarnation.equals(noted, other.incarnations))
  return unsure.length === 0 ? { _tag: "Found" } : { _tag: "Wait", nodes: unsure }
}

/** Both found a cluster, and it is not the same one. */
const differs = (self: Introduction, other: Introduction): boolean => {
  const [mine, theirs] = [self.membership, other.membership]
  if (mine === undefined || theirs === undefined) return false
  if (!Membership.equals(mine, theirs)) return true
  const [noted, known] = [self.incarnations, other.incarnations]
  return noted !== undefined && known !== undefined && !Incarnation.equals(noted, known)
}

/**
 * What a replica with this journal and these epochs tells of itself; `told` is whom it was told to found a cluster with, if anybody.
 *
 * @since 0.1.0
 * @category getters
 */
export const introduce = (
  { incarnation, node }: Pick<Introduction, "node" | "incarnation">,
  { identity, present }: Epoch.Epochs,
  told: Membership.Membership | undefined
): Introduction => {
  const founding = identity?.founding
  const isMember = present.number > 0
  const membership = isMember ? present.membership : (founding?.membership ?? told)
  const incarnations = isMember ? present.incarnations : founding?.incarnations
  return {
    ...{ node, incarnation, epoch: present.number },
    ...(membership === undefined ? {} : { membership }),
    ...(incarnations === undefined ? {} : { incarnations })
  }
}

/**
 * Notes with whom the cluster is founded, unless something was noted before or the replica belongs to a cluster.
 *
 * @since 0.1.0
 * @category steps
 */
export const note = (self: State, founding: Epoch.Founding): Next => {
  const { identity, present } = self.epochs
  if (present.number !== 0 || identity === undefined || identity.founding !== undefined) return Step.make(self)
  const state: State = { ...self, epochs: { ...self.epochs, identity: { ...identity, founding } } }
  return Step.make(state, persist(state, state.log.through, []))
}

/**
 * Begins epoch 1 with those who were noted. What it learned of that epoch before stays, and so does the promise that came with it.
 *
 * @since 0.1.0
 * @category steps
 */
export const found = (self: State): Next => {
  const { identity, present } = self.epochs
  if (present.number !== 0 || identity?.founding === undefined) return Step.make(self)
  const epoch: Epoch.Epoch = { number: 1, after: Slot.zero, ...identity.founding }
  const { incarnation } = identity
  const state: State = { ...self, epochs: { present: epoch, past: [], identity: { incarnation } } }
  return Step.make(state, persist(state, state.log.through, []), { _tag: "Enter", epoch })
}
