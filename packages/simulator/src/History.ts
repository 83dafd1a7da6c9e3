/**
 * What clients saw: each operation with the times of its call and its return, and what became of it.
 *
 * A history is all that a checker needs to know of a run, whichever machine was called. As a file it is one operation a
 * line, in JSON:
 *
 * ```
 * {"c":3,"k":"x","f":"write","in":4,"out":null,"call":2,"ret":9,"ok":true}
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"

/**
 * `ok`: it took effect and was answered. `failed`: it certainly did not take effect, neither then nor later.
 * `unknown`: it may have taken effect, may still do so later, or never.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "ok" | "failed" | "unknown"

/**
 * One operation of one client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operation {
  readonly client: number | string
  /** What the operation is on; models whose keys don't touch each other are checked key by key. */
  readonly key: string
  /** Which operation: `read`, `write`, `cas`, … */
  readonly name: string
  readonly input: unknown
  /**
   * The answer. Of a `failed` operation: `null` when the machine itself refused it, which tells something about its
   * state; otherwise why it never reached the machine, which tells nothing.
   */
  readonly output: unknown
  /** In any unit that is the same throughout a history. */
  readonly call: number
  /**
   * The time of the answer. Of an `unknown` outcome: `null`, or a time after which it surely takes no effect any more,
   * which no client knows, but who takes an answer back on purpose does.
   */
  readonly ret: number | null
  readonly outcome: Outcome
}

/**
 * @since 0.1.0
 * @category models
 */
export type History = ReadonlyArray<Operation>

/**
 * One operation that was called. Only the first of the three counts.
 *
 * @since 0.1.0
 * @category recorder
 */
export interface Call {
  readonly ok: (output: unknown) => void
  /** It did not take effect. With no reason, the machine refused it; else it did not reach the machine. */
  readonly fail: (reason?: string) => void
  /** The client gave up. The operation stays open for ever. */
  readonly unknown: () => void
}

/**
 * @since 0.1.0
 * @category recorder
 */
export interface Recorder {
  readonly call: (operation: Pick<Operation, "client" | "key" | "name" | "input">) => Call
  /** All calls so far, in their order; those that were not answered yet are of unknown outcome. */
  readonly history: () => History
}

/**
 * What the recorder adds, in milliseconds, to tell the second of two events of one instant from the first.
 */
const TICK = 0.001

/**
 * Writes down what simulated clients do. Events that share an instant of `now` (milliseconds) keep the order in which
 * they were recorded.
 *
 * @since 0.1.0
 * @category recorder
 */
export const recorder = (now: () => number): Recorder => {
  const operations: Array<Operation> = []
  let last = -Infinity
  const instant = (): number => (last = Math.max(now(), last + TICK))
  return {
    call: (called) => {
      const at = operations.length
      operations.push({ ...called, output: null, call: instant(), ret: null, outcome: "unknown" })
      let open = true
      const end = (outcome: Outcome, output: unknown): void => {
        if (!open) return
        open = false
        const ret = outcome === "unknown" ? null : instant()
        operations[at] = { ...operations[at]!, outcome, output, ret }
      }
      return {
        ok: (output) => end("ok", output),
        fail: (reason) => end("failed", reason ?? null),
        unknown: () => end("unknown", null)
      }
    },
    history: () => [...operations]
  }
}

/**
 * A line of a history that can't be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedHistory extends Data.TaggedError("MalformedHistory")<{
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly expected: string
}> {
  override get message(): string {
    return `${this.file}, line ${this.line}: expected ${this.expected}.`
  }
}

/**
 * One operation a line; `file` is what errors name. Empty lines are passed over.
 *
 * @since 0.1.0
 * @category codec
 */
export const parse = (file: string, text: string): Either.Either<History, MalformedHistory> => {
  const operations: Array<Operation> = []
  const lines = text.split("\n")
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim()
    if (line === "") continue
    const operation = parseLine(line)
    if (typeof operation === "string") {
      return Either.left(new MalformedHistory({ file, line: i + 1, expected: operation }))
    }
    operations.push(operation)
  }
  return Either.right(operations)
}

/**
 * The inverse of {@link parse}, as far as inputs and outputs are JSON.
 *
 * @since 0.1.0
 * @category codec
 */
export const format = (history: History): string => history.map((operation) => `${formatLine(operation)}\n`).join("")

const formatLine = ({ call, client, input, key, name, outcome, output, ret }: Operation): string =>
  JSON.stringify({ c: client, k: key, f: name, in: input ?? null, out: output ?? null, call, ret, ok: okOf(outcome) })

const okOf = (outcome: Outcome): boolean | null => (outcome === "unknown" ? null : outcome === "ok")

/** The operation, or what was expected in its place. */
const parseLine = (line: string): Operation | string => {
  const fields = parseObject(line)
  if (fields === undefined) return "an operation as a JSON object"
  const { c, call, f, in: input = null, k, ok, out = null, ret } = fields
  if (typeof c !== "number" && typeof c !== "string") return 'the client as a number or a string in "c"'
  if (typeof k !== "string") return 'the key as a string in "k"'
  if (typeof f !== "string") return 'the name of the operation as a string in "f"'
  if (!isTime(call)) return 'the time of the call as a number in "call"'
  if (ret !== null && !isTime(ret)) return 'the time of the return as a number, or null, in "ret"'
  if (ok !== true && ok !== false && ok !== null) return 'true, false or null in "ok"'
  if (ok !== null && ret === null) return 'a time in "ret", since "ok" says that the outcome is known'
  if (ret !== null && ret < call) return '"ret" not before "call"'
  const asked = { client: c, key: k, name: f, input, output: out, call }
  // A client that gave up at some time knows nothing about what comes after it.
  return ok === null ? { ...asked, ret: null, outcome: "unknown" } : { ...asked, ret, outcome: ok ? "ok" : "failed" }
}

const parseObject = (line: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)
