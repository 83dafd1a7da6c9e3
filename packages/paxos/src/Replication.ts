/**
 * What a leader sends to each acceptor: whatever it lacks and may be sent now.
 *
 * ```
 *   Unknown ── Prepare ──► Promise ──► Probing ── one Accept at a time, from where the logs surely agree
 *                                         │ all that was adopted is accepted
 *                                         ▼
 *                                      Streaming ── Accepts follow each other without waiting
 *   further behind than memory reaches:   Fetch ──► an acceptor that has it ──► Fetched ──► Accept
 * ```
 *
 * @since 0.1.0
 */
import type * as Entry from "./Entry.js"
import * as Follower from "./Follower.js"
import * as Leading from "./Leading.js"
import * as Log from "./Log.js"
import type * as Message from "./Message.js"
import type { NodeId } from "./NodeId.js"
import type { Action, Options } from "./Proposing.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

type Next = Step.Step<Leading.Leading, Action>

/**
 * To every acceptor, whatever it lacks; an empty Accept to those it would be news for.
 *
 * @since 0.1.0
 * @category steps
 */
export const everyone = (
  self: Leading.Leading,
  options: Options,
  evenIfEmpty: (follower: Follower.Follower) => boolean = () => false
): Next => {
  let state = self
  const actions: Array<Action> = []
  for (const [node, follower] of self.followers) {
    const sent = one(state, node, options, evenIfEmpty(follower))
    state = sent.state
    actions.push(...sent.actions)
  }
  return Step.make(state, ...actions)
}

/**
 * To one acceptor, whatever it lacks; with nothing to send, an empty Accept if there is news for it.
 *
 * @since 0.1.0
 * @category steps
 */
export const one = (self: Leading.Leading, node: NodeId, options: Options, evenIfEmpty: boolean): Next => {
  let follower = self.followers.get(node)
  if (follower === undefined || !Follower.isJoined(follower.mode)) return Step.make(self)
  if (follower.next < self.log.base) return fetch(self, node, follower, options)
  let state = self
  const actions: Array<Action> = []
  for (;;) {
    const end = sendable(state, follower, options)
    if (end <= follower.next) break
    const sent = accept(state, node, follower, follower.next, Log.slice(state.log, follower.next, end))
    state = sent.state
    actions.push(...sent.actions)
    follower = state.followers.get(node)!
  }
  if (actions.length > 0 || !(evenIfEmpty || follower.asked < self.confirm.asked)) return Step.make(state, ...actions)
  return accept(state, node, follower, follower.mode === "Streaming" ? follower.next : follower.agreed, [])
}

/** How far the next Accept to this acceptor may go. */
const sendable = (self: Leading.Leading, follower: Follower.Follower, options: Options): Slot.Slot => {
  const { agreed, mode, next } = follower
  const window = mode === "Streaming" ? 2 * options.pipeline : 1
  if (next >= self.log.through || next - agreed >= window) return next
  const end = Log.reach(self.log, next, options.chunk)
  const { acceptedThrough } = self.adopted
  if (end >= acceptedThrough) return end
  // Not all that was adopted fits: first what is chosen, in pieces; then the rest, which must come in one.
  const chosen = Slot.min(end, self.chosenThrough)
  return chosen > next ? chosen : acceptedThrough
}

/**
 * Entries that memory no longer holds come from an acceptor; the next piece is asked for when the last one arrived.
 *
 * @since 0.1.0
 * @category steps
 */
export const fetch = (self: Leading.Leading, node: NodeId, follower: Follower.Follower, options: Options): Next => {
  if (follower.fetching || follower.agreed < follower.next) return Step.make(self)
  return Step.make(
    Leading.withFollower(self, node, { ...follower, fetching: true }),
    send(Leading.sourceOf(self, follower, options), {
      _tag: "Fetch",
      ballot: self.ballot,
      after: follower.next,
      bytes: options.chunk
    })
  )
}

/**
 * These entries to this acceptor.
 *
 * @since 0.1.0
 * @category steps
 */
export const accept = (
  self: Leading.Leading,
  node: NodeId,
  follower: Follower.Follower,
  after: Slot.Slot,
  entries: ReadonlyArray<Entry.Entry>
): Next => {
  const known: Follower.Follower = {
    ...follower,
    next: Slot.max(follower.next, Slot.plus(after, entries.length)),
    told: self.chosenThrough,
    asked: self.confirm.asked
  }
  return Step.make(
    Leading.withFollower(self, node, known),
    send(node, {
      _tag: "Accept",
      ballot: self.ballot,
      after,
      entries,
      chosenThrough: self.chosenThrough,
      adopted: self.adopted,
      confirm: self.confirm.asked
    })
  )
}

/**
 * A message to this acceptor.
 *
 * @since 0.1.0
 * @category constructors
 */
export const send = (to: NodeId, message: Message.ToAcceptor): Action => ({ _tag: "Send", to, message })
