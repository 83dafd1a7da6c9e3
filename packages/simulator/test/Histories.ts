import type { History } from "@synod/simulator"
import { FastCheck } from "effect"

/** A line of a small history: client, operation, input, output, call, return (none: unknown outcome). */
export const operation = (
  client: number | string,
  name: string,
  input: unknown,
  output: unknown,
  call: number,
  ret: number | null = null,
  outcome: History.Outcome = ret === null ? "unknown" : "ok"
): History.Operation => ({ client, key: "x", name, input, output, call, ret, outcome })

/** What one machine does with one operation, written without a thought of speed: each state it may lead to. */
export type Reference = (state: unknown, operation: History.Operation) => ReadonlyArray<unknown>

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const only = (condition: boolean, state: unknown): ReadonlyArray<unknown> => (condition ? [state] : [])

export const references = {
  register: (state, { input, name, outcome, output }) => {
    if (name === "read") return outcome === "ok" ? only(same(state, output), state) : [state]
    if (name === "write") return outcome === "failed" ? [state] : [input]
    const [expected, next] = input as [unknown, unknown]
    if (outcome === "failed") return output === null ? only(!same(state, expected), state) : [state]
    return outcome === "ok" ? only(same(state, expected), next) : [same(state, expected) ? next : state]
  },
  append: (state, { input, name, outcome, output }) => {
    if (name === "read") return outcome === "ok" ? only(state === output, state) : [state]
    if (outcome === "failed") return [state]
    return [name === "write" ? String(input) : `${String(state)}${String(input)}`]
  },
  lock: (state, { input, name, outcome, output }) => {
    const [from, to] = name === "acquire" ? ["free", input] : [input, "free"]
    if (outcome === "failed") return output === null ? only(!same(state, from), state) : [state]
    return outcome === "ok" ? only(same(state, from), to) : [same(state, from) ? to : state]
  },
  bank: (state, { input, name, outcome, output }) => {
    const balances = state as Readonly<Record<string, number>>
    if (name === "read") return outcome === "ok" ? only(same(balances, output), state) : [state]
    const [from, to, amount] = input as [string, string, number]
    const covered = balances[from]! >= amount
    if (outcome === "failed") return output === null ? only(!covered, state) : [state]
    const moved = { ...balances, [from]: balances[from]! - amount }
    const after = { ...moved, [to]: moved[to]! + amount }
    return outcome === "ok" ? only(covered, after) : [covered ? after : state]
  }
} satisfies Record<string, Reference>

/** Tries every order. An operation may come next unless another one that is left returned before it was called. */
export const hasOrder = (reference: Reference, initial: unknown, history: History.History): boolean => {
  const left = history.map((operation) => ({ operation, open: operation.outcome === "unknown" }))
  const search = (state: unknown): boolean => {
    const owed = left.filter(({ open }) => !open)
    if (owed.length === 0) return true
    const soonest = Math.min(...owed.map(({ operation }) => operation.ret!))
    return left.some((entry, i) => {
      if (entry.operation.call > soonest) return false
      left.splice(i, 1)
      const found = reference(state, entry.operation).some(search)
      left.splice(i, 0, entry)
      return found
    })
  }
  return search(initial)
}

export type Model = keyof typeof references

export const initials: { readonly [model in Model]: unknown } = {
  register: 0,
  append: "",
  lock: "free",
  bank: { a: 2, b: 1 }
}

const value = FastCheck.integer({ min: 0, max: 2 })
const account = FastCheck.constantFrom(["a", "b"], ["b", "a"])
const balances = FastCheck.integer({ min: 0, max: 3 }).map((a) => ({ a, b: 3 - a }))
const text = FastCheck.constantFrom("", "a", "b", "ab", "ba", "aa", "aba", "abb")

/** A name, an input and an output that there may be, not one that there was. */
const questions = {
  register: FastCheck.oneof(
    { weight: 3, arbitrary: value.map((output) => ["read", null, output] as const) },
    { weight: 3, arbitrary: value.map((input) => ["write", input, null] as const) },
    { weight: 2, arbitrary: FastCheck.tuple(value, value).map((input) => ["cas", input, null] as const) }
  ),
  append: FastCheck.oneof(
    { weight: 3, arbitrary: text.map((output) => ["read", null, output] as const) },
    { weight: 4, arbitrary: FastCheck.constantFrom("a", "b").map((input) => ["append", input, null] as const) },
    { weight: 1, arbitrary: text.map((input) => ["write", input, null] as const) }
  ),
  lock: FastCheck.tuple(FastCheck.constantFrom("acquire", "release"), FastCheck.constantFrom("p", "q")).map(
    ([name, input]) => [name, input, null] as const
  ),
  bank: FastCheck.oneof(
    balances.map((output) => ["read", null, output] as const),
    FastCheck.tuple(account, FastCheck.integer({ min: 1, max: 2 })).map(
      ([[from, to], amount]) => ["transfer", [from, to, amount], null] as const
    )
  )
}

/** Small histories with much overlap, equal times, and all outcomes; about as many have an order as have none. */
export const histories = (model: Model, most = 8): FastCheck.Arbitrary<History.History> =>
  FastCheck.array(
    FastCheck.record({
      question: questions[model] as FastCheck.Arbitrary<readonly [string, unknown, unknown]>,
      call: FastCheck.integer({ min: 0, max: 20 }),
      length: FastCheck.integer({ min: 0, max: 14 }),
      fate: FastCheck.constantFrom("ok", "ok", "ok", "ok", "ok", "unknown", "unknown", "refused", "unreached")
    }),
    { maxLength: most }
  ).map((drawn) =>
    drawn.map(({ call, fate, length, question: [name, input, output] }, client): History.Operation => {
      const asked = { client, key: "x", name, input, call }
      if (fate === "unknown") return { ...asked, output: null, ret: null, outcome: "unknown" }
      if (fate === "ok" || (fate === "refused" && model === "append")) {
        return { ...asked, output, ret: call + length, outcome: "ok" }
      }
      return { ...asked, output: fate === "refused" ? null : "no leader", ret: call + length, outcome: "failed" }
    })
  )
