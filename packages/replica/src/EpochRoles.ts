/**
 * What of a replica belongs to one epoch: its proposer, its election, and the timers of both. Acceptor, learner and machine go through
 * all epochs; these two end with theirs, and begin anew in the next.
 *
 * ```
 *   acceptor ── Enter(epoch 2) ──► roles of epoch 1 retire: they say nothing more, and send on whoever waits
 *                                  roles of epoch 2 begin: its voters, learners and quorums, no ballot heard of yet
 * ```
 *
 * A node without a vote has them too: its election hears who leads, and its proposer never tries to.
 *
 * @since 0.1.0
 */
import { Ballot, Epoch, Membership, QuorumSystem } from "@synod/paxos"
import type { NodeId, Quorum } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type * as AcceptorActor from "./AcceptorActor.js"
import type * as Actor from "./Actor.js"
import * as ElectionActor from "./ElectionActor.js"
import type { Outcomes } from "./Outcomes.js"
import { Peers } from "./Peers.js"
import * as ProposerActor from "./ProposerActor.js"
import { ReplicaConfig } from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface EpochRoles {
  readonly epoch: Epoch.Epoch
  readonly proposer: ProposerActor.ProposerActor
  readonly election: ElectionActor.ElectionActor
  /** Whom it follows, as long as it hears of it: to send clients to one that is gone would only cost them time. */
  readonly leader: () => NodeId.NodeId | undefined
}

/**
 * The roles of an epoch, which run until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  epoch: Epoch.Epoch,
  options: {
    /** What the own acceptor has promised in it. */
    readonly promised: Ballot.Ballot
    /** The node that led the epoch before, if it ended here: whoever goes first needs no election. */
    readonly led: number | undefined
    readonly outcomes: Outcomes
    readonly requests: Requests
    readonly acceptor: (request: AcceptorActor.Request) => void
    /** Why this replica could not lead now. */
    readonly trouble: () => string | undefined
    /** That node is in a later epoch. */
    readonly behind: (node: NodeId.NodeId) => void
    /** Whoever has no vote asks others what is chosen, once a heartbeat. */
    readonly poll: () => void
    readonly run: (actor: Actor.Actor<never, unknown>) => Effect.Effect<void>
  }
): Effect.Effect<EpochRoles, Quorum.QuorumsMiss | Quorum.QuorumsUnusable, Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const { self } = yield* Peers
    const config = yield* ReplicaConfig
    const { behind, outcomes, promised, requests } = options
    const { membership, number } = epoch
    const quorums = membership.voters.length === 0 ? QuorumSystem.nobody : yield* Membership.make(membership)
    const isVoter = membership.voters.includes(self)

    const leader = (): NodeId.NodeId | undefined => {
      const { happy, leader } = election.state()
      return happy && leader.node !== 0 ? leader.node : undefined
    }
    const proposer: ProposerActor.ProposerActor = yield* ProposerActor.make({
      ...{ epoch, quorums, promised, outcomes, requests, leader, behind },
      acceptor: options.acceptor,
      claim: (claim) => election.tell({ _tag: "Claim", ...claim }),
      observe: (ballot) => election.tell({ _tag: "Observe", ballot })
    })
    const election: ElectionActor.ElectionActor = yield* ElectionActor.make({
      ...{ epoch: number, quorums, promised, behind },
      // Who has no vote, or can't vote, or apply, can't lead.
      campaign: (campaign) => {
        if (isVoter && options.trouble() === undefined) proposer.tell(campaign)
      },
      withdraw: () => proposer.tell({ _tag: "Withdraw" }),
      handOver: proposer.prefer,
      follow: (ballot) => proposer.tell({ _tag: "Observe", ballot })
    })
    yield* Effect.forkScoped(options.run(proposer))
    yield* Effect.forkScoped(options.run(election))

    const pause = Effect.flatMap(Random.next, (random) =>
      Effect.sleep(Duration.times(Duration.decode(config.heartbeat), 1 + config.jitter * (random - 0.5)))
    )
    const resend = Effect.sync(() => proposer.tell({ _tag: "Tick" })).pipe(Effect.zipRight(pause))
    const tick = (): void => {
      election.tell({ _tag: "Tick" })
      if (!isVoter) options.poll()
    }
    // On a busy machine answers are late, and some lie in the sockets when the pause is over: late isn't silent.
    const round = Effect.sync(tick).pipe(Effect.zipRight(pause), Effect.zipRight(election.heard))
    yield* Effect.forkScoped(Effect.forever(resend))
    yield* Effect.forkScoped(Effect.forever(round))

    if (options.led !== undefined && Epoch.begins(epoch, self, options.led) && options.trouble() === undefined) {
      proposer.tell({ _tag: "Campaign", above: Ballot.zero })
    }
    return { epoch, proposer, election, leader }
  })
