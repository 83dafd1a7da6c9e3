import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"

/**
 * The messages that came on one connection and wait to be handed over: one by one, in the order they came. One fiber does so
 * for as many as there are, from the first one on that takes an effect.
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
  /** What is still to be done about a message, if anything is. */
  readonly handle: (message: A) => Effect.Effect<void> | undefined
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
    if (handleNext()) options.run(handOver)
  }

  let begun: Effect.Effect<void> = Effect.void

  /** Handles messages up to the first of which something is still to be done. False: that was all of them. */
  const handleNext = (): boolean => {
    while (next < messages.length) {
      const effect = take()
      if (effect === undefined) continue
      begun = effect
      return true
    }
    clear()
    // Here and not when the fiber ends: a message that comes between the two would be left lying.
    draining = false
    return false
  }

  const take = (): Effect.Effect<void> | undefined => {
    const message = messages[next]!
    bytes -= sizes[next]!
    next++
    if (next === compactAfter) {
      messages = messages.slice(next)
      sizes = sizes.slice(next)
      next = 0
    }
    try {
      return options.handle(message)
    } catch (defect) {
      return Effect.die(defect)
    }
  }

  const handOver = Effect.catchAllCause(
    Effect.flatMap(
      Effect.suspend(() => begun),
      () => Effect.whileLoop({ while: handleNext, body: () => begun, step: constVoid })
    ),
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
