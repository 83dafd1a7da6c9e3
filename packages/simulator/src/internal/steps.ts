/**
 * A model's steps by number: equal states share one, operations that are alike share one, and no step is taken twice.
 */
import type { Model } from "../Model.js"
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
}

export const stepsOf = <State>(model: Model<State>, { operations }: Events): Steps => {
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
    describe: (state) => model.describeState(states[state]!)
  }
}
