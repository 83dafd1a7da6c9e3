/**
 * What a typed client calls through: bytes out, bytes back. Deployments provide one for each machine.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Consistency } from "./Consistency.js"
import type { OutcomeUnknown, Overloaded, Unavailable } from "./Outcome.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Caller {
  /** Has a command applied once, by consensus, and gives the bytes of its {@link "./Answer"}. */
  readonly submit: (command: Uint8Array) => Effect.Effect<Uint8Array, Unavailable | OutcomeUnknown | Overloaded>
  /** Has a query answered from a state that is as fresh as asked, and gives the bytes of its {@link "./Answer"}. */
  readonly query: (query: Uint8Array, consistency: Consistency) => Effect.Effect<Uint8Array, Unavailable | Overloaded>
}

/**
 * The caller of the machine `Name`, in the requirements of an effect or layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Id<in out Name extends string> {
  readonly _: "@synod/state-machine/Caller"
  readonly name: (_: Name) => Name
}

/**
 * The tag of the caller of a machine.
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Name extends string>(name: Name): Context.Tag<Id<Name>, Caller> =>
  Context.GenericTag<Id<Name>, Caller>(`@synod/state-machine/Caller/${name}`)
