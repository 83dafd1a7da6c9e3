/**
 * The turn of the event loop, where it matters: a SQLite commit blocks the loop, so a leader lets its Accept messages leave
 * the socket before its own acceptor commits.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * An effect that ends once what was written to sockets in this turn has been handed to the system. A simulated world
 * provides its own.
 *
 * @since 0.1.0
 * @category tags
 */
export class EventLoop extends Context.Reference<EventLoop>()("@synod/replica/EventLoop", {
  defaultValue: (): { readonly turn: Effect.Effect<void> } => ({
    turn: Effect.async<void>((resume) => {
      const immediate = setImmediate(() => resume(Effect.void))
      return Effect.sync(() => clearImmediate(immediate))
    })
  })
}) {}
