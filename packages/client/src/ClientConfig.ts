/**
 * A client's bounds, each with its unit, default and reason.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Bounds from "./Bounds.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ClientConfig {
  /**
   * How long a call may take in all, retries included, before it ends with `Unavailable` or `OutcomeUnknown`. Default: 10
   * seconds, several elections long.
   */
  readonly deadline: Duration.DurationInput
  /**
   * How long one replica gets to answer before the same request goes to another one, which is safe. Default: 2 seconds:
   * longer than a slow disk takes, shorter than people wait. A replica that is followed answers after half of it, if it has
   * no news.
   */
  readonly attempt: Duration.DurationInput
  /**
   * The longest pause before a replica is asked again; the first is a tenth of it. Default: 50 milliseconds, half a
   * heartbeat: a new leader is found among three replicas within about one.
   */
  readonly pause: Duration.DurationInput
  /**
   * How often a client over TCP asks who takes part, and where they listen. Default: 5 seconds. It also asks when a request is refused
   * or lost, but no more often than ten times in that.
   */
  readonly look: Duration.DurationInput
  /** Requests under way at once. Default: 8; more was measured to be slower, since batches get smaller. */
  readonly requests: number
  /** Commands in one request. Default: 256, so that no request holds up a replica's event loop for long. */
  readonly commands: number
  /** Bytes of commands in one request. Default: 64 KiB: above it the journal's slowest commits grow to milliseconds. */
  readonly bytes: number
  /** The longest command or query, in bytes. Default: 64 KiB. A longer one is refused before it is sent. */
  readonly command: number
  /** Calls that may wait to be sent; one more gets `Overloaded`. Default: 16,384. */
  readonly waiting: number
  /**
   * About how many bytes of elements one page has, for whoever follows the machine. Default: 64 KiB, some hundred commands. It is
   * all that is held ahead of whoever reads.
   */
  readonly page: number
  /**
   * Who answers linearizable reads. `leader`, the default: one round trip less. `nearest`: the first replica given, which
   * asks the leader only for the slot to answer from; clients that each have another one nearest spread the load.
   */
  readonly reads: "leader" | "nearest"
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaults: ClientConfig = {
  deadline: Duration.seconds(10),
  attempt: Duration.seconds(2),
  pause: Duration.millis(50),
  look: Duration.seconds(5),
  requests: 8,
  commands: 256,
  bytes: 64 * 1024,
  command: 64 * 1024,
  waiting: 16_384,
  page: 64 * 1024,
  reads: "leader"
}

/**
 * The options given, and the defaults for the rest.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Partial<ClientConfig> = {}): Effect.Effect<ClientConfig, Bounds.ConfigRefused> =>
  Bounds.check(
    "client",
    { ...defaults, ...options },
    {
      deadline: Bounds.time,
      attempt: Bounds.time,
      pause: Bounds.time,
      look: Bounds.time,
      requests: Bounds.count(1, 1024),
      commands: Bounds.count(1, 4096),
      bytes: Bounds.bytes,
      command: Bounds.bytes,
      waiting: Bounds.count(1, 1_000_000),
      page: Bounds.bytes,
      reads: Bounds.oneOf(["leader", "nearest"])
    }
  )
