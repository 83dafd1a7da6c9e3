/**
 * Registers of a kind: a name, and what their values are.
 *
 * ```ts
 * const Owner = Register.make("owner", { value: Schema.Struct({ name: Schema.String }) })
 *
 * const program = Effect.gen(function* () {
 *   const { mine, value } = yield* Owner.propose("door", { name: "alice" })
 *   return mine ? "the door is mine" : `the door is ${value.name}'s`
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { StateTable } from "@synod/paxos"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type OutcomeUnknown, type Overloaded, type TooLarge, type Unavailable, Unreadable } from "./RegisterError.js"
import { type Decision, Registers } from "./Registers.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Register<A> {
  /** Has a value decided, this one if there is no other yet, and answers with what is decided, and whether it is this one. */
  readonly propose: (
    key: string,
    value: A
  ) => Effect.Effect<
    Decision<A>,
    Unavailable | OutcomeUnknown | Overloaded | TooLarge | Unreadable | ParseResult.ParseError,
    Registers
  >
  /** What is decided, if anything is. */
  readonly read: (
    key: string
  ) => Effect.Effect<Option.Option<A>, Unavailable | Overloaded | TooLarge | Unreadable, Registers>
  /** What acceptors hold of it. */
  readonly stateTable: (key: string) => Effect.Effect<StateTable.StateTable, Unavailable | TooLarge, Registers>
}

/**
 * Registers under `name/key`. Values travel as JSON, so that two that are the same to the schema are the same to acceptors if
 * it writes them alike.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I>(name: string, options: { readonly value: Schema.Schema<A, I> }): Register<A> => {
  const json = Schema.parseJson(options.value)
  const encode = Schema.encode(json)
  const decode = Schema.decode(json)
  const full = (key: string) => `${name}/${key}`
  const read = (key: string, bytes: Uint8Array) =>
    Effect.mapError(
      decode(new TextDecoder().decode(bytes)),
      (error) => new Unreadable({ key: full(key), reason: ParseResult.TreeFormatter.formatErrorSync(error) })
    )
  return {
    propose: (key, value) =>
      Effect.gen(function* () {
        const registers = yield* Registers
        const text = yield* encode(value)
        const decision = yield* registers.propose(full(key), new TextEncoder().encode(text))
        return { value: yield* read(key, decision.value), mine: decision.mine }
      }),
    read: (key) =>
      Effect.gen(function* () {
        const registers = yield* Registers
        const found = yield* registers.read(full(key))
        return Option.isNone(found) ? Option.none() : Option.some(yield* read(key, found.value))
      }),
    stateTable: (key) => Effect.flatMap(Registers, (registers) => registers.stateTable(full(key)))
  }
}
