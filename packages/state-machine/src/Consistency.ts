/**
 * How fresh the answer to a query must be. Queries are linearizable unless the caller asks for less.
 *
 * ```ts
 * bank.Balance({ account })                          // linearizable
 * bank.Balance({ account }).pipe(Consistency.stale)  // what the nearest replica has applied
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * - `linearizable`: reflects every command that was answered, to anyone, before the query began.
 * - `stale`: some earlier state, as one replica has it at hand; costs no message.
 *
 * @since 0.1.0
 * @category models
 */
export type Consistency = "linearizable" | "stale"

/**
 * What queries ask for where nothing nearer says otherwise. Provide it to change the default of a whole program.
 *
 * @since 0.1.0
 * @category references
 */
export class Current extends Context.Reference<Current>()("@synod/state-machine/Consistency", {
  defaultValue: (): Consistency => "linearizable"
}) {}

/**
 * Queries inside see every command that was answered before they began.
 *
 * @since 0.1.0
 * @category combinators
 */
export const linearizable: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  Current,
  "linearizable"
)

/**
 * Queries inside are answered from what one replica has applied so far.
 *
 * @since 0.1.0
 * @category combinators
 */
export const stale: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  Current,
  "stale"
)
