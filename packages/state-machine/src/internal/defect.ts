/**
 * The words for what went wrong in a handler. They become part of the replicated state, so they hold nothing that may
 * differ from replica to replica: no stack trace, and no message of the JavaScript engine's own errors, whose text
 * changes with its version.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type { Unfinished } from "./handlerRuntime.js"

/** Longer messages are cut: an answer is kept until its client has acknowledged it. */
const MAX_MESSAGE = 200

export const unfinished: Record<Unfinished, string> = {
  asynchronous: "its handler went asynchronous: it slept, or waited for a promise, a callback or another fiber",
  endless: "its handler did not end within a million steps"
}

export const ofCause = (cause: Cause.Cause<unknown>): string => {
  const defects = Chunk.toReadonlyArray(Cause.defects(cause))
  return defects.length === 0 ? "its handler interrupted itself" : `its handler died with ${describe(defects[0])}`
}

const ENGINE_ERRORS: ReadonlySet<unknown> = new Set([
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError
])

// A defect is anything at all, also an object whose properties throw.
const describe = (defect: unknown): string => {
  try {
    if (defect instanceof Error) {
      return ENGINE_ERRORS.has(defect.constructor) ? a(defect.name) : `${a(defect.name)}: ${cut(defect.message)}`
    }
    if (typeof defect === "string") return `"${cut(defect)}"`
    if (typeof defect === "object" && defect !== null && "_tag" in defect && typeof defect._tag === "string") {
      return a(cut(defect._tag))
    }
    return defect === null ? "null" : a(typeof defect)
  } catch {
    return "a value that can't be described"
  }
}

const a = (name: string): string => `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`

const cut = (text: string): string => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text)
