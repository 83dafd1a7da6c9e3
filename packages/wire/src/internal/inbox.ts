import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"

/**
 * The messages that came on one connection and wait to be handed over: one by one, in the order they came, by one fiber
 * for as many as there are.
 *
 * @internal
 */
export interface Inbox<A> {
  /** The size of all that waits here, in bytes of their frames. */
  readonly bytes: () => number
  readonly push: (message: A, bytes: number) => void
  /** Begins to hand over what waits, unless that is going on. */
  readonly drain: () => void
  /** Forgets what waits here. */
  readonly clear: () => void
}

// A connection that is never quite empty must not keep all that it ever received.
const compactAfter = 1024

/** @internal */
export const make = <A>(options: {
  readonly handle: (message: A) => Effect.Effect<void>
  /** `handle` died of a message; the rest still waits. */
  readonly onFailure: (cause: Cause.Cause<never>) => Effect.Effect<void>
  /** Runs the fiber that hands over. */
  readonly run: (effect: Effect.Effect<void>) => void
}): Inbox<A> => {
  let messages: Array<A> = []
  let sizes: Array<number> = []
  let next = 0
  let bytes = 0
  let draining = false

  const clear = (): void => {
    messages = []
    sizes = []
    next = 0
    bytes = 0
  }

  const drain = (): void => {
    if (draining || next === messages.length) return
    draining = true
    options.run(handOver)
  }

  const handOver = Effect.catchAllCause(
    Effect.whileLoop({
      while: () => {
        if (next < messages.length) return true
        clear()
        // Here and not after the loop: a message that comes between the two would be left lying.
        draining = false
        return false
      },
      body: () => {
        const message = messages[next]!
        bytes -= sizes[next]!
        next++
        if (next === compactAfter) {
          messages = messages.slice(next)
          sizes = sizes.slice(next)
          next = 0
        }
        return options.handle(message)
      },
      step: constVoid
    }),
    (cause) =>
      Effect.zipRight(
        options.onFailure(cause),
        Effect.sync(() => {
          draining = false
          drain()
        })
      )
  )

  return {
    bytes: () => bytes,
    push: (message, size) => {
      messages.push(message)
      sizes.push(size)
      bytes += size
    },
    drain,
    clear
  }
}
