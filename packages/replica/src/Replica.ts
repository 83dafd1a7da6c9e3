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
import { type Bounds, Client, type ClientConfig, type ClientRpcs, Endpoint } from "@synod/client"
import { Journal, type JournalError, JournalStore } from "@synod/journal"
import { Ballot, Election, QuorumSpec, Slot } from "@synod/paxos"
import type { Message, NodeId, Quorum } from "@synod/paxos"
import { Machine } from "@synod/state-machine"
import type { Caller, Executor, StateMachine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as AcceptorActor from "./AcceptorActor.js"
import type * as Actor from "./Actor.js"
import * as ElectionActor from "./ElectionActor.js"
import * as Feeds from "./Feeds.js"
import * as Gateway from "./Gateway.js"
import * as Installer from "./Installer.js"
import * as LearnerActor from "./LearnerActor.js"
import * as Outcomes from "./Outcomes.js"
import { type Peer, Peers } from "./Peers.js"
import * as Progress from "./Progress.js"
import * as ProposerActor from "./ProposerActor.js"
import * as Replays from "./Replays.js"
import * as ReplicaConfig from "./ReplicaConfig.js"
import * as Requests from "./Requests.js"
import { sentence } from "./Sentence.js"
import * as Snapshots from "./Snapshots.js"

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
export class Replica extends Context.Tag("@synod/replica/Replica")<
  Replica,
  {
    readonly node: NodeId.NodeId
    readonly status: Effect.Effect<ClientRpcs.Status>
    /** The digest of its state; costs a walk over all of it. Fails if the machine can't be read now. */
    readonly digest: Effect.Effect<ClientRpcs.Digest, Endpoint.Unreachable>
    /**
     * Hands the lead over to another replica, if this one leads: what is under way ends first, and what comes meanwhile is sent
     * on. False if it doesn't lead, or leads on since nobody could take over within `ReplicaConfig.handOver` heartbeats.
     */
    readonly handOver: Effect.Effect<boolean>
    /** Ends when the replica has stopped by itself, with the reason. */
    readonly stopped: Effect.Effect<never, ReplicaStopped>
  }
>() {}

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
  | Quorum.QuorumsMiss
  | Quorum.QuorumsUnusable
  | Bounds.ConfigRefused
  | JournalError.JournalError
  | Machine.MachineFailed,
  Journal.Journal | Peers | Scope.Scope
> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const peers = yield* Peers
    const config = yield* ReplicaConfig.checked
    const quorums = yield* QuorumSpec.make(peers.quorums, peers.members)
    const { acceptedThrough, promised, trimmedThrough } = journal.recovered
    const started = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const where = { cluster: peers.cluster, node: peers.self }
    const machine = yield* executor.open(where)
    const own = machine.at().slot
    if (own > acceptedThrough) {
      const reason = `it holds slot ${own}, and the journal of node ${peers.self} ends at slot ${acceptedThrough}: they don't belong together`
      return yield* new Machine.MachineFailed({ machine: executor.machine.name, reason, passing: false })
    }
    yield* Snapshots.bringOn(machine)
    const from = Slot.make(machine.at().slot)
    const lacks = from < trimmedThrough

    // The actors live in a scope of their own, which ends with the first of them that fails.
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const outcomes = Outcomes.make()
    const requests = Requests.make(peers.self)
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    yield* Scope.addFinalizer(scope, Effect.sync(requests.close))
    /** A leader whose machine stands still has no answers: others have, and what waits is to be asked for there. */
    const giveWay = (): void => {
      outcomes.abandon()
      runFork(
        Effect.orElseSucceed(proposer.handOver, () => false),
        { scope }
      )
    }
    const learner = yield* Scope.extend(
      LearnerActor.make(machine, outcomes, requests, {
        waiting: lacks,
        lacks: () => installer.rebuild(),
        applied: (bytes, performed) => {
          snapshots.applied(bytes)
          feeds.applied(performed, bytes)
        },
        restored: () => feeds.restored(),
        stalled: giveWay,
        chosenThrough: () => acceptor.state().chosenThrough
      }),
      scope
    )
    const replays = yield* Scope.extend(
      Replays.make(executor, { requests, where, trimmedThrough: () => acceptor.state().trimmedThrough }),
      scope
    )
    const feeds = yield* Scope.extend(
      Feeds.make(machine, { learner, replays, requests, leader: () => leader() }),
      scope
    )
    const observe = (ballot: Ballot.Ballot): void => {
      proposer.tell({ _tag: "Observe", ballot })
      election.tell({ _tag: "Observe", ballot })
    }
    const acceptor: AcceptorActor.AcceptorActor = yield* Scope.extend(
      AcceptorActor.make({
        restore: (slot) => {
          const prepared = installer.take(slot)
          return prepared === undefined ? Effect.void : learner.offer({ _tag: "Restored", slot, prepared })
        },
        pull: (source) => installer.pull(source),
        trimmed: () => snapshots.trimmed(),
        deliver: learner.learn,
        observe
      }),
      scope
    )
    const reaffirm = (): void => void acceptor.tell(AcceptorActor.local({ _tag: "Reaffirm" }))
    const snapshots: Snapshots.Snapshots = yield* Scope.extend(
      Snapshots.make(machine, {
        acceptor: acceptor.state,
        trim: (through) => acceptor.offer(AcceptorActor.local({ _tag: "Trim", through })),
        failed: reaffirm
      }),
      scope
    )
    const installer: Installer.Installer = yield* Scope.extend(
      Installer.make(machine, {
        snapshots,
        acceptor: acceptor.state,
        failed: reaffirm,
        install: (slot) => acceptor.offer(AcceptorActor.local({ _tag: "Install", slot }))
      }),
      scope
    )
    // Chosen through there at least, which the journal may not have noted.
    if (from > own) yield* acceptor.offer(AcceptorActor.local({ _tag: "Install", slot: from }))
    else if (from > 0) yield* acceptor.offer(AcceptorActor.local({ _tag: "Applied", slot: from }))
    const proposer: ProposerActor.ProposerActor = yield* Scope.extend(
      ProposerActor.make({
        quorums,
        promised,
        outcomes,
        requests,
        acceptor: acceptor.tell,
        claim: (claim) => election.tell({ _tag: "Claim", ...claim }),
        observe: (ballot) => election.tell({ _tag: "Observe", ballot }),
        leader: () => leader()
      }),
      scope
    )
    const election: ElectionActor.ElectionActor = yield* Scope.extend(
      ElectionActor.make({
        quorums,
        promised,
        // Who can't vote, or apply, can't lead.
        campaign: (campaign) => {
          if (trouble() === undefined) proposer.tell(campaign)
        },
        withdraw: () => proposer.tell({ _tag: "Withdraw" }),
        handOver: proposer.prefer,
        follow: (ballot) => proposer.tell({ _tag: "Observe", ballot })
      }),
      scope
    )

    const trouble = (): string | undefined => acceptor.trouble() ?? learner.stalled()

    /** Whom it follows, as long as it hears of it: to send clients to one that is gone would only cost them time. */
    const leader = (): NodeId.NodeId | undefined => {
      const { happy, leader } = election.state()
      return happy && leader.node !== 0 ? leader.node : undefined
    }

    const stopped = yield* Deferred.make<never, ReplicaStopped>()
    const stop = (cause: Cause.Cause<Actor.Failure>): Effect.Effect<void> => {
      if (Cause.isInterruptedOnly(cause)) return Effect.void
      const failure = new ReplicaStopped({ node: peers.self, reason: sentence(cause) })
      const say = Effect.zipRight(Effect.logError(failure.message), Effect.logDebug("why it stopped", cause))
      // Others may fail before they are stopped; the first one is the reason.
      return Effect.flatMap(Deferred.fail(stopped, failure), (first) =>
        first ? Effect.zipRight(say, Effect.forkDaemon(Scope.close(scope, Exit.void))) : Effect.void
      )
    }
    const start = <A, State>(actor: Actor.Actor<A, State>) =>
      Effect.forkIn(Effect.catchAllCause(actor.run, stop), scope)
    yield* Effect.all([start(learner), start(acceptor), start(proposer), start(election)])
    yield* learner.offer({ _tag: "Chosen", after: journal.recovered.chosenThrough, entries: [] })
    if (lacks) installer.rebuild()
    else {
      const through = journal.recovered.chosenThrough
      yield* Effect.forkIn(Progress.tell(learner, { node: peers.self, started, from, through }), scope)
    }

    const pause = Effect.flatMap(Random.next, (random) =>
      Effect.sleep(Duration.times(Duration.decode(config.heartbeat), 1 + config.jitter * (random - 0.5)))
    )
    const resend = Effect.sync(() => proposer.tell({ _tag: "Tick" })).pipe(Effect.zipRight(pause))
    // On a busy machine answers are late, and some lie in the sockets when the pause is over: late isn't silent.
    const round = Effect.sync(() => election.tell({ _tag: "Tick" })).pipe(
      Effect.zipRight(pause),
      Effect.zipRight(election.heard)
    )
    yield* Effect.forkIn(Effect.forever(resend), scope)
    yield* Effect.forkIn(Effect.forever(round), scope)

    const status = Effect.sync((): ClientRpcs.Status => {
      const { chosenThrough, log, promised, trimmedThrough } = acceptor.state()
      const known = leader()
      const trouble = acceptor.trouble()
      const stalled = learner.stalled()
      return {
        node: peers.self,
        machine: executor.machine,
        phase: proposer.state()._tag,
        ...(known === undefined ? {} : { leader: known }),
        promised: Ballot.format(promised),
        acceptedThrough: log.through,
        chosenThrough,
        appliedThrough: learner.through(),
        trimmedThrough,
        snapshotThrough: snapshots.newest(),
        ...(trouble === undefined ? {} : { trouble }),
        ...(stalled === undefined ? {} : { stalled })
      }
    })
    const digest = Effect.mapBoth(machine.digest, {
      onFailure: ({ message }) => new Endpoint.Unreachable({ reason: message, sent: false }),
      onSuccess: ({ at, digest }): ClientRpcs.Digest => ({ appliedThrough: at.slot, digest })
    })

    /** While it leads: at once from a lease that holds, if that will do; otherwise once its ballot is confirmed. */
    const readSlot = (leased: boolean) =>
      Effect.suspend(() => {
        const slot = leased ? proposer.leased() : undefined
        return slot === undefined ? proposer.confirm : Effect.succeed(slot)
      })

    const client = yield* Scope.extend(
      Gateway.make(machine, { learner, leader, proposer, readSlot, requests, follow: feeds.follow, status, digest }),
      scope
    )

    /** Asks an actor; a mailbox that is full loses the request. */
    const ask = <Input, Reply>(actor: Actor.Actor<Input, unknown>, request: (reply: (reply: Reply) => void) => Input) =>
      requests.ask<Reply, Endpoint.Unreachable>((answer) => {
        if (actor.tell(request((reply) => answer(Effect.succeed(reply))))) return
        const reason = `node ${peers.self} has too much to do`
        answer(Effect.fail(new Endpoint.Unreachable({ reason, sent: true })))
      })

    const unless =
      (trouble: () => string | undefined) =>
      <A>(effect: Effect.Effect<A, Endpoint.Unreachable>) =>
        Effect.suspend(() => {
          const reason = trouble()
          return reason === undefined ? effect : new Endpoint.Unreachable({ reason, sent: false })
        })
    /** It answers for its journal: a leader that can't write is missed, and whoever can't write is no help to others. */
    const whileItVotes = unless(acceptor.trouble)
    const whileItCanLead = unless(trouble)

    /** While it hears its leader it lets nobody else prepare: as if the message were lost. */
    const heeds = (message: Message.ToAcceptor): boolean =>
      message._tag !== "Prepare" || Election.heeds(election.state(), message)

    const peer: Peer = {
      acceptor: (message, answer) => {
        let open = true
        const end = (reply: Message.ToProposer | undefined): void => {
          if (open) answer(reply)
          open = false
        }
        const lost = () => end(undefined)
        if (!heeds(message) || !acceptor.tell({ message, reply: end, refuse: lost })) lost()
        return () => void (open = false)
      },
      heartbeat: (message) =>
        whileItVotes(
          ask<ElectionActor.Input, Message.HeartbeatReply>(election, (reply) => ({ _tag: "Heartbeat", message, reply }))
        ),
      takeOver: (message) => whileItCanLead(Effect.sync(() => void election.tell({ _tag: "TakeOver", message }))),
      readSlot,
      snapshot: (message) =>
        Effect.catchAll(snapshots.serve(message), ({ message: reason }) =>
          Effect.fail(new Endpoint.Unreachable({ reason, sent: true }))
        ),
      client
    }
    yield* Scope.extend(peers.serve(peer), scope)
    const handOver = Effect.orElseSucceed(proposer.handOver, () => false)
    return { replica: { node: peers.self, status, digest, handOver, stopped: Deferred.await(stopped) }, peer }
  })

