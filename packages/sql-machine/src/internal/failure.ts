/**
 * What SQLite throws, told apart: what the statement did wrong, which is the same on all replicas, and what is wrong here.
 */
import * as Predicate from "effect/Predicate"
import { Busy } from "../SqlStore.js"
import { Refused } from "./rules.js"

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : ""

const here = /^SQLITE_(FULL|IOERR|NOMEM|BUSY|LOCKED|CANTOPEN|READONLY|PROTOCOL|CORRUPT|NOTADB)/

/** It comes from this replica's disk or memory, and another one would not have it. */
export const isHere = (cause: unknown): boolean => here.test(codeOf(cause))

/** It may go by, as a full disk does. What is damaged stays so. */
export const isPassing = (cause: unknown): boolean => cause instanceof Busy || passing.test(codeOf(cause))

const passing = /^(SQLITE_(FULL|IOERR|NOMEM|BUSY|LOCKED|READONLY|PROTOCOL)|E(NOSPC|DQUOT|IO|MFILE|NFILE|AGAIN|ROFS)$)/

/** In words, for the person who runs the replica. */
export const tell = (cause: unknown): string => {
  const code = codeOf(cause)
  if (code === "SQLITE_FULL" || code === "ENOSPC") return "the disk is full"
  if (code.startsWith("SQLITE_IOERR")) return `the disk reports an I/O error (${code})`
  return cause instanceof Error ? cause.message : String(cause)
}

/** In the words of every replica: SQLite's codes are the same in all its versions, its messages are not. */
export const words = (cause: unknown): string => {
  if (cause instanceof Refused) return cause.message
  return codeOf(cause) || (cause instanceof Error ? cause.name : "an unknown error")
}
