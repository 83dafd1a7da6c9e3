/**
 * A way to simulate: how much of a real cluster takes part, and so what a seed costs and what it can find.
 *
 * @since 0.1.0
 */
import type { Fault, Rates } from "./Fault.js"
import type { Violation } from "./Violation.js"

/**
 * Turns a seed into a run and its outcome, in one synchronous call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tier {
  /** As the command line calls it. */
  readonly name: string
  /** What should happen in some run of many; one that never does makes the rest worth less. */
  readonly sometimes: (options: Pick<Options, "harsh" | "replicas">) => ReadonlyArray<string>
  /** What it can make go wrong; a rate for anything else is a mistake. */
  readonly faults: ReadonlyArray<Fault>
  /** The rates of a run that names none. Each seed leaves some of them out and has others more often. */
  readonly rates: (replicas: number) => Rates
  readonly run: (seed: number, options: Options) => Outcome
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Voters of the cluster. */
  readonly replicas: number
  /** Faults beyond what the protocol promises to survive: then only safety must hold. */
  readonly harsh: boolean
  /** Exactly these; `undefined` for those of the tier, varied by the seed. */
  readonly rates: Rates | undefined
  /** Write down what happens, for people. */
  readonly readable: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Outcome {
  readonly seed: number
  /** Of all that happened, in its order; 16 hexadecimal digits. */
  readonly hash: string
  /** Virtual time, in milliseconds. */
  readonly simulated: number
  /** What clients were answered: commands and reads. */
  readonly operations: number
  /** How often a node became leader. */
  readonly leaders: number
  /** How often each fault happened. */
  readonly faults: ReadonlyArray<readonly [Fault, number]>
  /** What should happen in some run, and how often it did in this one. */
  readonly sometimes: ReadonlyArray<readonly [string, number]>
  /** What must happen within a bound, and the longest that it took, in election timeouts. */
  readonly slowest: ReadonlyArray<readonly [string, number]>
  readonly violation: Violation | undefined
  /** The readable trace; empty unless asked for. */
  readonly lines: ReadonlyArray<string>
}
