/**
 * Whether a history could have been that of one machine that does each operation at one instant between its call and
 * its return (Herlihy & Wing, *Linearizability*, 1990).
 *
 * The search is that of Wing & Gong (1993) with Lowe's memory of configurations and his just-in-time order (*Testing for
 * linearizability*, 2017), one partition at a time (Horn & Kroening, *Faster linearizability checking via
 * P-compositionality*, 2015). The problem is NP-complete, so every check has a budget and may end with `Unknown`, never
 * with a guess.
 *
 * ```ts
 * const verdict = Linearizability.check(Models.register(), history)
 * if (verdict._tag === "NotLinearizable") console.log(verdict.culprit)
 * ```
 *
 * @since 0.1.0
 */
import type { History, Operation } from "./History.js"
import { type Events, eventsOf } from "./internal/events.js"
import { type MayGoOn, type Result, Search } from "./internal/search.js"
import { IMPOSSIBLE, type Steps, stepsOf } from "./internal/steps.js"
import type { Model } from "./Model.js"

/**
 * What a check may cost.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  /**
   * Configurations that are looked at, in all. The default of 10 million takes about half a minute, and fits in the
   * largest `Map` that there can be.
   */
  readonly configurations?: number
  /** Bytes that are held for them. The default is 1 GiB. */
  readonly bytes?: number
  /** Asked some times a millisecond, so that a caller who has a clock can set a time; the default never says so. */
  readonly isOver?: () => boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export type Verdict = Linearizable | NotLinearizable | Unknown

/**
 * There is an order, and it was replayed on the model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Linearizable {
  readonly _tag: "Linearizable"
  /** For each partition, what took effect, in order. Operations that tell nothing are not in it. */
  readonly orders: ReadonlyMap<string, ReadonlyArray<Operation>>
  readonly configurations: number
}

/**
 * There is no order: all were tried.
 *
 * @since 0.1.0
 * @category models
 */
export interface NotLinearizable {
  readonly _tag: "NotLinearizable"
  readonly partition: string
  /** The operations of the partition, as they were given. */
  readonly operations: ReadonlyArray<Operation>
  /** What was answered before the culprit's answer: the longest beginning of the history that has an order. */
  readonly prefix: ReadonlyArray<Operation>
  /** The first operation whose answer no order explains. */
  readonly culprit: Operation
  /**
   * Whether the culprit is the first one for certain: otherwise the search for it took too long, and it is only near to
   * what goes wrong, which may come after it.
   */
  readonly isFirst: boolean
  /** What was under way together with the culprit, by their times. */
  readonly window: ReadonlyArray<Operation>
  /** Which states the machine could have been in just before the culprit's return, in words; some of them, if many. */
  readonly states: ReadonlyArray<string>
  readonly configurations: number
}

/**
 * The budget came to its end first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unknown {
  readonly _tag: "Unknown"
  readonly partition: string
  readonly reason: string
  readonly configurations: number
}

/** How many states a verdict names: no person reads more. */
const NAMED = 8

/**
 * Checks a history against a model, partition by partition, the short ones first.
 *
 * Throws what the model throws, and a defect if the order that was found can't be replayed: then the model breaks what
 * it promised about an operation's kind.
 *
 * @since 0.1.0
 * @category checking
 */
export const check = <State>(model: Model<State>, history: History, budget: Budget = {}): Verdict => {
  const spend = spending(budget)
  const orders = new Map<string, ReadonlyArray<Operation>>()
  let unknown: Unknown | undefined
  const parts = [...partitions(model, history)].sort(([, a], [, b]) => a.length - b.length)
  for (const [partition, operations] of parts) {
    const found = checkPartition(model, operations, spend.mayGoOn)
    if (found._tag === "Found") orders.set(partition, found.order)
    else if (found._tag === "GaveUp") unknown ??= { ...spend.unknown(), partition }
    else return { ...found, _tag: "NotLinearizable", partition, operations, configurations: spend.spent() }
  }
  return unknown ?? { _tag: "Linearizable", orders, configurations: spend.spent() }
}

/**
 * The operations of each partition, in their order.
 *
 * @since 0.1.0
 * @category checking
 */
export const partitions = <State>(model: Model<State>, history: History): ReadonlyMap<string, Array<Operation>> => {
  const parts = new Map<string, Array<Operation>>()
  for (const operation of history) {
    const partition = model.partition?.(operation) ?? ""
    const part = parts.get(partition)
    if (part === undefined) parts.set(partition, [operation])
    else part.push(operation)
  }
  return parts
}

