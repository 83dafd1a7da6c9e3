/**
 * A partition of a history as what a search needs: calls and returns in their order, and a slot for each operation that
 * is open at a time.
 */
import type { Operation } from "../History.js"
import type { Model } from "../Model.js"

export interface Events {
  /** What the search knows: operations that tell nothing are not among them. */
  readonly operations: ReadonlyArray<Operation>
  /** In the order of time: `2 * operation` is its call, `2 * operation + 1` its return. */
  readonly order: Int32Array
  /**
   * Of each operation. Those that end share slots, one after the other; those that don't have one each after these, in
   * the order of their calls.
   */
  readonly slot: Int32Array
  readonly ending: number
  readonly endless: number
  /** The place of an operation's call in `order`. */
  readonly called: Float64Array
  /** By when an operation has to take effect, if it does: the place of its return in `order`, or never. */
  readonly deadline: Float64Array
  /** 1 for an operation of unknown outcome, which may as well take no effect. */
  readonly optional: Uint8Array
}

/**
 * Calls come before returns of the same instant: what a clock can't tell apart counts as concurrent.
 */
export const eventsOf = <State>(model: Model<State>, history: ReadonlyArray<Operation>): Events => {
  const telling = history.filter((operation) => !isMute(model, operation))
  const lastAnswer = telling.reduce(
    (last, op) => (op.outcome === "unknown" ? last : Math.max(last, op.ret!)),
    -Infinity
  )
  // What was called after everything was answered can't explain any answer.
  const operations = telling.filter(({ call }) => call <= lastAnswer)
  const times: Array<readonly [time: number, event: number]> = []
  operations.forEach(({ call, ret }, i) => {
    times.push([call, 2 * i])
    if (ret !== null && ret <= lastAnswer) times.push([ret, 2 * i + 1])
  })
  times.sort(([a, x], [b, y]) => a - b || (x & 1) - (y & 1) || x - y)
  const optional = Uint8Array.from(operations, ({ outcome }) => Number(outcome === "unknown"))
  const order = Int32Array.from(times, ([, event]) => event)
  return { operations, order, optional, ...slotsOf(operations.length, order) }
}

const isMute = <State>(model: Model<State>, operation: Operation): boolean => {
  const kind = model.kind(operation)
  return kind === "nothing" || (kind === "reads" && operation.outcome === "unknown")
}

const slotsOf = (
  operations: number,
  order: Int32Array
): Pick<Events, "called" | "deadline" | "ending" | "endless" | "slot"> => {
  const deadline = new Float64Array(operations).fill(Infinity)
  const called = new Float64Array(operations)
  order.forEach((event, at) => {
    if ((event & 1) === 1) deadline[event >> 1] = at
    else called[event >> 1] = at
  })
  const slot = new Int32Array(operations)
  const free: Array<number> = []
  const unending: Array<number> = []
  let ending = 0
  for (const event of order) {
    const operation = event >> 1
    if ((event & 1) === 1) free.push(slot[operation]!)
    else if (deadline[operation] === Infinity) unending.push(operation)
    else slot[operation] = free.pop() ?? ending++
  }
  unending.forEach((operation, i) => (slot[operation] = ending + i))
  return { called, deadline, slot, ending, endless: unending.length }
}
