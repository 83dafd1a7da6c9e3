/**
 * From a history that has no order to the few operations that show it.
 *
 * Leaving out a write that somebody read would make any history fail, so nothing is left out just like that. A read may
 * go: with fewer answers there is less to explain. Anything else is *set free*: it may have taken effect or not, between
 * its call and its return. Both can only make it easier to find an order. So what is kept has no order for a reason that
 * is in the whole history as well: whatever else happened, the answers that are kept don't go together.
 *
 * @since 0.1.0
 */
import type { Operation } from "./History.js"
import * as Linearizability from "./Linearizability.js"
import type { Model } from "./Model.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Shrunk {
  /** What can't have an order, in the order of the calls. Without any one of them there would be one, if `isMinimal`. */
  readonly kept: ReadonlyArray<Operation>
  /** What may have happened or not, each at its time. */
  readonly free: ReadonlyArray<Operation>
  /** The verdict on both together. */
  readonly verdict: Linearizability.NotLinearizable
  /** Whether the search for fewer came to its end within the bounds. */
  readonly isMinimal: boolean
}

/**
 * What shrinking may cost.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bounds {
  /** How many smaller histories are checked. The default is 1,000: most need less than a hundred. */
  readonly checks?: number
  /** What each of them may cost; one that costs more counts as having an order. By default 200,000 configurations. */
  readonly budget?: Linearizability.Budget
}

/**
 * Shrinks by halves, then quarters, down to single operations (Zeller & Hildebrandt, *Simplifying and isolating
 * failure-inducing input*, 2002).
 *
 * @since 0.1.0
 * @category shrinking
 */
export const shrink = <State>(
  model: Model<State>,
  failed: Linearizability.NotLinearizable,
  { budget = { configurations: 200_000 }, checks = 1_000 }: Bounds = {}
): Shrunk => {
  const { free, owed } = relevant(model, failed)
  let kept = owed
  let verdict = failed
  let left = checks
  let isCertain = true
  const isOver = (): boolean => left <= 0 || budget.isOver?.() === true
  /** Sets operations free, if there is still no order then. */
  const release = (released: ReadonlySet<Operation>): boolean => {
    if (isOver()) return false
    left--
    const next = Linearizability.check(
      model,
      [...free, ...owed.flatMap((operation) => setFree(operation, released))],
      budget
    )
    if (next._tag === "Unknown") isCertain = false
    if (next._tag !== "NotLinearizable") return false
    verdict = next
    kept = owed.filter((operation) => !released.has(operation))
    return true
  }
  const setFree = (operation: Operation, released: ReadonlySet<Operation>): ReadonlyArray<Operation> =>
    !released.has(operation) ? [operation] : freed(model, operation)

  const gone = new Set<Operation>()
  for (let size = Math.ceil(kept.length / 2); size >= 1 && !isOver();) {
    let wasSmaller = false
    for (const part of parts(kept, size)) {
      const more = new Set([...gone, ...part])
      if (!release(more)) continue
      part.forEach((operation) => gone.add(operation))
      wasSmaller = true
    }
    // Single ones are tried again as long as that helps: what one of them needs may have gone after it.
    if (size === 1 && !wasSmaller) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  return {
    kept,
    free: [...free, ...[...gone].flatMap((operation) => freed(model, operation))].sort((a, b) => a.call - b.call),
    verdict: inWords(model, verdict, budget),
    isMinimal: isCertain && !isOver()
  }
}

/** With all states told apart: where few reads are left, a model may see no difference between most of them. */
const inWords = <State>(
  model: Model<State>,
  verdict: Linearizability.NotLinearizable,
  budget: Linearizability.Budget
): Linearizability.NotLinearizable => {
  const { merge: _, ...unmerged } = model
  const again = Linearizability.check(unmerged, verdict.operations, budget)
  return again._tag === "NotLinearizable" ? again : verdict
}

/** Operations that were called after the culprit returned don't matter; the unknown ones are free as they are. */
const relevant = <State>(model: Model<State>, failed: Linearizability.NotLinearizable) => {
  const end = failed.isFirst ? failed.culprit.ret! : Infinity
  const early = failed.operations
    .filter((operation) => operation.call <= end && model.kind(operation) !== "nothing")
    .sort((a, b) => a.call - b.call)
  return {
    free: early.filter(({ outcome }) => outcome === "unknown"),
    owed: early.filter(({ outcome }) => outcome !== "unknown")
  }
}

/** Nobody heard of it: a read without an answer is none at all. */
const freed = <State>(model: Model<State>, operation: Operation): ReadonlyArray<Operation> =>
  model.kind(operation) === "reads" ? [] : [{ ...operation, output: null, outcome: "unknown" }]

const parts = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
