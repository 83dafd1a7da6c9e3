/**
 * Everything that can happen, instead of much of it: all states that a model reaches within its bounds, nearest first.
 *
 * Breadth-first, so that a counterexample is a shortest one. Every state is kept whole (see {@link Model.width}), so a search that
 * ends as `exhausted` has missed nothing that the model allows.
 *
 * Source of the kinds of properties: Lamport, *Specifying Systems* (2002), 2 and 8; that a search must also show what did
 * happen, since a model in which nothing happens is always safe: Stateright.
 *
 * @since 0.1.0
 */
import * as Interned from "./internal/interned.js"
import * as StateTable from "./internal/stateTable.js"

/**
 * What is to be searched.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model<State, Action> {
  /** As it is shown to people. */
  readonly name: string
  readonly initial: ReadonlyArray<State>
  /** What may happen next, in the same order each time. */
  readonly actions: (state: State) => ReadonlyArray<Action>
  /** What it leads to; `undefined` if nothing changes. */
  readonly next: (state: State, action: Action) => State | undefined
  /** How many 32-bit words `encode` writes. A model whose states have parts numbers those ({@link interned}), so that words are few. */
  readonly width: number
  /** Equal words mean equal states. */
  readonly encode: (state: State) => ReadonlyArray<number>
  readonly decode: (words: ReadonlyArray<number>) => State
  readonly properties: ReadonlyArray<Property<State>>
  /** One sentence of a story. */
  readonly describeAction: (before: State, action: Action, after: State) => string
  /** How things stand, a line for each part; a story shows those that changed. */
  readonly describeState: (state: State) => ReadonlyArray<string>
}

/**
 * `Always` must hold in every state. `Sometimes` must hold in at least one: it proves that the search came to where it matters.
 *
 * @since 0.1.0
 * @category models
 */
export interface Property<State> {
  readonly kind: "Always" | "Sometimes"
  readonly name: string
  readonly holds: (state: State) => boolean
}

/**
 * Where a search may stop early; none means that it goes on to the end.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bounds {
  /** No more than so many distinct states. */
  readonly states?: number | undefined
  /** No state more than so many actions away from an initial one. */
  readonly depth?: number | undefined
}

/**
 * How far a search has come.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  /** Distinct states found. */
  readonly states: number
  /** States that actions led to, known ones included. */
  readonly transitions: number
  /** Actions from an initial state to the farthest one found. */
  readonly depth: number
  /** States found of which it is not known yet what they lead to. */
  readonly frontier: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Report<State, Action> extends Progress {
  /** `exhausted`: there are no more states. `states`, `depth`: that bound cut the search. `violated`: it ended at a counterexample. */
  readonly end: "exhausted" | "states" | "depth" | "violated"
  readonly failures: ReadonlyArray<Failure<State, Action>>
}

/**
 * @since 0.1.0
 * @category models
 */
export type Failure<State, Action> =
  | {
      readonly _tag: "Violated"
      readonly property: string
      /** A shortest way there. */
      readonly path: Path<State, Action>
    }
  /** A `Sometimes` that held in no state that was seen. */
  | { readonly _tag: "NeverHeld"; readonly property: string }

/**
 * @since 0.1.0
 * @category models
 */
export interface Path<State, Action> {
  readonly initial: State
  readonly steps: ReadonlyArray<{ readonly action: Action; readonly state: State }>
}

/** States between two signs of progress: a fraction of a second's work. */
const stride = 1 << 14

/**
 * Searches, and hands out how far it has come now and then; whoever drives it owns the clock.
 *
 * @since 0.1.0
 * @category searching
 */
