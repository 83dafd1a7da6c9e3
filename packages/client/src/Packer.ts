/**
 * Packs calls that are made at the same time into one request, and takes the next ones along while that is under way:
 * load makes the batches, nothing waits for a timer.
 *
 * @since 0.1.0
 */
import type { Outcome } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"

/**
 * One call that waits for its answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call<E> extends Extras {
  readonly bytes: Uint8Array
  /** When the call gives up, in milliseconds since 1970. */
  readonly deadline: number
  /** Ends the call; does nothing when its caller is gone. */
  readonly end: (outcome: Effect.Effect<Uint8Array, E>) => void
  /** Its caller was interrupted. */
  readonly isGone: () => boolean
}

/**
 * What a call may carry along.
 *
 * @since 0.1.0
 * @category models
 */
export interface Extras {
  /** Called with the token of a command before it is sent. */
  readonly note?: ((token: Outcome.Token) => void) | undefined
  /** The slot that a query must see. */
  readonly slot?: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Packer<E> {
  /**
   * Makes a call; an interruption withdraws it if it still waits, and leaves it under way otherwise. When the scope of the
   * packer closes, calls that have no answer are interrupted.
   */
  readonly call: (bytes: Uint8Array, extras?: Extras) => Effect.Effect<Uint8Array, E>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = <E>(options: {
  /** Requests under way at once. */
  readonly requests: number
  /** Calls and bytes of one request. */
  readonly calls: number
  readonly bytes: number
  /** Calls that may wait. */
  readonly waiting: number
  /** How long a call may take, in milliseconds. */
  readonly deadline: number
  /** The outcome of a call that may not even wait. */
  readonly overloaded: () => E
  /** Carries one request and ends all of its calls. */
  readonly send: (calls: ReadonlyArray<Call<E>>) => Effect.Effect<void>
}): Effect.Effect<Packer<E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = yield* FiberSet.makeRuntime()
    const waiting = new Set<Call<E>>()
    let closed = false
    /** Requests under way. */
    let requests = 0
    /** One is about to leave. */
    let leaving = false

    const take = (): ReadonlyArray<Call<E>> => {
      const calls: Array<Call<E>> = []
      let bytes = 0
      for (const call of waiting) {
        bytes += call.bytes.length
        const [first] = calls
        if (first !== undefined) {
          if (bytes > options.bytes || calls.length === options.calls) break
          // A request ends with the first of its calls, which may have waited long: it must not take the others along.
          if (call.deadline - first.deadline > options.deadline * lostTime) break
        }
        calls.push(call)
        waiting.delete(call)
      }
      return calls
    }

    /** Has the next request leave, if something waits and one more may be under way. Whatever becomes of it, its calls end. */
    const leave = (): void => {
      if (leaving || closed || waiting.size === 0 || requests === options.requests) return
      leaving = true
      requests++
      let calls: ReadonlyArray<Call<E>> = []
      const request = Effect.flatMap(
        // Whoever calls in the same turn comes along.
        Effect.yieldNow(),
        () => {
          leaving = false
          calls = take()
          leave()
          return calls.length === 0 ? Effect.void : options.send(calls)
        }
      )
      runFork(request).addObserver((exit) => {
        requests--
        if (exit._tag === "Failure") {
          // Interrupted before it left: the scope closes, and nothing leaves any more.
          if (calls.length === 0) return
          for (const { end } of calls) end(Effect.failCause(exit.cause))
        }
        leave()
      })
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
        for (const { end } of waiting) end(Effect.interrupt)
        waiting.clear()
      })
    )

    return {
      call: (bytes, extras) =>
        Effect.clockWith((clock) =>
          Effect.async((resume) => {
            if (closed) return resume(Effect.interrupt)
            if (waiting.size >= options.waiting) return resume(Effect.fail(options.overloaded()))
            const deadline = clock.unsafeCurrentTimeMillis() + options.deadline
            let gone = false
            const call: Call<E> = { ...extras, bytes, deadline, end: resume, isGone: () => gone }
            waiting.add(call)
            leave()
            return Effect.sync(() => {
              gone = true
              waiting.delete(call)
            })
          })
        )
    }
  })

/** The share of its time that a call may lose to those it travels with. */
const lostTime = 0.1
