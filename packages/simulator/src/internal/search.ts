/**
 * The search for an order in which a sequential machine could have done everything.
 *
 * Wing & Gong (*Testing and verifying concurrent objects*, 1993) try the open operations one after the other and take
 * back what led nowhere; Lowe (*Testing for linearizability*, 2017) remembers where the search has been, and lets an
 * operation take effect no sooner than a return asks for it. Both are done here, without recursion. Four rules cut
 * branches that can't matter; `done` is what an operation is that owes nothing any more, `used` what can't be used again:
 *
 * 1. An open operation that would leave the state as it is, is done at once. It may still be used later, until it
 *    returns: to have had no effect here is one of its possibilities.
 * 2. When an operation takes effect that leads to the same state from everywhere, all open ones that are possible
 *    everywhere are done: they may have happened right before it. They may still be used later, as above.
 * 3. Of open operations that are alike, the one that returns first is used first.
 * 4. A configuration is left if another one at the same place and in the same state had more done and less used.
 *
 * Where the model tells how states come about (`Flow`), two more:
 *
 * 5. A choice is left out after which an answer that is still owed could never be given: its state can't be reached from
 *    the new one, and nothing that is left makes one from which it can.
 * 6. In a state that nothing left needs, an open operation that makes another one is used at once if all that needs that
 *    one is open and only reads: wherever else it were used, it could be moved to here with its readers. Not so where
 *    an operation asks for any state but one (a refused cas): a write that nobody reads may be what lets it pass.
 *
 * The file is whole because the rules and the search that they cut are read together.
 */
import type { Model } from "../Model.js"
import type { Events } from "./events.js"
import { type Ahead, IMPOSSIBLE, type Steps } from "./steps.js"
import { Visited } from "./visited.js"

/** The choice to let a return pass whose operation was done by the first or second rule, without using it. */
const DROP = -1

/** No operation is asked for: all may be done on the way. */
const NOBODY = -1

/** How many of the answers that are owed next are looked at, besides the open ones. */
const AHEAD = 4

/** How many steps are taken between two looks at the budget. */
const LOOK_EVERY = 1024

interface Frame {
  readonly place: number
  readonly state: number
  readonly bits: Int32Array
  readonly choices: ReadonlyArray<number>
  next: number
  /** How many operations had taken effect, and the length of the marks. */
  readonly taken: number
  readonly marks: number
}

export type Result =
  | { readonly _tag: "Found"; readonly order: ReadonlyArray<number> }
  /** No order gets past the return at `place`; in all that gets there, the state is one of `states`. */
  | { readonly _tag: "None"; readonly place: number; readonly states: ReadonlyArray<number> }
  | { readonly _tag: "GaveUp" }

/** What a search may cost; asked now and then, with the number of configurations and of words of memory. */
export type MayGoOn = (configurations: number, words: number) => boolean

export interface Options {
  /** Operations that never end can be used again and again: what has no order then, has none at all, and it is soon known. */
  readonly unlimited: boolean
  /** The search ends before this place in the order of events. */
  readonly until: number
  readonly mayGoOn: MayGoOn
}

export class Search<State> {
  private readonly visited: Visited
  private readonly frames: Array<Frame> = []
  private readonly bits: Int32Array
  private readonly doneWords: number
  /** The open operation of each slot, or -1. */
  private readonly open: Int32Array
  private readonly endless: Array<number> = []
  private readonly reads: Uint8Array
  private readonly overwrites: Uint8Array
  private readonly blind: Uint8Array
  private place = 0
  private state: number
  private furthest = -1
  private states = new Set<number>()
  /** What took effect, in order. */
  private readonly taken: Array<number> = []
  /** Where an operation that is done but not used may have happened: before which of `taken`, and in which turn. */
  private readonly happened: Float64Array
  private readonly turn: Float64Array
  private turns = 0
  /** Operations that were marked so, each with what it was marked with before. */
  private readonly marks: Array<number> = []

  constructor(
    model: Model<State>,
    private readonly events: Events,
    private readonly steps: Steps,
    private readonly options: Options
  ) {
    const { endless, ending, operations } = events
    this.doneWords = (ending + 31) >>> 5
    const usedWords = (ending + endless + 31) >>> 5
    this.bits = new Int32Array(this.doneWords + usedWords)
    this.visited = new Visited(this.doneWords, usedWords)
    this.open = new Int32Array(ending).fill(-1)
    this.state = steps.initial
    const kinds = operations.map((operation) => model.kind(operation))
    this.reads = Uint8Array.from(kinds, (kind) => Number(kind === "reads"))
    this.overwrites = Uint8Array.from(kinds, (kind) => Number(kind === "overwrites"))
    this.blind = Uint8Array.from(kinds, (kind) => Number(kind === "overwrites" || kind === "blind"))
    this.happened = new Float64Array(operations.length)
    this.turn = new Float64Array(operations.length)
  }

