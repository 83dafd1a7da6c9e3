/**
 * Bounds and times of registers, each with its unit, default and reason. Sizes are to be the same at all members and clients.
 *
 * @since 0.1.0
 */
import { Bounds } from "@synod/client"
import { Register } from "@synod/paxos"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface Values {
  /** The longest name, in characters. Default: 256. At most 1,024. */
  readonly key: number
  /** The longest value, in bytes. Default: 64 KiB: names, configurations, owners; it is in every message of phase 2. */
  readonly value: number
  /** How long a request may take in all, before it ends with `Unavailable` or `OutcomeUnknown`. Default: 10 seconds. */
  readonly deadline: Duration.DurationInput
  /**
   * How long an acceptor may take to answer a message before that counts as lost. Default: 400 milliseconds, an election timeout of
   * replicas: longer than a disk hesitates, and all aboard a member that is newly silent costs it once.
   */
  readonly patience: Duration.DurationInput
  /** How long an acceptor that did not answer is taken to be missing, unless it answers before. Default: 2 seconds. */
  readonly suspicion: Duration.DurationInput
  /** The pause after a first attempt in vain; each further one is twice as long. Default: 10 milliseconds, a few round trips. */
  readonly firstPause: Duration.DurationInput
  /** The longest pause between two attempts. Default: 500 milliseconds. */
  readonly longestPause: Duration.DurationInput
  /** Requests of one proposer under way at once; one more gets `Overloaded`. Default: 4,096. */
  readonly requests: number
  /** Messages that may wait for an acceptor; one more is refused. Default: 8,192. */
  readonly mailbox: number
  /** Bytes of registers that an acceptor keeps in memory, beside those on its disk. Default: 16 MiB. */
  readonly cache: number
  /**
   * For how long a register is kept after an acceptor learned what is decided, or `"never"` forgotten, the default. What it costs: a
   * register that is forgotten may be decided anew, with another value. So use it only where nobody asks for a key again that is
   * so old, such as one with a number in it that never comes back. At least twice the `deadline`: while a message about a register
   * may still arrive, two values could follow each other without anybody having asked again.
   */
  readonly forget: Duration.DurationInput | "never"
  /** Registers that are forgotten in one turn, at most. Default: 256, some milliseconds. */
  readonly forgotten: number
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaults: Values = {
  key: 256,
  value: 64 * 1024,
  deadline: Duration.seconds(10),
  patience: Duration.millis(400),
  suspicion: Duration.seconds(2),
  firstPause: Duration.millis(10),
  longestPause: Duration.millis(500),
  requests: 4096,
  mailbox: 8192,
  cache: 16 * 1024 * 1024,
  forget: "never",
  forgotten: 256
}

/**
 * The configuration in force; {@link defaults} unless provided.
 *
 * @since 0.1.0
 * @category tags
 */
export class RegisterConfig extends Context.Reference<RegisterConfig>()("@synod/register/RegisterConfig", {
  defaultValue: (): Values => defaults
}) {}

/**
 * The configuration in force, if it can work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const checked: Effect.Effect<Values, Bounds.ConfigRefused> = Effect.flatMap(RegisterConfig, (config) =>
  Bounds.check("registers", config, {
    key: Bounds.count(1, Register.longestKey),
    value: Bounds.bytes,
    deadline: Bounds.time,
    patience: Bounds.time,
    suspicion: Bounds.time,
    firstPause: Bounds.time,
    longestPause: Bounds.time,
    requests: Bounds.count(1, 1_000_000),
    mailbox: Bounds.count(16, 1_000_000),
    cache: Bounds.count(0, Number.MAX_SAFE_INTEGER),
    forget: {
      expected: '"never", or a time from twice the deadline to 3,650 days',
      holds: (value) => value === "never" || isAge(value, config.deadline)
    },
    forgotten: Bounds.count(1, 65_536)
  })
)

const isAge = (value: unknown, deadline: unknown): boolean => {
  const [age, least] = [Duration.decodeUnknown(value), Duration.decodeUnknown(deadline)]
  // A deadline that is none is refused by its own rule.
  const minimum = least._tag === "Some" ? Duration.times(least.value, 2) : Duration.zero
  return age._tag === "Some" && Duration.between(age.value, { minimum, maximum: "3650 days" })
}

/**
 * The longest frame that members and clients exchange, in bytes: one value, a name, and what is around them.
 *
 * @since 0.1.0
 * @category getters
 */
export const maxFrameBytes = ({ value }: Values): number => value + frameOverhead

/** In bytes. */
const frameOverhead = 16 * 1024
