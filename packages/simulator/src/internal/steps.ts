/**
 * A model's steps by number: equal states share one, operations that are alike share one, and no step is taken twice.
 */
import type { Flow, Model } from "../Model.js"
import type { Events } from "./events.js"

/** No state: the step is not possible. */
export const IMPOSSIBLE = -1

/** How many steps are remembered: each takes some 50 bytes. */
const REMEMBERED = 4_000_000

export interface Steps {
  readonly initial: number
  /** The class of each operation. */
  readonly classes: Int32Array
  /** The state after an operation, by its number, or `IMPOSSIBLE`. */
  readonly after: (state: number, operation: number) => number
  readonly describe: (state: number) => string
  readonly ahead: Ahead | undefined
}

/** What is known of a flow of states before the search begins. */
export interface Ahead {
  /** The state that an operation needs, or -1. */
  readonly needs: Int32Array
  /** The state that an operation makes, or -1. */
  readonly makes: Int32Array
  /** Operations that need a state: those that return last come first. */
  readonly needing: (state: number) => ReadonlyArray<number>
  /** Operations that make a state from which another one can be reached. */
  readonly sources: (state: number) => ReadonlyArray<number>
  readonly reaches: (a: number, b: number) => boolean
  /** All owed operations that need a state: those that return first come first. */
  readonly order: Int32Array
  /** Whether each operation needs one state, or takes them all alike. */
  readonly isPlain: boolean
}

export const stepsOf = <State>(model: Model<State>, events: Events): Steps => {
  const { operations } = events
  const merge = model.merge?.(operations)
  const states: Array<State> = []
  const numbers = new Map<string | number, number>()
  const numberOf = (reached: State): number => {
    const state = merge === undefined ? reached : merge(reached)
    const key = model.key(state)
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, states.length)
    return states.push(state) - 1
  }
  const names = new Map<string, number>()
  const classes = Int32Array.from(operations, (operation) => {
    const name = model.alike(operation)
    if (!names.has(name)) names.set(name, names.size)
    return names.get(name)!
  })
  const initial = numberOf(model.initial)
  const taken = new Map<number, number>()
  return {
    initial,
    classes,
    after: (state, operation) => {
      const step = state * names.size + classes[operation]!
      const known = taken.get(step)
      if (known !== undefined) return known
      const next = model.step(states[state]!, operations[operation]!)
      const number = next === undefined ? IMPOSSIBLE : numberOf(next)
      if (taken.size === REMEMBERED) taken.clear()
      taken.set(step, number)
      return number
    },
    describe: (state) => model.describeState(states[state]!),
    ahead: model.flow && aheadOf(model.flow, events, numberOf, (state) => states[state]!)
  }
}

const NONE: ReadonlyArray<number> = []

const aheadOf = <State>(
  flow: Flow<State>,
  { deadline, operations, optional }: Events,
  numberOf: (state: State) => number,
  stateOf: (number: number) => State
): Ahead => {
  const number = (state: State | undefined): number => (state === undefined ? -1 : numberOf(state))
  const needs = Int32Array.from(operations, (operation) => number(flow.needs(operation)))
  const makes = Int32Array.from(operations, (operation) => number(flow.makes(operation)))
  const byDeadline = Array.from(operations, (_, i) => i).sort((a, b) => deadline[a]! - deadline[b]!)
  const needing = grouped(byDeadline.toReversed(), needs)
  const making = grouped(byDeadline, makes)
  const known = new Map<number, ReadonlyArray<number>>()
  const reaches = (a: number, b: number): boolean => a === b || flow.reaches(stateOf(a), stateOf(b))
  return {
    needs,
    makes,
    needing: (state) => needing.get(state) ?? NONE,
    sources: (state) => {
      let sources = known.get(state)
      if (sources === undefined) {
        sources = [...making].flatMap(([made, by]) => (reaches(made, state) ? by : []))
        known.set(state, sources)
      }
      return sources
    },
    reaches,
    order: Int32Array.from(byDeadline.filter((operation) => needs[operation]! >= 0 && optional[operation] === 0)),
    isPlain: !operations.some(flow.varies)
  }
}

const grouped = (operations: ReadonlyArray<number>, by: Int32Array): ReadonlyMap<number, ReadonlyArray<number>> => {
  const groups = new Map<number, Array<number>>()
  for (const operation of operations) {
    const state = by[operation]!
    if (state < 0) continue
    const group = groups.get(state)
    if (group === undefined) groups.set(state, [operation])
    else group.push(operation)
  }
  return groups
}
