/**
 * One replica of a machine: its actors, joined up.
 *
 * ```
 *                clients                         other replicas
 *                   │ Submit, Query                 │ Prepare, Accept, Fetch    │ Heartbeat
 *   ┌───────────────▼───────────────────────────────▼───────────────────────────▼─────────┐
 *   │  gateway ──► proposer ── Accept ──────► acceptor ──► journal              election  │
 *   │     ▲            ▲                          │ Chosen                          │     │
 *   │     │            └── Campaign, Observe ─────┼─────────────────────────────────┘     │
 *   │     └─── replies ◄── outcomes ◄── learner ◄─┘                                       │
 *   │                                      └──► machine                                   │
 *   └─────────────────────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * If one of them fails, all stop, before anything more is said.
 *
 * @since 0.1.0
 */
import { Client, ClientConfig, type ClientRpcs, type Endpoint } from "@synod/client"
import { Journal, type JournalError } from "@synod/journal"
import { Ballot, Quorum, Slot } from "@synod/paxos"
import type { Entry, Message, NodeId } from "@synod/paxos"
import { Caller, Executor, Reply } from "@synod/state-machine"
import type { StateMachine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as AcceptorActor from "./AcceptorActor.js"
import type * as Actor from "./Actor.js"
import * as ElectionActor from "./ElectionActor.js"
import * as LearnerActor from "./LearnerActor.js"
import * as Outcomes from "./Outcomes.js"
import { type Peer, Peers } from "./Peers.js"
import * as ProposerActor from "./ProposerActor.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * Why a replica no longer runs.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReplicaStopped extends Data.TaggedError("ReplicaStopped")<{
  readonly node: NodeId.NodeId
  readonly reason: string
}> {
  override get message(): string {
    return `Node ${this.node} has stopped: ${this.reason}`
  }
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Replica extends Context.Tag("@synod/replica/Replica")<Replica, {
  readonly node: NodeId.NodeId
  readonly status: Effect.Effect<ClientRpcs.Status>
  /** The digest of its state; costs a walk over all of it. */
  readonly digest: Effect.Effect<ClientRpcs.Digest>
  /** Ends when the replica has stopped by itself, with the reason. */
  readonly stopped: Effect.Effect<never, ReplicaStopped>
}>() {}

/**
 * Runs a replica of the machine until the scope closes, and lets others find it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  executor: Executor.Executor
): Effect.Effect<
  { readonly replica: Replica["Type"]; readonly peer: Peer },
  Quorum.QuorumsUnusable | JournalError.JournalError,
  Journal.Journal | Peers | Scope.Scope
> =>
  Effect.gen(function*() {
    const journal = yield* Journal.Journal
    const peers = yield* Peers
    const config = yield* ReplicaConfig
    const quorums = yield* Quorum.majority(peers.members)
    const { promised } = journal.recovered

    // The actors live in a scope of their own, which ends with the first of them that fails.
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const outcomes = Outcomes.make()
    const learner = yield* Scope.extend(LearnerActor.make(executor, outcomes), scope)
    const observe = (ballot: Ballot.Ballot): void => {
      proposer.tell({ _tag: "Observe", ballot })
      election.tell({ _tag: "Observe", ballot })
    }
    const entries = yield* unchosen(journal, config.chunk)
    const acceptor = yield* Scope.extend(
      AcceptorActor.make({
        entries,
        deliver: (after, entries) => learner.offer({ _tag: "Chosen", after, entries }),
        observe
      }),
      scope
    )
    const proposer: ProposerActor.ProposerActor = yield* Scope.extend(
      ProposerActor.make({
        quorums,
        promised,
        outcomes,
        acceptor: acceptor.tell,
        claim: (claim) => election.tell({ _tag: "Claim", ...claim }),
        observe: (ballot) => election.tell({ _tag: "Observe", ballot }),
        leader: () => leaderOf(election.state().leader)
      }),
      scope
    )
    const election: ElectionActor.ElectionActor = yield* Scope.extend(
      ElectionActor.make({
        quorums,
        promised,
        campaign: (above) => proposer.tell({ _tag: "Campaign", above }),
        follow: (ballot) => proposer.tell({ _tag: "Observe", ballot })
      }),
      scope
    )

    const stopped = yield* Deferred.make<never, ReplicaStopped>()
    const stop = (cause: Cause.Cause<Actor.Failure>): Effect.Effect<void> => {
      if (Cause.isInterruptedOnly(cause)) return Effect.void
      const reason = sentence(cause)
      const failure = new ReplicaStopped({ node: peers.self, reason })
      return Effect.logError(failure.message).pipe(
        Effect.zipRight(Deferred.fail(stopped, failure)),
        Effect.zipRight(Effect.forkDaemon(Scope.close(scope, Exit.void)))
      )
    }
    const start = <A, State>(actor: Actor.Actor<A, State>) =>
      Effect.forkIn(Effect.catchAllCause(actor.run, stop), scope)
    yield* Effect.all([start(learner), start(acceptor), start(proposer), start(election)])
    yield* learner.offer({ _tag: "Chosen", after: journal.recovered.chosenThrough, entries: [] })

    const tick = Effect.gen(function*() {
      election.tell({ _tag: "Tick" })
      proposer.tell({ _tag: "Tick" })
      const jitter = 1 + config.jitter * ((yield* Random.next) - 0.5)
      yield* Effect.sleep(Duration.times(Duration.decode(config.heartbeat), jitter))
    })
    yield* Effect.forkIn(Effect.forever(tick), scope)

    const status = Effect.sync((): ClientRpcs.Status => {
      const { chosenThrough, log, promised } = acceptor.state()
      const applied = learner.applied()
      const leader = leaderOf(election.state().leader)
      return {
        node: peers.self,
        machine: executor.machine,
        phase: proposer.state()._tag,
        ...(leader === undefined ? {} : { leader }),
        promised: Ballot.format(promised),
        acceptedThrough: log.through,
        chosenThrough,
        appliedThrough: applied.through
      }
    })
    const digest = Effect.sync((): ClientRpcs.Digest => {
      const { replicated, through } = learner.applied()
      return { appliedThrough: through, digest: executor.digest(replicated) }
    })

    const client: Endpoint.Endpoint = {
      submit: (envelope) =>
        envelope.length <= config.envelope
          ? proposer.submit(envelope)
          : Effect.succeed(Reply.encode(Reply.refused(
            `the request is ${envelope.length} bytes long, more than the ${config.envelope} that are allowed`
          ))),
      query: (queries, consistency) =>
        Effect.map(
          consistency === "stale"
            ? Effect.sync(learner.applied)
            : Effect.flatMap(proposer.confirm, learner.reached),
          ({ replicated, through, time }) =>
            queries.map((query) => executor.query(replicated, { slot: through, time }, query))
        ),
      status,
      digest
    }

    const peer: Peer = {
      acceptor: (message) => ask<AcceptorActor.Request, Message.ToProposer>(acceptor, (reply) => ({ message, reply })),
      heartbeat: (message) =>
        ask<ElectionActor.Input, Message.HeartbeatReply>(election, (reply) => ({ _tag: "Heartbeat", message, reply })),
      client
    }
    yield* Scope.extend(peers.serve(peer), scope)
    return { replica: { node: peers.self, status, digest, stopped: Deferred.await(stopped) }, peer }
  })

/**
 * A replica of the machine, and a client of the cluster that asks this replica first.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string>(
  machine: Pick<StateMachine.StateMachine<Name, any, any, any>, "executor" | "caller">,
  options?: { readonly client?: Partial<ClientConfig.ClientConfig> }
): Layer.Layer<
  Caller.Id<Name> | Replica,
  Quorum.QuorumsUnusable | JournalError.JournalError,
  Executor.Id<Name> | Journal.Journal | Peers
> =>
  Layer.scopedContext(Effect.gen(function*() {
    const peers = yield* Peers
    const { peer, replica } = yield* make(yield* machine.executor)
    const endpoints = new Map([[peers.self as number, peer.client]])
    for (const node of peers.members) if (node !== peers.self) endpoints.set(node, peers.peer(node).client)
    const caller = yield* Client.make(endpoints, options?.client)
    return Context.make(machine.caller, caller).pipe(Context.add(Replica, replica))
  }))

/** The accepted entries that are not known to be chosen: few, since a leader proposes only so far ahead. */
const unchosen = (
  journal: Journal.Journal["Type"],
  bytes: number
): Effect.Effect<ReadonlyArray<Entry.Entry>, JournalError.JournalError> =>
  Effect.gen(function*() {
    const { acceptedThrough, chosenThrough } = journal.recovered
    const entries: Array<Entry.Entry> = []
    while (chosenThrough + entries.length < acceptedThrough) {
      const slots = acceptedThrough - chosenThrough - entries.length
      entries.push(...(yield* journal.read(Slot.plus(chosenThrough, entries.length), { slots, bytes })))
    }
    return entries
  })

/** Puts a request into an actor's mailbox, waiting for room, and waits for the reply. */
const ask = <Input, Reply>(
  actor: Pick<Actor.Actor<Input, unknown>, "offer">,
  request: (reply: (reply: Reply) => void) => Input
): Effect.Effect<Reply> =>
  Effect.suspend(() => {
    const replied = Deferred.unsafeMake<Reply>(FiberId.none)
    const input = request((reply) => Deferred.unsafeDone(replied, Exit.succeed(reply)))
    return Effect.zipRight(actor.offer(input), Deferred.await(replied))
  })

const leaderOf = (ballot: Ballot.Ballot): NodeId.NodeId | undefined => ballot.node === 0 ? undefined : ballot.node

/** One sentence for the person who runs the replica; the whole cause goes to the debug log only. */
const sentence = (cause: Cause.Cause<Actor.Failure>): string => {
  const error = Cause.squash(cause)
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
}
