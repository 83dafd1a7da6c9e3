/**
 * A member: the acceptors of all registers on its store, and a proposer of its own.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as AcceptorActor from "./AcceptorActor.js"
import type { Cluster } from "./Cluster.js"
import type { Peer } from "./Peer.js"
import * as Registers from "./Registers.js"
import type { RegisterStore } from "./RegisterStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Member {
  readonly acceptor: AcceptorActor.AcceptorActor
  readonly registers: Registers.Service
}

/**
 * Runs a member until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly self: NodeId.NodeId
  readonly cluster: Cluster
  readonly others: ReadonlyMap<NodeId.NodeId, Peer>
}): Effect.Effect<Member, never, RegisterStore | Scope.Scope> =>
  Effect.gen(function* () {
    const { cluster, others, self } = options
    const acceptor = yield* AcceptorActor.make
    // Its end is told to whoever asks it.
    yield* Effect.forkScoped(Effect.ignore(acceptor.run))
    const peers = new Map(others).set(self, acceptor.ask)
    const registers = yield* Registers.make({ self, quorums: cluster.quorums, peers })
    return { acceptor, registers }
  })