const spending = ({ bytes = 2 ** 30, configurations = 10_000_000, isOver }: Budget) => {
  let spent = 0
  let reason = ""
  const mayGoOn: MayGoOn = (more, words) => {
    spent += more
    if (spent > configurations) reason = `more than ${configurations} configurations`
    else if (words * 4 > bytes) reason = `more than ${bytes} bytes of configurations`
    else if (isOver?.() === true) reason = "the time was up"
    return reason === ""
  }
  const unknown = () => ({ _tag: "Unknown" as const, reason, configurations: spent })
  return { mayGoOn, unknown, spent: () => spent }
}

type Found =
  | { readonly _tag: "Found"; readonly order: ReadonlyArray<Operation> }
  | { readonly _tag: "GaveUp" }
  | ({ readonly _tag: "None" } & Pick<NotLinearizable, "culprit" | "isFirst" | "prefix" | "states" | "window">)

const checkPartition = <State>(model: Model<State>, history: History, mayGoOn: MayGoOn): Found => {
  const events = eventsOf(model, history)
  const steps = stepsOf(model, events)
  const result = search(model, events, steps, mayGoOn)
  if (result._tag === "GaveUp") return result
  if (result._tag === "Found") {
    replay(events, steps, result.order)
    return { _tag: "Found", order: result.order.map((operation) => events.operations[operation]!) }
  }
  const plain = firstFailure(model, events, steps)
  return plain === undefined
    ? explain(events, steps, result.place, result.states, false)
    : explain(events, steps, plain.place, plain.states, true)
}

/** Configurations of the search for the place of a failure that is known. */
const PLACING = 1_000_000

/** Who looks ahead fails early: only without that, the furthest place is the first that can't be passed. */
const firstFailure = <State>(model: Model<State>, events: Events, steps: Steps) => {
  let left = PLACING
  const mayGoOn: MayGoOn = (more, words) => (left -= more) > 0 && words < PLACING * 32
  const until = events.order.length
  const result = new Search(model, events, { ...steps, ahead: undefined }, { unlimited: false, until, mayGoOn }).run()
  return result._tag === "None" ? result : undefined
}

/**
 * Configurations of the rough search for each event: it ends soon or, where what is repeated makes ever new states,
 * never.
 */
const ROUGH = 20

/**
 * Where what never ends could be used again and again, there are few configurations; what has no order even then, has
 * none.
 */
const search = <State>(model: Model<State>, events: Events, steps: Steps, mayGoOn: MayGoOn): Result => {
  const until = events.order.length
  const exact = (): Result => new Search(model, events, steps, { unlimited: false, until, mayGoOn }).run()
  if (events.endless === 0) return exact()
  let left = ROUGH * events.order.length
  const isShort: MayGoOn = (more, words) => (left -= more) > 0 && mayGoOn(more, words)
  const rough = new Search(model, events, steps, {
    unlimited: true,
    until: events.order.length,
    mayGoOn: isShort
  }).run()
  return rough._tag === "None" ? rough : exact()
}

const explain = (
  events: Events,
  steps: Steps,
  place: number,
  states: ReadonlyArray<number>,
  isFirst: boolean
): Found => {
  const culprit = events.order[place]! >> 1
  const { called, deadline, operations } = events
  return {
    _tag: "None",
    isFirst,
    culprit: operations[culprit]!,
    prefix: operations.filter((_, i) => deadline[i]! < place),
    window: operations.filter((_, i) => called[i]! < place && deadline[i]! > called[culprit]!),
    states: states.slice(0, NAMED).map(steps.describe)
  }
}

/** An order that doesn't respect the times or the model is a defect, never an answer. */
const replay = (events: Events, steps: Steps, order: ReadonlyArray<number>): void => {
  const refuse = (operation: number, what: string): never => {
    throw new Error(`The order that was found ${what}: ${JSON.stringify(events.operations[operation])}`)
  }
  const place = new Map(order.map((operation, i) => [operation, i]))
  let state = steps.initial
  for (const operation of order) {
    state = steps.after(state, operation)
    if (state === IMPOSSIBLE) refuse(operation, "is not possible")
  }
  // What returned before another one was called must come before it.
  let latest = -1
  for (const event of events.order) {
    const operation = event >> 1
    const at = place.get(operation)
    if (at === undefined) {
      if (events.optional[operation] === 0) refuse(operation, "leaves one out")
    } else if ((event & 1) === 1) {
      latest = Math.max(latest, at)
    } else if (at < latest) {
      refuse(operation, "breaks the times")
    }
  }
}
