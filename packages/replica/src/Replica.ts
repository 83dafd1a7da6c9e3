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
import { Admin, type Bounds, Client, type ClientConfig, type ClientRpcs, Endpoint } from "@synod/client"
import { Journal, type JournalError, JournalStore } from "@synod/journal"
import { Ballot, Membership, Slot } from "@synod/paxos"
import type { Epoch, NodeId, Quorum } from "@synod/paxos"
import { Machine } from "@synod/state-machine"
import type { Caller, Executor, StateMachine } from "@synod/state-machine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as AcceptorActor from "./AcceptorActor.js"
import type * as Actor from "./Actor.js"
import * as CatchingUp from "./CatchingUp.js"
import * as EpochRoles from "./EpochRoles.js"
import * as Feeds from "./Feeds.js"
import * as Founding from "./Founding.js"
import * as Gateway from "./Gateway.js"
import * as Hearing from "./Hearing.js"
import * as Installer from "./Installer.js"
import * as Introducing from "./Introducing.js"
import * as LearnerActor from "./LearnerActor.js"
import * as Outcomes from "./Outcomes.js"
import { type Peer, Peers } from "./Peers.js"
import * as Progress from "./Progress.js"
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
    /** Waits until it belongs to a cluster: all founders have noted the same, or it has learned of an epoch. */
    readonly begun: Effect.Effect<void, ReplicaStopped>
    /** Asks the cluster for other members. */
    readonly admin: Admin.Admin
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
  | Founding.Refused
  | Quorum.QuorumsMiss
  | Quorum.QuorumsUnusable
  | Bounds.ConfigRefused
  | JournalError.JournalError
  | Machine.MachineFailed,
  Journal.Journal | Peers | Scope.Scope
> =>
  Effect.gen(function* () {
    const { beginning, self } = yield* Peers
    const journal = yield* Founding.begin(yield* Journal.Journal, self, beginning)
    return yield* Effect.provideService(join(executor), Journal.Journal, journal)
  })

