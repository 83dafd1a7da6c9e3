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
   * Of each operation. Those that are known to have taken effect share slots, one after the other. Those of unknown
   * outcome never end, and have one each after these, in the order of their calls.
   */
  readonly slot: Int32Array
  readonly known: number
  readonly unknown: number
  /** When an operation has to be done by: the place of its return in `order`, or never. */
  readonly deadline: Float64Array
}

/**
 * Calls come before returns of the same instant: what a clock can't tell apart counts as concurrent.
 */
export const eventsOf = <State>(model: Model<State>, history: ReadonlyArray<Operation>): Events => {
  const telling = history.filter((operation) => !isMute(model, operation))
  const lastReturn = telling.reduce(
    (last, { outcome, ret }) => (outcome === "unknown" ? last : Math.max(last, ret!)),
    -Infinity
  )
  // What was called after everything was answered can't explain any answer.
  const operations = telling.filter(({ call, outcome }) => outcome !== "unknown" || call <= lastReturn)
  const times = operations.flatMap(({ call, outcome, ret }, i) =>
    outcome === "unknown"
      ? [[call, 2 * i]]
      : [
          [call, 2 * i],
          [ret!, 2 * i + 1]
        ]
  ) as Array<[number, number]>
  times.sort(([a, x], [b, y]) => a - b || (x & 1) - (y & 1) || x - y)
  return {
    operations,
    ...assign(
      operations,
      Int32Array.from(times, ([, event]) => event)
    )
  }
}

const isMute = <State>(model: Model<State>, operation: Operation): boolean => {
  const kind = model.kind(operation)
  return kind === "nothing" || (kind === "reads" && operation.outcome === "unknown")
}

const assign = (operations: ReadonlyArray<Operation>, order: Int32Array): Omit<Events, "operations"> => {
  const slot = new Int32Array(operations.length)
  const deadline = new Float64Array(operations.length).fill(Infinity)
  const free: Array<number> = []
  const endless: Array<number> = []
  let known = 0
  order.forEach((event, at) => {
    const operation = event >> 1
    if ((event & 1) === 1) {
      deadline[operation] = at
      free.push(slot[operation]!)
    } else if (operations[operation]!.outcome === "unknown") {
      endless.push(operation)
    } else {
      slot[operation] = free.pop() ?? known++
    }
  })
  endless.forEach((operation, i) => (slot[operation] = known + i))
  return { order, slot, deadline, known, unknown: endless.length }
}
