/**
 * The registers of a cluster, for whoever proposes and reads: a member, or a client with the proposer embedded. There is no leader to
 * be found or lost.
 *
 * ```
 *   propose ──► RegisterProposer ── Prepare, Accept, Inspect, Decided ──► every acceptor
 *           ◄── Decision ──────────◄─ answers, or none within `patience`
 * ```
 *
 * @since 0.1.0
 */
import { NodeId, RegisterProposer, Register as Registered, StateTable } from "@synod/paxos"
import type { QuorumSystem, RegisterMessage } from "@synod/paxos"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Peer } from "./Peer.js"
import * as Reachable from "./Reachable.js"
import { RegisterConfig } from "./RegisterConfig.js"
import { OutcomeUnknown, Overloaded, TooLarge, Unavailable } from "./RegisterError.js"

/**
 * What a register holds for ever.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decision<A> {
  readonly value: A
  /** It is the value that was proposed, whether by this request or by another one with the same value. */
  readonly mine: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Has a value decided, this one if there is no other yet, and answers with what is. The same proposal again does no harm. */
  readonly propose: (
    key: string,
    value: Uint8Array
  ) => Effect.Effect<Decision<Uint8Array>, Unavailable | OutcomeUnknown | Overloaded | TooLarge>
  /**
   * What is decided, if anything is. Linearizable: once it was decided, or read, every later read finds it. A value that was begun
   * and whose proposer is gone is decided by whoever reads it.
   */
  readonly read: (key: string) => Effect.Effect<Option.Option<Uint8Array>, Unavailable | Overloaded | TooLarge>
  /** What the acceptors that can be reached hold of a register, as they say. Moves nothing. */
  readonly stateTable: (key: string) => Effect.Effect<StateTable.StateTable, Unavailable | TooLarge>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Registers extends Context.Tag("@synod/register/Registers")<Registers, Service>() {}

/**
 * The node that clients make ballots as, unless told otherwise. They may share it: acceptors tell requests apart.
 *
 * @since 0.1.0
 * @category constants
 */
export const client: NodeId.NodeId = NodeId.make(65_535)

/** Lives are drawn from so many: all whole numbers that are exact. */
const lives = 2 ** 53

