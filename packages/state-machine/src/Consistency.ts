/**
 * How fresh the answer to a query must be. Queries are linearizable unless the caller asks for less.
 *
 * ```ts
 * bank.Balance({ account })                                  // linearizable
 * bank.Balance({ account }).pipe(Consistency.leased)         // the same, if clocks are as good as the replicas were told
 * bank.Balance({ account }).pipe(Consistency.readYourWrites) // at least as new as all that this client was told
 * bank.Balance({ account }).pipe(Consistency.atLeast(slot))  // at least as new as that slot of the log
 * bank.Balance({ account }).pipe(Consistency.stale)          // what the nearest replica has applied
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * - `linearizable`: reflects every command that was answered, to anyone, before the query began.
 * - `leased`: the same, as long as no replica's clock drifts more than its configuration says; then the leader needs to ask
 *   nobody. Where leases are off, or the leader has none, the answer is confirmed as a linearizable one is.
 * - `readYourWrites`: reflects every command and query that was answered to this client before the query began. The
 *   nearest replica answers, as soon as it has applied that much; no leader is asked.
 * - `atLeast`: reflects the log through that slot, which another client may have named (`client.seen`).
 * - `stale`: some earlier state, as one replica has it at hand; costs no message.
 *
 * @since 0.1.0
 * @category models
 */
export type Consistency = Asked | "readYourWrites"

/**
 * What a replica is asked for: the client itself knows what it was told.
 *
 * @since 0.1.0
 * @category models
 */
export type Asked = "linearizable" | "leased" | { readonly atLeast: number } | "stale"

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
 * Queries inside see every command that was answered before they began, as long as no replica's clock drifts more than it may.
 *
 * @since 0.1.0
 * @category combinators
 */
export const leased: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  Current,
  "leased"
)

/**
 * Queries inside see all that this client was told before they began: its own commands, and whatever its queries showed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const readYourWrites: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  Current,
  "readYourWrites"
)

/**
 * Queries inside see the log through this slot, and wait for a replica that has applied it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const atLeast = (slot: number): (<A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  Effect.provideService(Current, { atLeast: slot })

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
