/**
 * Models of the machines that are most often tested: a register, a text that grows, a lock, a bank.
 *
 * Operations that were refused say so with `ok: false` and no output; a refusal tells something about the state. With an
 * output, `ok: false` means that they never reached the machine.
 *
 * @since 0.1.0
 */
import type { Operation } from "./History.js"
import { canonical } from "./internal/canonical.js"
import type { Kind, Model } from "./Model.js"

/**
 * Every model, under its name.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = "register" | "append" | "lock" | "bank"

/**
 * Which operations a model knows; others in a history are a mistake of whoever chose the model.
 *
 * @since 0.1.0
 * @category models
 */
export const operations: { readonly [name in Name]: ReadonlyArray<string> } = {
  register: ["read", "write", "cas"],
  append: ["read", "append", "write"],
  lock: ["acquire", "release"],
  bank: ["read", "deposit", "withdraw", "transfer"]
}

/** What no operation ever observes: one state for them all, since nothing tells them apart. */
const unseen = "\u0000unseen"

/** Said no itself, and did not just stay out of reach. */
const refused = ({ outcome, output }: Operation): boolean =>
  outcome === "failed" ? output === null : outcome === "ok" && output === false

const inputOf = (operation: Operation): string => canonical(operation.input)

const answer = ({ input, name, outcome, output }: Operation): string => {
  const asked = input === null || name === "read" ? name : `${name} ${canonical(input)}`
  if (outcome === "unknown") return `${asked} → ?`
  if (outcome === "failed") return `${asked} → ${output === null ? "no" : `failed: ${String(output)}`}`
  return output === null && name !== "read" ? asked : `${asked} → ${canonical(output)}`
}

/** Reads without an answer, and whatever did not reach the machine. */
const isSilent = (operation: Operation): boolean =>
  operation.name === "read" ? operation.outcome !== "ok" : operation.outcome === "failed" && !refused(operation)

const alike = (operation: Operation): string => {
  const { name, outcome, output } = operation
  const no = refused(operation) ? "no" : ""
  // An update that took effect does the same whether or not its client heard of it.
  return `${name}${no} ${inputOf(operation)} ${name === "read" ? canonical(output) : outcome === "ok" && output !== null ? canonical(output) : ""}`
}

/**
 * `read`, `write` (input: the value) and `cas` (input: `[expected, next]`), key by key. A `cas` that was refused found
 * another value than the expected one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const register = (initial: unknown = null): Model<string> => {
  const pair = ({ input }: Operation): ReadonlyArray<string> => (input as ReadonlyArray<unknown>).map(canonical)
  return {
    name: "register",
    initial: canonical(initial),
    key: (value) => value,
    step: (value, operation) => {
      if (operation.name === "read") return canonical(operation.output) === value ? value : undefined
      if (operation.name === "write") return inputOf(operation)
      const [expected, next] = pair(operation)
      if (refused(operation)) return value === expected ? undefined : value
      return value === expected ? next : undefined
    },
    kind: (operation): Kind => {
      if (isSilent(operation) || (operation.name === "write" && refused(operation))) return "nothing"
      if (operation.name === "read") return "reads"
      if (operation.name === "write") return "overwrites"
      return refused(operation) ? "reads" : "updates"
    },
    alike,
    partition: ({ key }) => key,
    merge: (operations) => {
      const seen = new Set<string>()
      for (const operation of operations) {
        if (operation.name === "read") seen.add(canonical(operation.output))
        if (operation.name === "cas") seen.add(pair(operation)[0]!)
      }
      return (value) => (seen.has(value) ? value : unseen)
    },
    flow: {
      needs: (operation) => {
        if (operation.name === "read") return canonical(operation.output)
        return operation.name === "cas" && !refused(operation) ? pair(operation)[0] : undefined
      },
      makes: (operation) => {
        if (operation.name === "write") return inputOf(operation)
        return operation.name === "cas" && !refused(operation) ? pair(operation)[1] : undefined
      },
      reaches: (a, b) => a === b,
      varies: (operation) => operation.name === "cas" && refused(operation)
    },
    describe: answer,
    describeState: (value) => (value === unseen ? "a value that nobody saw" : value)
  }
}

/**
 * A text, `read` whole, to which `append` adds (input: the text to add) and which `write` replaces, key by key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const append = (initial: unknown = ""): Model<string> => ({
  name: "append",
  initial: initial === null ? "" : String(initial),
  key: (text) => text,
  step: (text, { input, name, output }) => {
    if (name === "read") return text === (output ?? "") ? text : undefined
    if (name === "write") return String(input)
    return text === unseen ? unseen : text + String(input)
  },
  kind: (operation): Kind => {
    if (isSilent(operation) || refused(operation)) return "nothing"
    return operation.name === "read" ? "reads" : operation.name === "write" ? "overwrites" : "blind"
  },
  alike,
  partition: ({ key }) => key,
  // A text that no read's answer begins with is never read, until it is replaced.
  merge: (operations) => {
    const seen = [
      ...new Set(operations.filter(({ name }) => name === "read").map(({ output }) => String(output ?? "")))
    ]
    seen.sort()
    return (text) => {
      const longer = seen[firstNotBelow(seen, text)]
      // A slice of what was read, so that a long text is held once, not once for each of its beginnings.
      return longer?.startsWith(text) === true ? longer.slice(0, text.length) : unseen
    }
  },
  flow: {
    needs: ({ name, output }) => (name === "read" ? String(output ?? "") : undefined),
    makes: ({ input, name }) => (name === "write" ? String(input) : undefined),
    reaches: (a, b) => b.startsWith(a),
    varies: ({ name }) => name === "append"
  },
  describe: answer,
  describeState: (text) => (text === unseen ? "a text that nobody read" : JSON.stringify(text))
})

const firstNotBelow = (sorted: ReadonlyArray<string>, text: string): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < text) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * `acquire` and `release` (input: the holder, or `null` where holders aren't told apart), key by key. Acquiring is
 * refused while anybody holds the lock, and releasing by all but its holder.
 *
 * @since 0.1.0
 * @category constructors
 */
