/**
 * Carries one request to whichever replica leads, again and again, until it is answered or its time is up. Sending a
 * request twice is always safe: queries change nothing, and envelopes are applied once.
 *
 * @since 0.1.0
 */
import type { Consistency, Outcome } from "@synod/state-machine"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClientConfig } from "./ClientConfig.js"
import type * as ClientRpcs from "./ClientRpcs.js"
import { type Endpoint, Unreachable } from "./Endpoint.js"
import * as Timeouts from "./Timeouts.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Failed {
  readonly _tag: "Failed"
  /** A replica may have the request and decide it yet. When not, it was certainly not applied. */
  readonly unsure: boolean
  /** A sentence about the last attempt. */
  readonly reason: string
  /** The leader refused it for lack of room. */
  readonly overloaded: Outcome.Overloaded | undefined
  /** The leader refused it for one of its commands. */
  readonly unfit?: ClientRpcs.Unfit
}

/**
 * `deadline`s are milliseconds since 1970.
 *
 * @since 0.1.0
 * @category models
 */
export interface Courier {
  readonly submit: (envelope: Uint8Array, deadline: number) => Effect.Effect<Uint8Array, Failed>
  readonly query: (
    queries: ReadonlyArray<Uint8Array>,
    consistency: Consistency.Asked,
    deadline: number
  ) => Effect.Effect<ClientRpcs.Answers, Failed>
  /** Asks what any replica can answer. `target` is asked first, and then names who answered. */
  readonly roam: <A>(
    ask: (endpoint: Endpoint) => Effect.Effect<A, Refusal>,
    deadline: number,
    target: Target
  ) => Effect.Effect<A, Failed>
  /** The replicas, the nearest first. */
  readonly nodes: () => ReadonlyArray<number>
}

/**
 * Who is asked next.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  node: number
}

/**
 * Why one replica did not answer.
 *
 * @since 0.1.0
 * @category models
 */
export type Refusal = ClientRpcs.NotLeader | ClientRpcs.Superseded | ClientRpcs.Unfit | Outcome.Overloaded | Unreachable

/**
 * A courier to these replicas, at least one at any time, by node; the first is the nearest. They may change meanwhile.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  endpoints: ReadonlyMap<number, Endpoint>,
  config: ClientConfig,
  /** There may be other replicas by now. */
  doubt: () => void = () => undefined
): Effect.Effect<Courier, never, Scope.Scope> =>
  Effect.map(Timeouts.make, (timeouts) => {
    const nodes = () => Array.from(endpoints.keys())
    const nearest = () => nodes()[0]!
    const attempt = Duration.toMillis(config.attempt)
    const longest = Duration.toMillis(config.pause)
    /** Who is taken for the leader; all requests move on together when it turns out not to lead. */
    const leader: Target = { node: nearest() }

    const moveOn = (target: Target, from: number, hint: number | undefined): void => {
      if (target.node !== from) return
      const all = nodes()
      target.node =
        hint !== undefined && hint !== from && endpoints.has(hint) ? hint : all[(all.indexOf(from) + 1) % all.length]!
    }

    const carry = <A>(
      ask: (endpoint: Endpoint) => Effect.Effect<A, Refusal>,
      deadline: number,
      target: Target,
      /** What one replica has no room for, another one may have. */
      isForAny = false
    ): Effect.Effect<A, Failed> =>
      Effect.gen(function* () {
        let unsure = false
        let overloaded: Outcome.Overloaded | undefined
        let reason = "no replica was asked"
        let pause = longest / 10
        for (;;) {
          const left = deadline - (yield* Clock.currentTimeMillis)
          if (left <= 0) return yield* Effect.fail<Failed>({ _tag: "Failed", unsure, reason, overloaded })
          if (!endpoints.has(target.node)) target.node = nearest()
          const node = target.node
          const outcome = yield* Effect.either(
            timeouts.within(
              ask(endpoints.get(node)!),
              Math.min(left, attempt),
              () => new Unreachable({ reason: `node ${node} did not answer in time`, sent: true })
            )
          )
          if (outcome._tag === "Right") return outcome.right
          const refusal = outcome.left
          reason = refusal.message
          let hinted = false
          let atLeast = 0
          switch (refusal._tag) {
            case "Unfit":
              return yield* Effect.fail<Failed>({
                _tag: "Failed",
                unsure,
                reason,
                overloaded: undefined,
                unfit: refusal
              })
            case "Overloaded":
              if (isForAny) {
                overloaded = refusal
                moveOn(target, node, undefined)
                break
              }
              if (!unsure) {
                return yield* Effect.fail<Failed>({ _tag: "Failed", unsure, reason, overloaded: refusal })
              }
              atLeast = Duration.toMillis(refusal.retryAfter)
              break
            case "NotLeader":
              hinted = refusal.leader !== undefined && refusal.leader !== node && endpoints.has(refusal.leader)
              if (refusal.leader !== undefined && !endpoints.has(refusal.leader)) doubt()
              moveOn(target, node, refusal.leader)
              break
            case "Superseded":
              unsure = true
              moveOn(target, node, undefined)
              break
            case "Unreachable":
              unsure ||= refusal.sent
              doubt()
              moveOn(target, node, undefined)
              break
          }
          // A hint is followed at once, but hints can lead in a circle: each one makes the next pause longer.
          if (!hinted || pause > longest / 10) {
            yield* Effect.sleep(Math.min(Math.max(pause, atLeast), Math.max(1, left)))
          }
          pause = Math.min(pause * 2, longest)
        }
      })

    return {
      submit: (envelope, deadline) => carry((endpoint) => endpoint.submit(envelope), deadline, leader),
      query: (queries, consistency, deadline) => {
        // Any replica can answer; the nearest one is asked first each time, unless the leader saves the others a question.
        const fresh = consistency === "linearizable" || consistency === "leased"
        const target = fresh && config.reads === "leader" ? leader : { node: nearest() }
        return carry(
          (endpoint) => {
            const { node } = target
            return Effect.tap(endpoint.query(queries, consistency), ({ leader: hint }) => {
              if (target === leader && hint !== undefined) moveOn(target, node, hint)
            })
          },
          deadline,
          target
        )
      },
      roam: (ask, deadline, target) => carry(ask, deadline, target, true),
      nodes
    }
  })
