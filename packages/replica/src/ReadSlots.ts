/**
 * From which slot on a linearizable or leased read may be answered, asked where it is known: here by the leader, at a follower of the
 * leader. A follower asks for all reads that wait at once, so that they cost the leader one question, and no answers.
 *
 * ```
 *   follower                                leader
 *   reads wait ──── ReadSlot ──────────────► confirms its ballot with an accept quorum
 *              ◄─── slot, or NotLeader ─────
 *   applied through that slot: reads are answered here
 * ```
 *
 * The leader gets the question after the reads came, so the slot holds all that was answered before them. To leased reads a leader
 * whose lease holds answers at once.
 *
 * @since 0.1.0
 */
import { ClientRpcs, Endpoint } from "@synod/client"
import type { NodeId, Slot } from "@synod/paxos"
import type { Outcome } from "@synod/state-machine"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { Requests } from "./Requests.js"

/**
 * A slot to read from, and the node that knew it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadSlot {
  readonly slot: Slot.Slot
  readonly leader: NodeId.NodeId
}

/**
 * How asking for a slot may fail.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = ClientRpcs.NotLeader | Outcome.Overloaded | Endpoint.Unreachable

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly self: NodeId.NodeId
  readonly requests: Requests
  readonly isLeading: () => boolean
  /** The node that leads, as far as the election knows. */
  readonly leader: () => NodeId.NodeId | undefined
  /** The slot, while this node leads: by its lease, or with its ballot confirmed. */
  readonly own: Effect.Effect<Slot.Slot, Failure>
  /** Asks another node. */
  readonly ask: (node: NodeId.NodeId) => Effect.Effect<Slot.Slot, Failure>
  /** How long the leader may take to answer. */
  readonly patience: Duration.DurationInput
}): Effect.Effect<Effect.Effect<ReadSlot, Failure>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { leader, requests, self } = options
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const here = Effect.map(options.own, (slot): ReadSlot => ({ slot, leader: self }))
    let waiting = new Set<(outcome: Effect.Effect<ReadSlot, Failure>) => void>()
    let asking = false

    const question = Effect.suspend((): Effect.Effect<ReadSlot, Failure> => {
      const node = leader()
      if (node === undefined || node === self) return Effect.fail(new ClientRpcs.NotLeader({}))
      return options.ask(node).pipe(
        Effect.timeoutFail({
          duration: options.patience,
          onTimeout: () => new Endpoint.Unreachable({ reason: `node ${node}, which leads, is silent`, sent: true })
        }),
        Effect.map((slot) => ({ slot, leader: node }))
      )
    })

    /** One question at a time: those who come while it is under way may need a later slot. */
    const next = (): void => {
      if (asking || waiting.size === 0) return
      asking = true
      const readers = waiting
      waiting = new Set()
      runFork(question, { scope }).addObserver((outcome) => {
        asking = false
        for (const answer of readers) answer(outcome)
        next()
      })
    }

    return Effect.suspend(() =>
      options.isLeading()
        ? here
        : requests.ask<ReadSlot, Failure>((answer) => {
            waiting.add(answer)
            next()
            return () => void waiting.delete(answer)
          })
    )
  })
