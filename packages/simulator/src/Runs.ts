/**
 * Many seeds of a tier, and one report of them. Reports add up in any order: seeds may be spread over processes, stopped and
 * resumed, and the report is the same.
 *
 * @since 0.1.0
 */
import * as Fault from "./Fault.js"
import type { Options, Outcome, Tier } from "./Tier.js"

/**
 * Plain data, so that it can be sent and kept as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly seeds: number
  readonly operations: number
  readonly leaders: number
  /** Virtual time, in milliseconds. */
  readonly simulated: number
  /** How often each fault happened. */
  readonly faults: ReadonlyArray<readonly [Fault.Fault, number]>
  /** In how many seeds each of these happened. */
  readonly sometimes: ReadonlyArray<readonly [string, number]>
  /** What is bounded: the longest it took, in election timeouts, and the seed. */
  readonly slowest: ReadonlyArray<readonly [string, number, number]>
  /** The sum of all seeds' hashes, in two halves of 32 bits. */
  readonly sum: readonly [number, number]
  readonly failed: number
  /** The first ones by seed, at most {@link maxFailures}. */
  readonly failures: ReadonlyArray<Failure>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  readonly seed: number
  readonly property: string
  readonly sentence: string
  /** Virtual time, in milliseconds. */
  readonly time: number
  /** The last lines of the trace. */
  readonly tail: ReadonlyArray<string>
}

/**
 * Failures that a report tells about; the others are counted. Default: 20, more than anybody looks at.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxFailures = 20

/**
 * Lines of the trace that a failure keeps: a screen.
 *
 * @since 0.1.0
 * @category constants
 */
export const tailLines = 30

/**
 * @since 0.1.0
 * @category constructors
 */
export const empty: Report = {
  seeds: 0,
  operations: 0,
  leaders: 0,
  simulated: 0,
  faults: [],
  sometimes: [],
  slowest: [],
  sum: [0, 0],
  failed: 0,
  failures: []
}

/**
 * Runs the seeds from `first` on, one after the other.
 *
 * @since 0.1.0
 * @category running
 */
export const run = (
  tier: Tier,
  seeds: { readonly first: number; readonly count: number },
  options: Omit<Options, "readable">
): Report => {
  let report = empty
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    const outcome = tier.run(seed, { ...options, readable: false })
    // Runs don't write anything down; one that fails is run again, to be read.
    const readable = outcome.violation && tier.run(seed, { ...options, readable: true })
    report = merge(report, reportOf(outcome, readable))
  }
  return report
}

const reportOf = (outcome: Outcome, readable: Outcome | undefined): Report => {
  const failures = [...failureOf(outcome, readable)]
  return {
    seeds: 1,
    operations: outcome.operations,
    leaders: outcome.leaders,
    simulated: outcome.simulated,
    faults: outcome.faults,
    sometimes: outcome.sometimes.filter(([, times]) => times > 0).map(([what]) => [what, 1]),
    slowest: outcome.slowest.map(([what, timeouts]) => [what, timeouts, outcome.seed]),
    sum: [seeded(outcome.hash.slice(0, 8), outcome.seed), seeded(outcome.hash.slice(8), outcome.seed)],
    failed: failures.length,
    failures
  }
}

const failureOf = function* ({ hash, seed, violation }: Outcome, readable: Outcome | undefined): Iterable<Failure> {
  if (violation === undefined || readable === undefined) return
  const { property, sentence, time } = violation
  const tail = readable.lines.slice(-tailLines)
  if (readable.hash === hash) yield { seed, property, sentence, time, tail }
  else {
    const told = `${property}: ${sentence}; but a second run of the seed took other steps`
    yield { seed, property: "a seed replays", sentence: told, time, tail }
  }
}

/** Half of a hash, so that equal hashes of different seeds add different numbers. */
const seeded = (hash: string, seed: number): number => {
  const word = Math.imul(Number.parseInt(hash, 16) ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b)
  return (word ^ (word >>> 16)) >>> 0
}

