/**
 * Holds the token of a call that may be interrupted, so that its outcome can be asked for nevertheless.
 *
 * ```ts
 * const ticket = yield* Ticket.make
 * yield* bank.Transfer({ from, to, amount }).pipe(
 *   Ticket.hold(ticket),
 *   Effect.timeout("1 second"),
 *   Effect.catchTag("TimeoutException", () =>
 *     Effect.flatMap(ticket.token, Option.match({
 *       onNone: () => Effect.void, // withdrawn before it was sent: certainly not applied
 *       onSome: bank.resolve
 *     }))
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Token } from "./Outcome.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Ticket {
  /**
   * The token of the last command that was called under the ticket; none as long as it was not sent. When the call was
   * interrupted and there is none, it was not applied and never will be.
   */
  readonly token: Effect.Effect<Option.Option<Token>>
  /** The command is about to be sent under this token. */
  readonly note: (token: Token) => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Ticket> = Effect.sync(() => {
  let noted = Option.none<Token>()
  return {
    token: Effect.sync(() => noted),
    note: (token) => {
      noted = Option.some(token)
    }
  }
})

/**
 * The ticket of the commands called here, if there is one.
 *
 * @since 0.1.0
 * @category references
 */
export class Current extends Context.Reference<Current>()("@synod/state-machine/Ticket", {
  defaultValue: (): Ticket | undefined => undefined
}) {}

/**
 * The command inside leaves its token with the ticket before it is sent, and its answer is kept until it has arrived here
 * or was asked for with `client.resolve`, as long as its session lasts.
 *
 * @since 0.1.0
 * @category combinators
 */
export const hold = (ticket: Ticket): (<A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  Effect.provideService(Current, ticket)