/** The actors, joined up. */
const join = (executor: Executor.Executor) =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const peers = yield* Peers
    yield* ReplicaConfig.checked
    const { acceptedThrough, epochs, promised, trimmedThrough } = journal.recovered
    const incarnation = epochs.identity?.incarnation ?? ""
    const started = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const where = { cluster: peers.cluster, node: peers.self }
    const machine = yield* executor.open(where)
    const own = machine.at().slot
    if (own > acceptedThrough) {
      const reason = `it holds slot ${own}, and the journal of node ${peers.self} ends at slot ${acceptedThrough}: they don't belong together`
      return yield* new Machine.MachineFailed({ machine: executor.machine.name, reason, passing: false })
    }
    const brought = yield* Snapshots.bringOn(machine)
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
        Effect.orElseSucceed(roles.proposer.handOver, () => false),
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
      Feeds.make(machine, { learner, replays, requests, leader: () => roles.leader() }),
      scope
    )
    const observe = (ballot: Ballot.Ballot): void => {
      roles.proposer.tell({ _tag: "Observe", ballot })
      roles.election.tell({ _tag: "Observe", ballot })
    }
    const behind = (node: NodeId.NodeId): void => catchingUp.from(node)
    const acceptor: AcceptorActor.AcceptorActor = yield* Scope.extend(
      AcceptorActor.make({
        restore: (slot) => {
          const prepared = installer.take(slot)
          return prepared === undefined ? Effect.void : learner.offer({ _tag: "Restored", slot, prepared })
        },
        pull: (source) => installer.pull(source),
        trimmed: () => snapshots.trimmed(),
        deliver: learner.learn,
        observe,
        enter: (epoch, promised) => enter(epoch, promised),
        learned: () => catchingUp.learned(),
        noted: () => introducing.noted()
      }),
      scope
    )
    const introducing: Introducing.Introducing = yield* Scope.extend(
      Introducing.make(incarnation, {
        acceptor: acceptor.state,
        // If it is lost, the next introduction brings it again.
        tell: (message) => void acceptor.tell(AcceptorActor.local(message))
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
    /** Whom it may ask: those who take part, or whom it was told of. */
    const others = (): ReadonlyArray<NodeId.NodeId> => {
      const known = Membership.nodes(roles.epoch.membership)
      const { beginning } = peers
      const seeds = beginning._tag === "Found" ? beginning.membership.voters : beginning.seeds
      return (known.length > 0 ? known : seeds).filter((node) => node !== peers.self)
    }
    const installer: Installer.Installer = yield* Scope.extend(
      Installer.make(machine, {
        snapshots,
        acceptor: acceptor.state,
        others,
        failed: reaffirm,
        install: (slot, at) => acceptor.offer(AcceptorActor.local({ _tag: "Install", slot, at }))
      }),
      scope
    )
    const catchingUp: CatchingUp.CatchingUp = yield* Scope.extend(
      CatchingUp.make({
        acceptor: acceptor.state,
        learn: (message) => acceptor.offer(AcceptorActor.local(message)),
        pull: (source) => installer.pull(source)
      }),
      scope
    )
    // Chosen through there at least, which the journal may not have noted.
    if (from > own && brought !== undefined) {
      yield* acceptor.offer(AcceptorActor.local({ _tag: "Install", slot: from, at: brought.at }))
    } else if (from > 0) yield* acceptor.offer(AcceptorActor.local({ _tag: "Applied", slot: from }))

    const trouble = (): string | undefined => acceptor.trouble() ?? learner.stalled()

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
    const run = <A, State>(actor: Actor.Actor<A, State>) => Effect.catchAllCause(actor.run, stop)

    let asked = 0
    const begin = (epoch: Epoch.Epoch, promised: Ballot.Ballot, led?: number) =>
      Effect.gen(function* () {
        yield* peers.enter(epoch)
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const made = yield* EpochRoles.make(epoch, {
          ...{ promised, led, outcomes, requests, trouble, behind, run },
          acceptor: acceptor.tell,
          poll: () => {
            const nodes = others()
            if (nodes.length > 0) catchingUp.from(nodes[asked++ % nodes.length]!)
          }
        }).pipe(Scope.extend(own))
        return { ...made, scope: own }
      }).pipe(Effect.provideService(Peers, peers))
    let roles = yield* begin(epochs.present, promised)
    const begun = yield* Deferred.make<void>()
    if (epochs.present.number > 0) yield* Deferred.succeed(begun, undefined)

    const enter = (epoch: Epoch.Epoch, promised: Ballot.Ballot): Effect.Effect<void, Actor.Failure> =>
      Effect.suspend(() => {
        const { election, epoch: present, proposer, scope: old } = roles
        if (epoch.number === present.number) return Effect.void
        proposer.retire(epoch.after)
        return Effect.gen(function* () {
          // Before it hears anything in that epoch.
          yield* Founding.check(acceptor.state().epochs, peers.self)
          roles = yield* Effect.orDie(begin(epoch, promised, election.state().leader.node))
          entered()
          // Nobody here waits for what its requests wait for.
          yield* Effect.forkIn(Scope.close(old, Exit.void), scope)
          yield* Deferred.succeed(begun, undefined)
          yield* Effect.logInfo(`node ${peers.self} is in epoch ${epoch.number}: ${Admin.format(epoch.membership)}`)
        })
      })

    /** Why it serves nobody. */
    const outside = (): string | undefined => {
      const { membership, number } = roles.epoch
      if (Membership.isMember(membership, peers.self)) return undefined
      const founders = introducing.waitsFor()
      if (founders.length > 0) {
        const which = `${founders.length === 1 ? "node" : "nodes"} ${founders.join(", ")}`
        return `node ${peers.self} founds the cluster, and waits for ${which}: every founder must have heard of all others once`
      }
      return number === 0
        ? `node ${peers.self} has not joined the cluster yet: no change of membership has named it`
        : `node ${peers.self} is no member of the cluster any more: it is not in epoch ${number}`
    }

    yield* Effect.forkIn(run(learner), scope)
    yield* Effect.forkIn(run(acceptor), scope)
    yield* Effect.forkIn(Effect.catchAllCause(introducing.run, stop), scope)
    yield* learner.offer({ _tag: "Chosen", after: journal.recovered.chosenThrough, entries: [] })
    if (lacks) installer.rebuild()
    else {
      const through = journal.recovered.chosenThrough
      yield* Effect.forkIn(Progress.tell(learner, { node: peers.self, started, from, through }), scope)
    }

    const status = Effect.sync((): ClientRpcs.Status => {
      const { chosenThrough, log, promised, trimmedThrough } = acceptor.state()
      const known = roles.leader()
      const trouble = acceptor.trouble()
      const stalled = learner.stalled()
      const left = outside()
      return {
        node: peers.self,
        machine: executor.machine,
        epoch: roles.epoch,
        ...(left === undefined ? {} : { outside: left }),
        phase: roles.proposer.state()._tag,
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
        const slot = leased ? roles.proposer.leased() : undefined
        return slot === undefined ? roles.proposer.confirm : Effect.succeed(slot)
      })

    const gateway = yield* Scope.extend(
      Gateway.make(machine, {
        ...{ learner, readSlot, requests, status, digest },
        follow: feeds.follow,
        leader: () => roles.leader(),
        proposer: () => roles.proposer
      }),
      scope
    )
    /** What it holds grows old unnoticed. */
    const inside = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend((): Effect.Effect<A, E | Endpoint.Unreachable> => {
        const reason = outside()
        return reason === undefined ? effect : new Endpoint.Unreachable({ reason, sent: false })
      })
    const client: Endpoint.Endpoint = {
      ...gateway,
      query: (queries, consistency) => inside(gateway.query(queries, consistency)),
      follow: (request) => inside(gateway.follow(request))
    }

    const { entered, peer } = Hearing.make({
      ...{ self: peers.self, acceptor, snapshots, requests, introducing, trouble, behind, readSlot, client },
      roles: () => roles
    })
    yield* Scope.extend(peers.serve(peer), scope)
    const handOver = Effect.suspend(() => Effect.orElseSucceed(roles.proposer.handOver, () => false))
    const admin = Admin.make(
      () => new Map([[peers.self, peer.admin], ...others().map((node) => [node, peers.peer(node).admin] as const)])
    )
    return {
      replica: {
        ...{ node: peers.self, status, digest, handOver, admin },
        begun: Effect.raceFirst(Deferred.await(begun), Deferred.await(stopped)),
        stopped: Deferred.await(stopped)
      },
      peer
    }
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
  | Founding.Refused
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
      const endpoints = new Map<number, Endpoint.Endpoint>()
      const enter = (epoch: Epoch.Epoch) =>
        Effect.map(peers.enter(epoch), () => {
          const members = Membership.nodes(epoch.membership)
          for (const node of endpoints.keys()) {
            if (node !== peers.self && !members.some((member) => member === node)) endpoints.delete(node)
          }
          for (const node of members) if (node !== peers.self) endpoints.set(node, peers.peer(node).client)
        })
      const { peer, replica } = yield* make(yield* machine.executor).pipe(
        Effect.provideService(Journal.Journal, journal),
        Effect.provideService(Peers, { ...peers, enter })
      )
      // Whoever leads and is told to stop hands over first, so that nobody has to find out that it is gone.
      yield* Effect.addFinalizer(() => replica.handOver)
      // This replica is asked first.
      const others = [...endpoints]
      endpoints.clear()
      endpoints.set(peers.self, peer.client)
      for (const [node, endpoint] of others) endpoints.set(node, endpoint)
      const caller = yield* Client.make(endpoints, options?.client)
      return Context.make(machine.caller, caller).pipe(Context.add(Replica, replica))
    })
  )
