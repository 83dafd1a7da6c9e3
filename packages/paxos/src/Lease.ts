/**
 * Leases: for how long a leader may answer reads without asking anybody whether it still leads (Chandra et al., *Paxos Made
 * Live*, 2007, 5.2; Gray and Cheriton, *Leases*, 1989).
 *
 * An acceptor that answers a round of confirmation promises nothing to anybody else for `grant` milliseconds of its own clock
 * from when it was first asked. Once an accept quorum has answered a round of confirmation, every prepare quorum of a higher ballot has such
 * an acceptor in it, so that nobody else can lead. The leader counts less, and from when it asked:
 *
 * ```
 *   leader    asks ├────────── term ─────────────┤ reads are confirmed again
 *   acceptor        answers ├────────────── grant ────────────────┤ may promise to others
 * ```
 *
 * That holds as long as no clock gains or loses more than `drift`, as a share of the time that passes; a second of a clock
 * that is too slow lasts for `1 / (1 - drift)` seconds, and one of a clock that is too fast for `1 / (1 + drift)`.
 *
 * What a clock shows doesn't matter, only how fast it runs: times here are monotonic, in milliseconds, each by the clock of the
 * node that uses it.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface Terms {
  /** Grants that are shorter don't count, in milliseconds. */
  readonly grant: number
  /** For how long the leader relies on them, in milliseconds. */
  readonly term: number
}

/**
 * What a leader was granted at its ballot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lease {
  /** The latest round of confirmation, until a quorum has granted it, and when it was first asked for. */
  readonly asked: { readonly round: number; readonly at: number } | undefined
  /** When the latest round was asked for that a quorum has granted. */
  readonly since: number
  /** It was given up, for good: whoever takes over may tell the acceptors so at any time. */
  readonly released: boolean
}

/**
 * Terms under which no clock that keeps to `drift`, from 0 to below 1, makes a lease last longer than its grants.
 *
 * @since 0.1.0
 * @category constructors
 */
export const terms = (grant: number, drift: number): Terms => ({ grant, term: (grant * (1 - drift)) / (1 + drift) })

/**
 * A leader that was granted nothing yet.
 *
 * @since 0.1.0
 * @category constants
 */
export const none: Lease = { asked: undefined, since: Number.NEGATIVE_INFINITY, released: false }

/**
 * A round was asked for.
 *
 * @since 0.1.0
 * @category combinators
 */
export const asked = (self: Lease, round: number, at: number): Lease => ({
  ...self,
  asked: { round, at }
})

/**
 * A quorum has granted that round, and so the ones before.
 *
 * @since 0.1.0
 * @category combinators
 */
export const granted = (self: Lease, round: number): Lease =>
  self.asked === undefined || self.asked.round > round ? self : { ...self, since: self.asked.at, asked: undefined }

/**
 * Nobody else can lead at this moment.
 *
 * @since 0.1.0
 * @category getters
 */
export const holds = ({ released, since }: Lease, { term }: Terms, now: number): boolean =>
  !released && now < since + term

/**
 * Half of it is over: it is time to ask for a round that renews it.
 *
 * @since 0.1.0
 * @category getters
 */
export const isDue = ({ released, since }: Lease, { term }: Terms, now: number): boolean =>
  !released && now >= since + term / 2