export function* search<State, Action>(
  model: Model<State, Action>,
  bounds: Bounds = {}
): Generator<Progress, Report<State, Action>> {
  const { depth: deepest = Infinity, states: most = Infinity } = bounds
  const table = StateTable.make(model.width)
  const always = model.properties.filter(({ kind }) => kind === "Always")
  const awaited = new Set(model.properties.filter(({ kind }) => kind === "Sometimes"))
  let violated: { readonly property: string; readonly index: number } | undefined
  let transitions = 0
  let expanded = 0
  // The states from `expanded` to `levelEnd` are `level` actions away from the initial ones, those behind are one more.
  let level = 0

  const visit = (state: State, parent: number): void => {
    const index = table.add(model.encode(state), parent)
    if (index < 0) return
    for (const property of awaited) if (property.holds(state)) awaited.delete(property)
    for (const { holds, name } of always) if (!holds(state)) violated ??= { property: name, index }
  }

  for (const state of model.initial) visit(state, -1)
  let levelEnd = table.size()

  const progress = (): Progress => ({
    states: table.size(),
    transitions,
    depth: table.size() > levelEnd ? level + 1 : level,
    frontier: table.size() - expanded
  })
  const report = (end: Report<State, Action>["end"]): Report<State, Action> => {
    const unseen = Array.from(awaited, ({ name }) => ({ _tag: "NeverHeld" as const, property: name }))
    // A search that a counterexample ended has not had its chance to see the rest.
    const failures: ReadonlyArray<Failure<State, Action>> =
      violated === undefined
        ? unseen
        : [{ _tag: "Violated", property: violated.property, path: pathTo(model, table, violated.index) }]
    return { ...progress(), end, failures }
  }

  while (violated === undefined && expanded < table.size()) {
    if (expanded === levelEnd) {
      level++
      levelEnd = table.size()
    }
    if (level >= deepest) return report("depth")
    const state = model.decode(table.wordsOf(expanded))
    for (const action of model.actions(state)) {
      const next = model.next(state, action)
      if (next === undefined) continue
      if (table.size() >= most && !table.has(model.encode(next))) return report("states")
      transitions++
      visit(next, expanded)
      if (violated !== undefined) return report("violated")
    }
    expanded++
    if (expanded % stride === 0) yield progress()
  }
  return report(violated === undefined ? "exhausted" : "violated")
}

/**
 * The whole search at once.
 *
 * @since 0.1.0
 * @category searching
 */
export const check = <State, Action>(model: Model<State, Action>, bounds: Bounds = {}): Report<State, Action> => {
  const searching = search(model, bounds)
  for (;;) {
    const { done, value } = searching.next()
    if (done === true) return value
  }
}

/** Only parents are kept; which action led from one state to the next is found by trying. */
const pathTo = <State, Action>(
  model: Model<State, Action>,
  table: StateTable.StateTable,
  index: number
): Path<State, Action> => {
  const indices = [index]
  for (let at = index; table.parentOf(at) !== at; at = table.parentOf(at)) indices.unshift(table.parentOf(at))
  const stateAt = (at: number): State => model.decode(table.wordsOf(at))
  const steps = indices.slice(1).map((at, i) => {
    const before = stateAt(indices[i]!)
    const words = table.wordsOf(at)
    for (const action of model.actions(before)) {
      const state = model.next(before, action)
      if (state !== undefined && model.encode(state).every((word, j) => word === words[j])) return { action, state }
    }
    throw new Error(
      `${model.name}: no action leads again to a state that one led to; actions or next are not functions`
    )
  })
  return { initial: stateAt(indices[0]!), steps }
}

/**
 * What a failure looks like to a person: the way there, a line for each action and below it whatever it changed.
 *
 * @since 0.1.0
 * @category reporting
 */
export const story = <State, Action>(model: Model<State, Action>, failure: Failure<State, Action>): string => {
  if (failure._tag === "NeverHeld") {
    return `${model.name}: "${failure.property}" was to hold in some state, and held in none that was seen`
  }
  const { initial, steps } = failure.path
  const lines = [`${model.name}: "${failure.property}" does not hold after ${steps.length} actions:`]
  let before = initial
  for (const [i, { action, state }] of steps.entries()) {
    lines.push(`${String(i + 1).padStart(3)}. ${model.describeAction(before, action, state)}`)
    const was = new Set(model.describeState(before))
    for (const line of model.describeState(state)) if (!was.has(line)) lines.push(`       ${line}`)
    before = state
  }
  return lines.join("\n")
}

/**
 * One line: how much was searched, and whether that is all there is.
 *
 * @since 0.1.0
 * @category reporting
 */
export const summary = <State, Action>(model: Model<State, Action>, report: Report<State, Action>): string => {
  const seen = `${model.name}: ${grouped(report.states)} distinct states, ${grouped(report.transitions)} transitions, depth ${report.depth}`
  switch (report.end) {
    case "exhausted":
      return `${seen}; exhausted: there are no others`
    case "states":
      return `${seen}; cut by the bound on states, with ${grouped(report.frontier)} not followed`
    case "depth":
      return `${seen}; cut by the bound on depth, with ${grouped(report.frontier)} not followed`
    case "violated":
      return `${seen}; ended by a counterexample`
  }
}

/** Digits in threes, as every report of this project writes large numbers. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",")

/**
 * The three parts of a model that has its states numbered instead of written out: for states that are few or large.
 *
 * @since 0.1.0
 * @category constructors
 */
export const interned = <State>(keyOf: (state: State) => string) => {
  const states = Interned.make(keyOf)
  return {
    width: 1,
    encode: (state: State): ReadonlyArray<number> => [states.idOf(state)],
    decode: ([id]: ReadonlyArray<number>): State => states.at(id!)
  }
}
