/**
 * What the demonstration claims, held against what happened.
 */
import { Console, Effect } from "effect"
import * as Amount from "../domain/Amount.js"

export interface Findings {
  /** Commands a second over the whole import, the kill included. */
  readonly throughput: number
  /** Milliseconds from the kill to the next answer, and how long they may be. */
  readonly pause: number
  readonly longestPause: number
  readonly planned: number
  readonly posted: number
  /** Transactions that were told to have been posted before. */
  readonly again: number
  readonly refused: number
  /** What each kind of account holds. */
  readonly balances: ReadonlyArray<{ readonly root: string; readonly amounts: ReadonlyArray<Amount.Amount> }>
  /** By how much commodities don't sum to zero. */
  readonly outOfBalance: ReadonlyArray<Amount.Amount>
  readonly digests: ReadonlyArray<{ readonly node: number; readonly appliedThrough: number; readonly digest: string }>
}

/** Prints the findings; true if all claims held. */
export const report = (found: Findings): Effect.Effect<boolean> => {
  const claims: ReadonlyArray<readonly [claim: string, held: boolean, figure: string]> = [
    ["a new leader within a second", found.pause <= found.longestPause, `${found.pause} ms`],
    [
      "every transaction applied exactly once",
      found.posted === found.planned && found.again === 0 && found.refused === 0,
      `${found.posted} of ${found.planned}, ${found.again} twice, ${found.refused} refused`
    ],
    [
      "money conserved in every commodity",
      found.outOfBalance.length === 0,
      found.outOfBalance.length === 0
        ? "off by 0"
        : `off by ${found.outOfBalance.map((it) => Amount.show(it)).join(", ")}`
    ],
    [
      "equal digests on all replicas",
      new Set(found.digests.map(({ appliedThrough, digest }) => `${appliedThrough}/${digest}`)).size === 1,
      `${found.digests.length} replicas`
    ]
  ]
  const lines = [
    "",
    `  throughput  ${Math.round(found.throughput).toLocaleString("en-GB")} commands/s, the pause included`,
    ...found.balances.map(
      ({ amounts, root }, i) =>
        `  ${i === 0 ? "balances  " : "          "}  ${root.padEnd(12)} ${amounts.map((it) => Amount.show(it)).join("  ")}`
    ),
    ...found.digests.map(
      ({ appliedThrough, digest, node }, i) =>
        `  ${i === 0 ? "replicas  " : "          "}  node ${node}: slot ${appliedThrough}, digest ${digest}`
    ),
    "",
    ...claims.map(([claim, held, figure]) => `  ${held ? "✓" : "✗ NOT"} ${claim} (${figure})`)
  ]
  return Effect.as(
    Console.log(lines.join("\n")),
    claims.every(([, held]) => held)
  )
}