export const lock = (initial: unknown = null): Model<string> => {
  const free = "free"
  return {
    name: "lock",
    initial: initial === null || initial === false ? free : canonical(initial === true ? null : initial),
    key: (holder) => holder,
    step: (holder, operation) => {
      const [from, to] = operation.name === "acquire" ? [free, inputOf(operation)] : [inputOf(operation), free]
      if (refused(operation)) return holder === from ? undefined : holder
      return holder === from ? to : undefined
    },
    kind: (operation) => (isSilent(operation) ? "nothing" : refused(operation) ? "reads" : "updates"),
    alike,
    partition: ({ key }) => key,
    describe: answer,
    describeState: (holder) => (holder === free ? "free" : holder === "null" ? "held" : `held by ${holder}`)
  }
}

/**
 * Accounts that never fall below zero: `deposit` and `withdraw` (input: `[account, amount]`), `transfer` (input:
 * `[from, to, amount]`), and `read` of all balances (output: an object of them; accounts it leaves out hold zero). What
 * is refused lacked money.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bank = (initial: unknown = {}): Model<string> => ({
  name: "bank",
  initial: canonicalBalances(new Map(Object.entries((initial ?? {}) as Record<string, number>))),
  key: (balances) => balances,
  step: (text, operation) => {
    if (operation.name === "read") {
      const read = new Map(Object.entries((operation.output ?? {}) as Record<string, number>))
      return canonicalBalances(read) === text ? text : undefined
    }
    const balances = new Map(JSON.parse(text) as Array<[string, number]>)
    const covered = move(balances, operation)
    if (refused(operation)) return covered ? undefined : text
    return covered ? canonicalBalances(balances) : undefined
  },
  kind: (operation): Kind => {
    if (isSilent(operation)) return "nothing"
    if (operation.name === "read" || refused(operation)) return "reads"
    return operation.name === "deposit" ? "blind" : "updates"
  },
  alike,
  describe: answer,
  describeState: (balances) =>
    (JSON.parse(balances) as Array<[string, number]>).map(([account, balance]) => `${account}: ${balance}`).join(", ")
})

/** Moves the money, if there is enough of it. */
const move = (balances: Map<string, number>, { input, name }: Operation): boolean => {
  const parts = input as ReadonlyArray<string | number>
  const amount = Number(parts[parts.length - 1])
  const from = name === "deposit" ? undefined : String(parts[0])
  const to = name === "withdraw" ? undefined : String(parts[name === "transfer" ? 1 : 0])
  if (from !== undefined) {
    const balance = balances.get(from) ?? 0
    if (balance < amount) return false
    balances.set(from, balance - amount)
  }
  if (to !== undefined) balances.set(to, (balances.get(to) ?? 0) + amount)
  return true
}

const canonicalBalances = (balances: ReadonlyMap<string, number>): string =>
  JSON.stringify([...balances].filter(([, balance]) => balance !== 0).sort(([a], [b]) => (a < b ? -1 : 1)))

/**
 * The model of a name, with its initial state as JSON gives it; without one, with its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const byName = (name: Name, initial?: unknown): Model<string> =>
  ({ register, append, lock, bank })[name](initial)
