/**
 * What a typed client calls through: bytes out, bytes back. Deployments provide one for each machine.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Consistency } from "./Consistency.js"
import type * as Feed from "./Feed.js"
import type { OutcomeUnknown, Overloaded, SessionExpired, Token, Unavailable } from "./Outcome.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Caller {
  /**
   * Has a command applied once, by consensus, and gives the bytes of its {@link "./Answer"}. `note` is told the token before
   * the command is first sent; then its answer is kept for {@link Caller.resolve} if the call is interrupted.
   */
  readonly submit: (
    command: Uint8Array,
    note?: (token: Token) => void
  ) => Effect.Effect<Uint8Array, Unavailable | OutcomeUnknown | SessionExpired | Overloaded>
  /**
   * What became of a command, as the bytes of its {@link "./Answer"}. A command that was not applied by then never will be:
   * its answer is `Withdrawn`.
   */
  readonly resolve: (token: Token) => Effect.Effect<Uint8Array, OutcomeUnknown | SessionExpired | Overloaded>
  /** Has a query answered from a state that is as fresh as asked, and gives the bytes of its {@link "./Answer"}. */
  readonly query: (query: Uint8Array, consistency: Consistency) => Effect.Effect<Uint8Array, Unavailable | Overloaded>
  /**
   * What is applied after a position, or from now on: the commands, or the answers to a query after each slot at which they
   * changed. One that is told no position begins with the answer now.
   */
  readonly follow: (options: {
    readonly query?: Uint8Array | undefined
    readonly after?: Feed.Position | undefined
  }) => Stream.Stream<Feed.Record, Feed.Failure>
  /** The highest slot that an answer to this caller has shown the effect of; 0 before the first. */
  readonly seen: Effect.Effect<number>
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