  run(): Result {
    for (let step = 1; ; step++) {
      if (step % LOOK_EVERY === 0 && !this.options.mayGoOn(LOOK_EVERY, this.visited.held)) return { _tag: "GaveUp" }
      if (this.advance()) return { _tag: "Found", order: this.order() }
      if (!this.branch() && !this.retreat()) {
        return { _tag: "None", place: this.furthest, states: [...this.states] }
      }
    }
  }

  /** Goes on to the next return that asks for a choice. Answers whether there is none. */
  private advance(): boolean {
    const { order } = this.events
    for (; this.place < this.options.until; this.place++) {
      const event = order[this.place]!
      if ((event & 1) === 0) this.enter(event >> 1)
      else if (!this.leave(event >> 1)) return false
    }
    return true
  }

  private enter(operation: number): void {
    const slot = this.events.slot[operation]!
    if (slot >= this.events.ending) {
      this.endless.push(operation)
      return
    }
    this.open[slot] = operation
    this.clear(slot)
    // Whether it took effect is not known: so it owes nothing from the start.
    if (this.events.optional[operation] === 1) this.setDone(slot)
    else this.settle(operation)
  }

  /** Lets a return pass that asks for nothing. */
  private leave(operation: number): boolean {
    const slot = this.events.slot[operation]!
    if (!this.isUsed(slot) && !(this.reads[operation] === 1 && this.isDone(slot))) return false
    this.close(slot)
    return true
  }

  private close(slot: number): void {
    this.open[slot] = -1
    this.clear(slot)
  }

  /** The first rule. */
  private settle(operation: number): void {
    const slot = this.events.slot[operation]!
    if (this.isDone(slot) || this.steps.after(this.state, operation) !== this.state) return
    this.setDone(slot)
    this.mark(operation, this.taken.length - 0.5)
  }

  private mark(operation: number, before: number): void {
    this.marks.push(operation, this.happened[operation]!, this.turn[operation]!)
    this.happened[operation] = before
    this.turn[operation] = this.turns++
  }

  private unmark(length: number): void {
    while (this.marks.length > length) {
      const turn = this.marks.pop()!
      const happened = this.marks.pop()!
      const operation = this.marks.pop()!
      this.happened[operation] = happened
      this.turn[operation] = turn
    }
  }

  /** Stands before a return that asks for a choice: makes the first one. Answers false where there is nothing to choose. */
  private branch(): boolean {
    if (this.place > this.furthest) {
      this.furthest = this.place
      this.states.clear()
    }
    if (this.place === this.furthest) this.states.add(this.state)
    if (this.pass()) return true
    if (!this.visited.add(this.place, this.state, this.bits)) return false
    const choices = this.choices()
    if (choices.length === 0) return false
    const { place, state } = this
    const frame: Frame = {
      ...{ place, state, choices, next: 0, bits: this.bits.slice() },
      ...{ taken: this.taken.length, marks: this.marks.length }
    }
    this.frames.push(frame)
    this.choose(frame.choices[frame.next++]!)
    return true
  }

