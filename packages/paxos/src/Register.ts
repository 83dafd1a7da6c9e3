/**
 * Registers: values that are written once, each under a key, decided by Paxos without a leader (Lamport, *Paxos Made Simple*,
 * 2001, section 2; Howard and Mortier, *A Generalised Solution to Distributed Consensus*, 2019).
 *
 * ```
 *   propose, read                Prepare, Accept, Decided, Inspect
 * ──────────────► ┌──────────┐ ─────────────────────────────────────► ┌──────────┐
 *                 │ proposer │                                        │ acceptor │ ── Persist ──► store
 * ◄────────────── └──────────┘ ◄───────────────────────────────────── └──────────┘
 *  Decided, Nothing             Promise, Accepted, Rejected, Decided, Held
 * ```
 *
 * Each register is an instance of its own, with its own ballots. Anybody may propose, at any time, and several at once: what one
 * of them has had decided the others find and pass on.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Ballot } from "./Ballot.js"

/**
 * The longest name of a register, in characters. Names are on every message and in memory.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestKey = 1024

/**
 * The name of a register.
 *
 * @since 0.1.0
 * @category models
 */
export const Key = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(longestKey))

/**
 * What a register holds: bytes that the protocol does not look into.
 *
 * @since 0.1.0
 * @category models
 */
export const Value = Schema.Uint8ArrayFromSelf

/**
 * @since 0.1.0
 * @category models
 */
export type Value = typeof Value.Type

/**
 * A value, and the ballot at which it was accepted: what is written into a cell of the state table.
 *
 * @since 0.1.0
 * @category models
 */
export const Cell = Schema.Struct({ ballot: Ballot, value: Value })

/**
 * @since 0.1.0
 * @category models
 */
export type Cell = typeof Cell.Type

/**
 * By content.
 *
 * @since 0.1.0
 * @category comparing
 */
export const equals = (a: Value, b: Value): boolean => {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
