/**
 * What others wait for from this replica. When it stops, all of it fails, so that nobody waits for a replica that is gone.
 *
 * @since 0.1.0
 */
import { Endpoint } from "@synod/client"
import type { NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface Requests {
  /**
   * Makes a request, and waits until it is answered, once. `register` may give back how to withdraw it. The failure is that
   * of a request which may have been begun.
   */
  readonly ask: <A, E = never>(
    register: (answer: (outcome: Effect.Effect<A, E>) => void) => (() => void) | void
  ) => Effect.Effect<A, E | Endpoint.Unreachable>
  /** Fails all requests, and those to come. */
  readonly close: () => void
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (node: NodeId.NodeId): Requests => {
  const waiting = new Set<() => void>()
  let closed = false
  const gone = (sent: boolean) => Effect.fail(new Endpoint.Unreachable({ reason: `node ${node} has stopped`, sent }))
  return {
    ask: (register) =>
      Effect.async((resume) => {
        if (closed) return resume(gone(false))
        const fail = () => resume(gone(true))
        waiting.add(fail)
        const withdraw = register((outcome) => {
          waiting.delete(fail)
          resume(outcome)
        })
        return Effect.sync(() => {
          waiting.delete(fail)
          withdraw?.()
        })
      }),
    close: () => {
      closed = true
      for (const fail of waiting) fail()
      waiting.clear()
    }
  }
}