/**
 * Both of them, in whatever order.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (a: Report, b: Report): Report => ({
  seeds: a.seeds + b.seeds,
  operations: a.operations + b.operations,
  leaders: a.leaders + b.leaders,
  simulated: a.simulated + b.simulated,
  faults: added(a.faults, b.faults),
  sometimes: added(a.sometimes, b.sometimes),
  slowest: longest(a.slowest, b.slowest),
  sum: [(a.sum[0] + b.sum[0]) >>> 0, (a.sum[1] + b.sum[1]) >>> 0],
  failed: a.failed + b.failed,
  failures: [...a.failures, ...b.failures].sort((x, y) => x.seed - y.seed).slice(0, maxFailures)
})

const added = <Name extends string>(
  a: ReadonlyArray<readonly [Name, number]>,
  b: ReadonlyArray<readonly [Name, number]>
): ReadonlyArray<readonly [Name, number]> => {
  const sum = new Map(a)
  for (const [name, count] of b) sum.set(name, (sum.get(name) ?? 0) + count)
  return [...sum]
}

const longest = (a: Report["slowest"], b: Report["slowest"]): Report["slowest"] => {
  const worst = new Map(a.map((entry) => [entry[0], entry]))
  for (const entry of b) {
    const known = worst.get(entry[0])
    if (known === undefined || entry[1] > known[1] || (entry[1] === known[1] && entry[2] < known[2])) {
      worst.set(entry[0], entry)
    }
  }
  return [...worst.values()]
}

/**
 * The hash of all runs: equal for the same seeds, in whatever order and on however many processes they ran.
 *
 * @since 0.1.0
 * @category getters
 */
export const hashOf = ({ sum }: Report): string => sum.map((word) => word.toString(16).padStart(8, "0")).join("")

/**
 * Faults that were asked for and that no seed has seen.
 *
 * @since 0.1.0
 * @category getters
 */
export const neverStruck = (report: Report, rates: Fault.Rates): ReadonlyArray<Fault.Fault> => {
  const struck = new Map(report.faults)
  return Fault.names.filter((fault) => (rates[fault] ?? 0) > 0 && (struck.get(fault) ?? 0) === 0)
}

/**
 * What should happen sometimes, and did in no seed.
 *
 * @since 0.1.0
 * @category getters
 */
export const neverHappened = (
  report: Report,
  tier: Tier,
  options: Pick<Options, "harsh" | "replicas">
): ReadonlyArray<string> => {
  const happened = new Map(report.sometimes)
  return tier.sometimes(options).filter((what) => (happened.get(what) ?? 0) === 0)
}

/**
 * The report as people read it, but for its failures.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (
  report: Report,
  tier: Tier,
  options: Omit<Options, "readable">,
  /** Processor time of all seeds together, in seconds. */
  spent: number
): ReadonlyArray<string> => {
  const rates = options.rates ?? tier.rates(options.replicas)
  const counts = new Map(report.faults)
  const simulated = report.simulated / 1000
  const struck = Fault.names.filter((fault) => counts.has(fault))
  const never = [
    ...neverStruck(report, rates).map((fault) => `${fault} (${Fault.faults[fault].what})`),
    ...neverHappened(report, tier, options)
  ]
  return [
    `tier             ${tier.name}, ${options.replicas} replicas${options.harsh ? ", harsh: only safety must hold" : ""}`,
    `seeds            ${grouped(report.seeds)}`,
    `operations       ${grouped(report.operations)}`,
    `leader changes   ${grouped(report.leaders)}`,
    `simulated time   ${grouped(Math.round(simulated))} s, ${grouped(Math.round(simulated / Math.max(spent, 1e-9)))} s for each second of a core`,
    `trace hash       ${hashOf(report)}`,
    "",
    "faults, by how often they struck:",
    ...table(struck.map((fault) => [fault, grouped(counts.get(fault) ?? 0)])),
    "",
    "what happened, by the number of seeds:",
    ...table([...report.sometimes].sort(byName).map(([what, seeds]) => [what, grouped(seeds)])),
    ...(report.slowest.length === 0 ? [] : ["", "the longest it took, in election timeouts:"]),
    ...table(
      [...report.slowest].sort(byName).map(([what, longest, seed]) => [what, `${longest.toFixed(1)} (seed ${seed})`])
    ),
    ...(never.length === 0 ? [] : ["", `CONFIGURED AND NEVER HAPPENED: ${never.join("; ")}`])
  ]
}

const byName = (a: readonly [string, ...Array<unknown>], b: readonly [string, ...Array<unknown>]): number =>
  a[0] < b[0] ? -1 : 1

const table = (rows: ReadonlyArray<readonly [string, string]>): ReadonlyArray<string> => {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",")
