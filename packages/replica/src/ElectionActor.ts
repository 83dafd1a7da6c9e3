/**
 * The election as an actor: asks its neighbours once a round, and tells the proposer when it is its turn.
 *
 * @since 0.1.0
 */
import { Election } from "@synod/paxos"
import type { Ballot, Message, NodeId, Quorum } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Actor from "./Actor.js"
import { isAhead, Peers, type Sent } from "./Peers.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  | Exclude<Election.Input, { readonly _tag: "Heartbeat" }>
  | {
      readonly _tag: "Heartbeat"
      readonly message: Message.Heartbeat
      readonly reply: (message: Message.HeartbeatReply) => void
    }

/**
 * @since 0.1.0
 * @category models
 */
export interface ElectionActor extends Actor.Actor<Input, Election.State> {
  /**
   * Waits until every peer that was asked has answered, can't, or has been silent for too long. Those that were silent the last
   * time are not waited for: a partition would make every round as long as silence is.
   */
  readonly heard: Effect.Effect<void>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** The epoch that it belongs to, and who decides in it. */
  readonly epoch: number
  readonly quorums: Quorum.QuorumSystem
  /** What the own acceptor has promised. */
  readonly promised: Ballot.Ballot
  /** The own proposer should lead. */
  readonly campaign: (campaign: Extract<Election.Action, { readonly _tag: "Campaign" }>) => void
  /** The own proposer should give up its attempt to lead. */
  readonly withdraw: () => void
  /** The own proposer, which leads, should hand over to this node. */
  readonly handOver: (to: NodeId.NodeId) => void
  /** Somebody claims this ballot, the highest known. */
  readonly follow: (ballot: Ballot.Ballot) => void
  /** That node is in a later epoch. */
  readonly behind: (node: NodeId.NodeId) => void
}): Effect.Effect<ElectionActor, never, Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const peers = yield* Peers
    const config = yield* ReplicaConfig
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const priority = (node: NodeId.NodeId) => config.priorities[node] ?? 0
    const core: Election.Options = { self: peers.self, quorums: options.quorums, priority }
    const sent: Sent = { from: peers.self, epoch: options.epoch }
    const others = options.quorums.members.filter((node) => node !== peers.self)
    /** Peers that have not answered yet: they are asked again when they have, or can't. */
    const asking = new Set<NodeId.NodeId>()
    /** Those that answered the last time. */
    const audible = new Set(others)
    const isOver = () => others.every((node) => !asking.has(node) || !audible.has(node))
    const heard = Effect.unsafeMakeLatch(true)
    const silence = Duration.times(Duration.decode(config.heartbeat), config.silence)

    const ask = (message: Message.Heartbeat): void => {
      for (const node of others) {
        if (asking.has(node)) continue
        asking.add(node)
        const fiber = runFork(Effect.timeout(peers.peer(node).heartbeat(sent, message), silence), { scope })
        fiber.addObserver((exit) => {
          asking.delete(node)
          if (exit._tag === "Success") {
            audible.add(node)
            actor.tell({ _tag: "HeartbeatReply", message: exit.value })
          } else {
            audible.delete(node)
            if (isAhead(exit.cause, options.epoch)) options.behind(node)
          }
          if (isOver()) heard.unsafeOpen()
        })
      }
      if (!isOver()) heard.unsafeClose()
    }

    const actor = yield* Actor.make<Election.State, Input, Election.Action>({
      name: "election",
      initial: Election.initial(options.promised),
      mailbox: config.mailbox,
      step: (state, input) => Election.step(state, input, core),
      send: (asked) => {
        for (const { action, input } of asked) {
          switch (action._tag) {
            case "Ask":
              ask(action.message)
              break
            case "Reply":
              if (input._tag === "Heartbeat") input.reply(action.message)
              break
            case "Campaign":
              options.campaign(action)
              break
            case "Withdraw":
              options.withdraw()
              break
            case "HandOver":
              options.handOver(action.to)
              break
            case "Follow":
              options.follow(action.ballot)
              break
          }
        }
        return undefined
      }
    })
    return { ...actor, heard: heard.await }
  })