  /** Takes back what was done since the last choice that has another way. Answers false where none has. */
  private retreat(): boolean {
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      if (frame.next === frame.choices.length) {
        this.frames.pop()
        continue
      }
      this.rewind(frame.place)
      this.state = frame.state
      this.bits.set(frame.bits)
      this.taken.length = frame.taken
      this.unmark(frame.marks)
      this.choose(frame.choices[frame.next++]!)
      return true
    }
    return false
  }

  /** Opens and closes again what was open at an earlier place. */
  private rewind(place: number): void {
    while (this.place > place) {
      const event = this.events.order[--this.place]!
      const operation = event >> 1
      const slot = this.events.slot[operation]!
      if ((event & 1) === 1) this.open[slot] = operation
      else if (slot >= this.events.ending) this.endless.pop()
      else this.open[slot] = -1
    }
  }

  /** Which operations may take effect now, those first that are likely to lead on. */
  private choices(): ReadonlyArray<number> {
    const asked = this.events.order[this.place]! >> 1
    const choices: Array<number> = []
    if (this.isDone(this.events.slot[asked]!) && this.isAlive(this.state, asked)) choices.push(DROP)
    if (this.leads(asked)) choices.push(asked)
    const others = this.candidates(asked).filter((other) => this.isAlive(this.steps.after(this.state, other), other))
    const answers = others.map((other) => this.steps.after(this.steps.after(this.state, other), asked) !== IMPOSSIBLE)
    // What makes the asked one possible comes first, then what has to be done soon, the unknown ones last.
    const rank = (i: number): number => (answers[i] === true ? 0 : 1)
    const sorted = others.map((_, i) => i).sort((i, j) => rank(i) - rank(j) || this.soon(others[i]!, others[j]!))
    for (const i of sorted) choices.push(others[i]!)
    return choices
  }

  /** The fifth rule: whether answers may still be given in a new state, when an operation is used up or gone. */
  private isAlive(state: number, gone: number): boolean {
    const { ahead } = this.steps
    if (ahead === undefined) return true
    const { deadline } = this.events
    const canBe = (operation: number): boolean => {
      const needed = ahead.needs[operation]!
      return (
        ahead.reaches(state, needed) ||
        ahead.sources(needed).some((source) => source !== gone && this.canComeBefore(source, deadline[operation]!))
      )
    }
    if (state !== this.state) {
      // Most of all: whoever needs the state that is left behind.
      const left = ahead.needing(this.state).find((operation) => this.isOwed(operation))
      if (left !== undefined && left !== gone && !canBe(left)) return false
    }
    for (let i = this.owedFrom(ahead.order), looked = 0; i < ahead.order.length && looked < AHEAD; i++) {
      const operation = ahead.order[i]!
      if (operation === gone || !this.isOwed(operation)) continue
      if (!canBe(operation)) return false
      looked++
    }
    return true
  }

  /** Where in the order of their returns the operations begin that have not returned yet. */
  private owedFrom(order: Int32Array): number {
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.events.deadline[order[middle]!]! < this.place) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether an operation has yet to give the answer that it is known to have given. */
  private isOwed(operation: number): boolean {
    if (this.events.optional[operation] === 1 || this.events.deadline[operation]! < this.place) return false
    return this.events.called[operation]! >= this.place || !this.isDone(this.events.slot[operation]!)
  }

  /** Whether an operation can still be used, and before a place. */
  private canComeBefore(operation: number, place: number): boolean {
    const { called, deadline, slot } = this.events
    if (called[operation]! > place || deadline[operation]! < this.place) return false
    return called[operation]! >= this.place || !this.isUsed(slot[operation]!)
  }

  /** The sixth rule. Answers whether there was such an operation. */
  private pass(): boolean {
    const { ahead } = this.steps
    if (ahead === undefined || !ahead.isPlain || !this.isSpent(ahead, this.state, false)) return false
    for (let slot = 0; slot < this.open.length; slot++) {
      const operation = this.open[slot]!
      if (operation < 0 || this.overwrites[operation] === 0 || this.isUsed(slot)) continue
      if (this.events.optional[operation] === 1) continue
      const made = ahead.makes[operation]!
      if (made === this.state || !this.isSpent(ahead, made, true)) continue
      this.take(operation)
      this.spread(operation, NOBODY, true)
      return true
    }
    return false
  }

  /** Whether nothing that is left needs a state, but for open reads if they don't count. */
  private isSpent(ahead: Ahead, state: number, butOpenReads: boolean): boolean {
    for (const operation of ahead.needing(state)) {
      if (this.events.deadline[operation]! < this.place) return true
      const isOpen = this.events.called[operation]! < this.place
      if (isOpen && this.reads[operation] === 1 && (butOpenReads || this.isDone(this.events.slot[operation]!))) continue
      if (isOpen && this.isUsed(this.events.slot[operation]!)) continue
      return false
    }
    return true
  }

  private soon(a: number, b: number): number {
    const { deadline } = this.events
    return deadline[a]! === deadline[b]!
      ? // Keeps what can always be used for later.
        this.blind[a]! - this.blind[b]! || a - b
      : deadline[a]! - deadline[b]!
  }

  /** Whether the operation is possible and has an effect: without one it is done already. */
  private leads(operation: number): boolean {
    const next = this.steps.after(this.state, operation)
    return next !== IMPOSSIBLE && (next !== this.state || !this.isDone(this.events.slot[operation]!))
  }

  /** The third rule: but for the one that is asked for, one of each class that is still owed, and one that is not. */
  private candidates(asked: number): ReadonlyArray<number> {
    // What is asked for returns before all that are like it.
    const first = this.steps.classes[asked]!
    const owed = new Map<number, number>()
    const done = new Map<number, number>()
    const offer = (to: Map<number, number>, operation: number): void => {
      const name = this.steps.classes[operation]!
      const other = to.get(name)
      if (other === undefined || this.events.deadline[operation]! < this.events.deadline[other]!)
        to.set(name, operation)
    }
    for (let slot = 0; slot < this.open.length; slot++) {
      const operation = this.open[slot]!
      if (operation < 0 || this.reads[operation] === 1 || this.isUsed(slot)) continue
      if (this.steps.classes[operation] === first) continue
      if (this.leads(operation)) offer(this.isDone(slot) ? done : owed, operation)
    }
    for (const operation of this.endless) {
      const slot = this.events.slot[operation]!
      const name = this.steps.classes[operation]!
      if (this.isUsed(slot) || name === first || done.has(name)) continue
      const next = this.steps.after(this.state, operation)
      if (next !== IMPOSSIBLE && next !== this.state) offer(done, operation)
    }
    const better = (operation: number): boolean => {
      const other = owed.get(this.steps.classes[operation]!)
      return other === undefined || this.events.deadline[other]! > this.events.deadline[operation]!
    }
    return [...owed.values(), ...[...done.values()].filter(better)]
  }

  private choose(choice: number): void {
    const asked = this.events.order[this.place]! >> 1
    if (choice === DROP) {
      this.close(this.events.slot[asked]!)
      this.place++
      return
    }
    const slot = this.events.slot[asked]!
    const owed = !this.isDone(slot)
    // Who does something else first does so for the sake of the asked one, which is not to be dropped after that.
    if (choice !== asked) this.setUndone(slot)
    this.take(choice)
    this.spread(choice, asked, owed)
  }

  /** What else is done by an operation that was just taken. */
  private spread(taken: number, asked: number, owed: boolean): void {
    for (const operation of this.open) {
      if (operation < 0 || (operation === asked && !owed)) continue
      if (operation !== asked && this.overwrites[taken] === 1 && this.blind[operation] === 1) this.absorb(operation)
      this.settle(operation)
    }
  }

  private take(operation: number): void {
    this.state = this.steps.after(this.state, operation)
    this.taken.push(operation)
    const slot = this.events.slot[operation]!
    if (slot < this.events.ending) this.setDone(slot)
    if (slot < this.events.ending || !this.options.unlimited) this.setUsed(slot)
  }

  /** The second rule; the operation that overwrites was just taken. */
  private absorb(operation: number): void {
    const slot = this.events.slot[operation]!
    if (this.isDone(slot)) return
    this.setDone(slot)
    this.mark(operation, this.taken.length - 1)
  }

  /** All that took effect, and what may have had none where it may have had none. */
  private order(): ReadonlyArray<number> {
    const taken = new Set(this.taken)
    const { deadline, operations, optional } = this.events
    const silent = operations
      .map((_, operation) => operation)
      .filter((operation) => deadline[operation]! < this.options.until && optional[operation] === 0)
      .filter((operation) => !taken.has(operation))
      .sort((a, b) => this.happened[a]! - this.happened[b]! || this.turn[a]! - this.turn[b]!)
    const order: Array<number> = []
    let at = 0
    this.taken.forEach((operation, i) => {
      while (at < silent.length && this.happened[silent[at]!]! <= i) order.push(silent[at++]!)
      order.push(operation)
    })
    return [...order, ...silent.slice(at)]
  }

  private isDone(slot: number): boolean {
    return (this.bits[slot >>> 5]! & (1 << (slot & 31))) !== 0
  }

  private setDone(slot: number): void {
    this.bits[slot >>> 5]! |= 1 << (slot & 31)
  }

  private setUndone(slot: number): void {
    this.bits[slot >>> 5]! &= ~(1 << (slot & 31))
  }

  private isUsed(slot: number): boolean {
    return (this.bits[this.doneWords + (slot >>> 5)]! & (1 << (slot & 31))) !== 0
  }

  private setUsed(slot: number): void {
    this.bits[this.doneWords + (slot >>> 5)]! |= 1 << (slot & 31)
  }

  private clear(slot: number): void {
    this.setUndone(slot)
    this.bits[this.doneWords + (slot >>> 5)]! &= ~(1 << (slot & 31))
  }
}
