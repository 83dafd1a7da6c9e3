/**
 * The learner: hands chosen entries to the state machine, each once and in order.
 *
 * ```
 *   acceptor ── Chosen ──►┌─────────┐──► Apply: decode, session, handler, reply
 *   journal  ── Chosen ──►│ learner │
 *   snapshot ─ Restored ─►│         │──► Restore: the machine as it was then
 *                         └────┬────┘
 *                              └──► Read: what it missed, from the journal
 * ```
 *
 * @since 0.1.0
 */
import type * as Entry from "./Entry.js"
import { hold } from "./Invariant.js"
import * as Slot from "./Slot.js"
import * as Step from "./Step.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface State {
  /** Applied through this slot. */
  readonly appliedThrough: Slot.Slot
  /** Known to be chosen through this slot. */
  readonly chosenThrough: Slot.Slot
  /** Entries are on their way from the journal. */
  readonly reading: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  /** From the acceptor: these entries are chosen, and all before them. */
  | { readonly _tag: "Chosen"; readonly after: Slot.Slot; readonly entries: ReadonlyArray<Entry.Entry> }
  /** From the journal, as asked for by `Read`; the journal may hold more than is chosen. */
  | { readonly _tag: "Read"; readonly after: Slot.Slot; readonly entries: ReadonlyArray<Entry.Entry> }
  /** The machine has been restored from a snapshot, and contains all slots through this one. */
  | { readonly _tag: "Restored"; readonly slot: Slot.Slot }

/**
 * @since 0.1.0
 * @category models
 */
export type Action =
  | { readonly _tag: "Apply"; readonly slot: Slot.Slot; readonly entry: Entry.Entry }
  | { readonly _tag: "Read"; readonly after: Slot.Slot }
  /** The machine becomes the one that was restored. */
  | { readonly _tag: "Restore"; readonly slot: Slot.Slot }

/**
 * A learner whose machine contains all slots through `appliedThrough`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const initial = (appliedThrough: Slot.Slot): State => ({
  appliedThrough,
  chosenThrough: appliedThrough,
  reading: false
})

/**
 * A learner whose machine can't be rebuilt from the journal, and waits for a snapshot.
 *
 * @since 0.1.0
 * @category constructors
 */
export const waiting: State = { ...initial(Slot.zero), reading: true }

/**
 * @since 0.1.0
 * @category steps
 */
export const step = (self: State, input: Input): Step.Step<State, Action> => {
  if (input._tag === "Restored") return restored(self, input.slot)
  const end = Slot.plus(input.after, input.entries.length)
  const chosenThrough = input._tag === "Chosen" ? Slot.max(self.chosenThrough, end) : self.chosenThrough
  const reading = input._tag === "Read" ? false : self.reading
  const state: State = { ...self, chosenThrough, reading }
  const next = input.after <= self.appliedThrough ? apply(state, input) : Step.make<State, Action>(state)
  const { appliedThrough } = next.state
  hold("learner", "applied never shrinks", appliedThrough >= self.appliedThrough)
  hold("learner", "applied <= chosen", appliedThrough <= chosenThrough)
  return readOn(next)
}

/** What is chosen and not applied is in the journal. */
const readOn = ({ actions, state }: Step.Step<State, Action>): Step.Step<State, Action> =>
  state.appliedThrough === state.chosenThrough || state.reading
    ? { state, actions }
    : Step.make<State, Action>({ ...state, reading: true }, ...actions, { _tag: "Read", after: state.appliedThrough })

/** What was asked of the journal may never come: the log gave way to the snapshot. */
const restored = (self: State, slot: Slot.Slot): Step.Step<State, Action> =>
  slot <= self.appliedThrough
    ? Step.make<State, Action>(self)
    : readOn(
        Step.make<State, Action>(
          { appliedThrough: slot, chosenThrough: Slot.max(self.chosenThrough, slot), reading: false },
          { _tag: "Restore", slot }
        )
      )

const apply = (self: State, { after, entries }: Exclude<Input, { _tag: "Restored" }>): Step.Step<State, Action> => {
  const actions: Array<Action> = []
  let slot = self.appliedThrough
  for (const entry of entries.slice(slot - after)) {
    if (slot >= self.chosenThrough) break
    slot = Slot.plus(slot, 1)
    actions.push({ _tag: "Apply", slot, entry })
  }
  return Step.make({ ...self, appliedThrough: slot }, ...actions)
}