/**
 * A proposer for these peers, until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** The member, or {@link client}. */
  readonly self: NodeId.NodeId
  readonly quorums: QuorumSystem.QuorumSystem
  readonly peers: ReadonlyMap<NodeId.NodeId, Peer>
}): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { peers, quorums, self } = options
    const config = yield* RegisterConfig
    const clock = yield* Effect.clock
    const fork = yield* FiberSet.makeRuntime<never, void, never>()
    const pauses = { first: Duration.toMillis(config.firstPause), longest: Duration.toMillis(config.longestPause) }
    const reachable = Reachable.make({
      members: quorums.members,
      now: () => clock.unsafeCurrentTimeMillis(),
      suspicion: Duration.toMillis(config.suspicion)
    })
    let underWay = 0

    /** The answer, or nothing if there is none in time. */
    const ask = (node: NodeId.NodeId, message: RegisterMessage.ToAcceptor) =>
      Effect.map(Effect.option(Effect.timeout(peers.get(node)!(message), config.patience)), (answer) => {
        if (answer._tag === "Some") reachable.heard(node)
        else reachable.missed(node)
        return answer
      })

    /** Steps through a request until it is finished, or nobody waits for it any more. */
    const request = (key: string, value: Uint8Array | null, roll: number) => {
      const core = { self, quorums, life: Math.floor(roll * lives) }
      const finished = Deferred.unsafeMake<Registered.Cell | null>(FiberId.none)
      let state = RegisterProposer.make(key, value)
      let abandoned = false

      const take = (input: RegisterProposer.Input): void => {
        if (abandoned) return
        const step = RegisterProposer.step(state, input, core)
        state = step.state
        for (const action of step.actions) {
          switch (action._tag) {
            case "Send":
              fork(send(action.to, action.message))
              break
            case "BackOff":
              fork(again(action.failures))
              break
            case "Finish":
              Deferred.unsafeDone(finished, Exit.succeed(action.decided))
          }
        }
      }
      const send = (to: NodeId.NodeId, message: RegisterMessage.ToAcceptor) =>
        Effect.map(ask(to, message), (answer) =>
          answer._tag === "Some"
            ? take({ _tag: "Receive", from: to, message: answer.value })
            : take({ _tag: "Unanswered", from: to, message, reachable: reachable.nodes() })
        )
      const begin = Effect.sync(() => take({ _tag: "Begin", reachable: reachable.nodes() }))
      const again = (failures: number) =>
        Effect.flatMap(Random.next, (roll) => Effect.delay(begin, RegisterProposer.pause(failures, pauses, roll)))

      const late = Effect.suspend((): Effect.Effect<never, OutcomeUnknown | Unavailable> => {
        if (state.offered) return new OutcomeUnknown({ key })
        return new Unavailable({
          key,
          reason: `${describe(quorums, reachable.nodes())}, ${state.failures} attempts in vain`
        })
      })
      return begin.pipe(
        Effect.zipRight(Deferred.await(finished)),
        Effect.timeoutOption(config.deadline),
        // What is under way when nobody waits any more is not followed up.
        Effect.onInterrupt(() => Effect.sync(() => (abandoned = true))),
        Effect.flatMap(
          Option.match({
            onSome: Effect.succeed,
            onNone: () => {
              abandoned = true
              return late
            }
          })
        )
      )
    }

    const bounded = <A, E>(key: string, value: Uint8Array | null, effect: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | Overloaded | TooLarge> => {
        const refused = tooLarge(key, value)
        if (refused !== undefined) return refused
        if (underWay >= config.requests) return new Overloaded({ limit: config.requests })
        underWay++
        return Effect.ensuring(
          effect,
          Effect.sync(() => underWay--)
        )
      })

    const tooLarge = (key: string, value: Uint8Array | null): TooLarge | undefined => {
      if (key.length < 1 || key.length > config.key) {
        return new TooLarge({ what: "key", size: key.length, limit: config.key })
      }
      if (value === null || value.length <= config.value) return undefined
      return new TooLarge({ what: "value", size: value.length, limit: config.value })
    }

    const propose = Effect.fn("Registers.propose")((key: string, value: Uint8Array) =>
      bounded(
        key,
        value,
        Effect.flatMap(Random.next, (roll) => request(key, value, roll)).pipe(
          Effect.map((decided) => ({ value: decided!.value, mine: Registered.equals(decided!.value, value) }))
        )
      )
    )

    const read = Effect.fn("Registers.read")((key: string) =>
      bounded(
        key,
        null,
        Effect.flatMap(Random.next, (roll) => request(key, null, roll)).pipe(
          // A read offers nothing of its own, so that nothing can be unknown about it.
          Effect.catchTag("OutcomeUnknown", Effect.die),
          Effect.map((decided) => Option.map(Option.fromNullable(decided), ({ value }) => value))
        )
      )
    )

    const stateTable = Effect.fn("Registers.stateTable")(function* (key: string) {
      const refused = tooLarge(key, null)
      if (refused !== undefined) return yield* refused
      const held = new Map<NodeId.NodeId, RegisterMessage.Held>()
      yield* Effect.forEach(
        quorums.members,
        (node) =>
          Effect.map(ask(node, { _tag: "Inspect", key }), (answer) => {
            if (answer._tag === "Some" && answer.value._tag === "Held") held.set(node, answer.value)
          }),
        { concurrency: "unbounded", discard: true }
      )
      if (held.size === 0) return yield* new Unavailable({ key, reason: "no acceptor answers" })
      return StateTable.make(key, quorums, held)
    })

    return Registers.of({ propose, read, stateTable })
  })

const describe = ({ members }: QuorumSystem.QuorumSystem, nodes: ReadonlySet<NodeId.NodeId>): string => {
  const missing = members.filter((node) => !nodes.has(node))
  return missing.length === 0 ? "all members answer" : `no answer of node ${missing.join(", ")}`
}