/**
 * A replica of the machine, and a client of the cluster that asks this replica first. When its scope closes, as it does on
 * SIGTERM under `NodeRuntime.runMain`, the replica hands over the lead before it stops, and closes its journal last.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string, E extends Executor.Executor>(
  machine: StateMachine.Runnable<Name, E>,
  options?: { readonly client?: Partial<ClientConfig.ClientConfig> }
): Layer.Layer<
  Caller.Id<Name> | Replica,
  | Quorum.QuorumsMiss
  | Quorum.QuorumsUnusable
  | Bounds.ConfigRefused
  | JournalError.OpenError
  | JournalError.JournalError
  | Machine.MachineFailed,
  Executor.Id<Name> | JournalStore.JournalStore | Peers
> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const peers = yield* Peers
      const store = yield* JournalStore.JournalStore
      const journal = yield* store.open({ cluster: peers.cluster, node: peers.self })
      const { peer, replica } = yield* Effect.provideService(make(yield* machine.executor), Journal.Journal, journal)
      // Whoever leads and is told to stop hands over first, so that nobody has to find out that it is gone.
      yield* Effect.addFinalizer(() => replica.handOver)
      const endpoints = new Map([[peers.self as number, peer.client]])
      for (const node of peers.members) if (node !== peers.self) endpoints.set(node, peers.peer(node).client)
      const caller = yield* Client.make(endpoints, options?.client)
      return Context.make(machine.caller, caller).pipe(Context.add(Replica, replica))
    })
  )
