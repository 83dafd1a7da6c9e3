/**
 * What a leader knows of one acceptor that it leads, its own among them.
 *
 * @since 0.1.0
 */
import * as Ballot from "./Ballot.js"
import * as Slot from "./Slot.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Follower {
  /**
   * - `Unknown`: it has not promised the leader's ballot. Nothing but Prepare is sent.
   * - `Probing`: its log is being joined on to, after a promise, a refusal or a loss. One Accept at a time.
   * - `Streaming`: its log is a prefix of the leader's. Accepts follow each other without waiting.
   * - `Outbid`: it has promised a higher ballot. Nothing is sent: this one never gets a yes from it again.
   */
  readonly mode: "Unknown" | "Probing" | "Streaming" | "Outbid"
  /** The logs agree through this slot. Not a vote: the acceptor may have it from an older ballot. */
  readonly agreed: Slot.Slot
  /** The next Accept starts behind this slot; ahead of `agreed` by what is under way. */
  readonly next: Slot.Slot
  /** Accepted at the leader's ballot through this slot: the vote. */
  readonly matched: Slot.Slot
  /** What it was last told to be chosen, and what it is known to know. */
  readonly told: Slot.Slot
  readonly knows: Slot.Slot
  /** The last confirmation round it was asked in, and the last it answered. */
  readonly asked: number
  readonly confirmed: number
  /** The last confirmation round whose answer came with a grant that is long enough. */
  readonly granted: number
  /** A piece of older log is being fetched for it. */
  readonly fetching: boolean
  /** Which of those that have the piece is asked: the next one each time that one is silent. */
  readonly turn: number
  /** How often in a row it was asked for in vain. */
  readonly tries: number
  /** How many in a row of those that were asked have trimmed it from their logs. */
  readonly trimmed: number
  /** How often in a row it was told to get a snapshot. */
  readonly hinted: number
  /** How things stood at the last tick; none before the first. What was under way then and still is must be lost. */
  readonly due: Due | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type Due = Pick<Follower, "agreed" | "next" | "told" | "asked" | "fetching">

/**
 * An acceptor that has not promised yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unknown: Follower = {
  mode: "Unknown",
  agreed: Slot.zero,
  next: Slot.zero,
  matched: Slot.zero,
  told: Slot.zero,
  knows: Slot.zero,
  asked: 0,
  confirmed: 0,
  granted: 0,
  fetching: false,
  turn: 0,
  tries: 0,
  trimmed: 0,
  hinted: 0,
  due: undefined
}

/**
 * An acceptor that has promised and reported what it holds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const joined = (held: Held, adopted: Adopted): Follower => {
  const agreed = agreement(held, adopted)
  const { chosenThrough } = held
  return { ...unknown, mode: "Probing", agreed, next: agreed, told: chosenThrough, knows: chosenThrough }
}

/**
 * The log that a leader adopted: the ballot at which it was accepted, and its last slot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Adopted {
  readonly acceptedBallot: Ballot.Ballot
  readonly acceptedThrough: Slot.Slot
}

/**
 * What an acceptor reports of its log in promises and refusals.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held extends Adopted {
  readonly chosenThrough: Slot.Slot
}

/**
 * It has promised the leader's ballot, and no higher one since, as far as is known.
 *
 * @since 0.1.0
 * @category helpers
 */
export const isJoined = (mode: Follower["mode"]): boolean => mode === "Probing" || mode === "Streaming"

/**
 * Was an Accept due and nothing came of it? Either entries are under way, or the empty Accept that synchronises an acceptor
 * which has all of the log.
 *
 * @since 0.1.0
 * @category helpers
 */
export const isStuck = ({ agreed, due, matched, mode, next }: Follower): boolean =>
  due !== undefined &&
  isJoined(mode) &&
  due.agreed === agreed &&
  (due.next > agreed || (due.next === agreed && next === agreed && matched < agreed))

/**
 * The follower as if all that was due had never been sent; the same one if nothing is lost.
 *
 * @since 0.1.0
 * @category helpers
 */
export const withoutLost = (self: Follower): Follower => {
  const { agreed, confirmed, due, knows } = self
  if (due === undefined || !isJoined(self.mode)) return self
  const stuck = isStuck(self)
  const told = knows < due.told ? knows : self.told
  const asked = confirmed < due.asked ? confirmed : self.asked
  const silent = due.agreed === agreed && due.fetching && self.fetching
  if (!stuck && !silent && told === self.told && asked === self.asked) return self
  return {
    ...self,
    ...(stuck ? { mode: "Probing", next: agreed } : {}),
    told,
    asked,
    ...(silent ? { fetching: false, turn: self.turn + 1, tries: self.tries + 1 } : {})
  }
}

/**
 * The follower with a note of how things stand at this tick; the same one if they stand as at the last.
 *
 * @since 0.1.0
 * @category helpers
 */
export const noted = (self: Follower): Follower => {
  const { agreed, asked, due, fetching, next, told } = self
  return due !== undefined &&
    due.agreed === agreed &&
    due.asked === asked &&
    due.fetching === fetching &&
    due.next === next &&
    due.told === told
    ? self
    : { ...self, due: { agreed, asked, fetching, next, told } }
}

/**
 * The point through which an acceptor's log surely agrees with the adopted one: as far as both reach when they were
 * accepted at one ballot, otherwise what the acceptor knows to be chosen (DESIGN 5.2).
 *
 * @since 0.1.0
 * @category helpers
 */
export const agreement = (held: Held, adopted: Adopted): Slot.Slot =>
  Ballot.equals(held.acceptedBallot, adopted.acceptedBallot)
    ? Slot.max(held.chosenThrough, Slot.min(held.acceptedThrough, adopted.acceptedThrough))
    : held.chosenThrough

/**
 * Of two logs the one to adopt: accepted at the higher ballot, and at the same ballot the longer one.
 *
 * @since 0.1.0
 * @category helpers
 */
export const isNewer = (a: Adopted, b: Adopted): boolean => {
  const order = Ballot.order(a.acceptedBallot, b.acceptedBallot)
  return order === 0 ? a.acceptedThrough > b.acceptedThrough : order > 0
}
