/**
 * The proposer as an actor. While it leads, what clients submit waits in its queue; each turn makes slots of what waits, as
 * far as the pipeline has room.
 *
 * ```
 *   clients ── envelopes ──►┌──────────┐── Prepare, Fetch, Accept ──► acceptors, the others' first
 *   reads ──── confirm ────►│ proposer │◄─ Promise, Accepted … ──────
 *                           └────┬─────┘
 *                                └── expect(slot) ──► outcomes ◄── settle(slot) ── learner
 * ```
 *
 * @since 0.1.0
 */
import { ClientRpcs, type Endpoint } from "@synod/client"
import { Ballot, Entry, Membership, MembershipChange, Proposer, Slot } from "@synod/paxos"
import type { Epoch, Message, NodeId, Quorum, Step } from "@synod/paxos"
import { Batch, type Machine, Outcome } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type * as AcceptorActor from "./AcceptorActor.js"
import * as Actor from "./Actor.js"
import * as Confirmations from "./Confirmations.js"
import { EventLoop } from "./EventLoop.js"
import * as HandingOver from "./HandingOver.js"
import type { Outcomes, Submission } from "./Outcomes.js"
import * as Monotonic from "./Monotonic.js"
import * as Outstanding from "./Outstanding.js"
import { type Peer, Peers, type Sent } from "./Peers.js"
import { leaseTerms, ReplicaConfig } from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ProposerActor extends Actor.Actor<Input, Proposer.State> {
  /** Why an envelope of so many bytes would not be taken now. */
  readonly refusal: (bytes: number) => ClientRpcs.NotLeader | Outcome.Overloaded | undefined
  /** Has an envelope proposed, with its commands decoded, and gives the reply of the learner. */
  readonly submit: (
    envelope: Uint8Array,
    decoded: ReadonlyArray<Machine.Decoded>
  ) => Effect.Effect<
    Uint8Array,
    ClientRpcs.NotLeader | ClientRpcs.Superseded | Outcome.Overloaded | Endpoint.Unreachable
  >
  /** Has the ballot confirmed, and gives the slot from which a linearizable read may be answered. */
  readonly confirm: Effect.Effect<Slot.Slot, ClientRpcs.NotLeader | Outcome.Overloaded | Endpoint.Unreachable>
  /** The same without asking anybody, while this node leads with a lease that holds at this moment. */
  readonly leased: () => Slot.Slot | undefined
  /**
   * Hands the lead over: ends what is under way, proposes nothing new, and has the first that holds all of it take over.
   * What comes meanwhile waits, and is sent on to the successor. False if this node doesn't lead, or leads on since nobody
   * took over in time.
   */
  readonly handOver: Effect.Effect<boolean, Endpoint.Unreachable>
  /** The same to this node alone, once it holds about all of the log, and not soon again if nothing came of it. */
  readonly prefer: (to: NodeId.NodeId) => void
  /** Ends the epoch with a change of membership, if this node leads and may; gives what was proposed. */
  readonly change: (
    request: MembershipChange.Request
  ) => Effect.Effect<Membership.Membership, MembershipChange.Refusal | Endpoint.Unreachable>
  /** The epoch ended in that slot: from now on it does nothing. Whoever waits is sent on, but for what stands up to there. */
  readonly retire: (through: Slot.Slot) => void
}

/** Something waits in the queue or among the reads. */
interface Drain {
  readonly _tag: "Drain"
}

/** Somebody asks for other members. */
interface Change {
  readonly _tag: "Change"
  readonly request: MembershipChange.Request
  readonly answer: (outcome: Effect.Effect<Membership.Membership, MembershipChange.Refusal>) => void
}

type Input = Proposer.Input | Drain | Change

interface Waiting extends Submission {
  readonly refuse: (error: ClientRpcs.NotLeader) => void
}

/** What hears a peer's answer, or that there is none. */
type Answer = Parameters<Peer["acceptor"]>[2]

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** The epoch that it belongs to, and who decides in it. */
  readonly epoch: Epoch.Epoch
  readonly quorums: Quorum.QuorumSystem
  /** What the own acceptor has promised. */
  readonly promised: Ballot.Ballot
  readonly outcomes: Outcomes
  readonly requests: Requests
  /** The own acceptor. */
  readonly acceptor: (request: AcceptorActor.Request) => void
  /** The proposer's ballot and phase, after each change. */
  readonly claim: (claim: { readonly claim: Ballot.Ballot; readonly leading: boolean }) => void
  /** A higher ballot was heard of. */
  readonly observe: (ballot: Ballot.Ballot) => void
  /** The node that leads, as far as the election knows. */
  readonly leader: () => NodeId.NodeId | undefined
  /** That node is in a later epoch. */
  readonly behind: (node: NodeId.NodeId) => void
}): Effect.Effect<ProposerActor, never, Peers | Scope.Scope> =>
  Effect.gen(function* () {
    const peers = yield* Peers
    const config = yield* ReplicaConfig
    const eventLoop = yield* EventLoop
    const clock = yield* Effect.clock
    const runFork = yield* FiberSet.makeRuntime()
    const { epoch, outcomes, quorums } = options
    const { learners } = epoch.membership
    const sent: Sent = { from: peers.self, epoch: epoch.number }
    const { chunk, keep, patience, pipeline } = config
    const terms = leaseTerms(config)
    const core: Proposer.Options = {
      ...{ self: peers.self, quorums, learners, pipeline, chunk, keep, patience },
      ...(terms === undefined ? {} : { lease: terms })
    }
    const now = Monotonic.make(clock)
    const alone = Membership.nodes(epoch.membership).every((node) => node === peers.self)

    let waiting: Array<Waiting> = []
    let waitingBytes = 0
    const reads = Confirmations.make()
    let draining = false
    let retired = false
    let claimed = Proposer.claim(Proposer.initial(options.promised))
    const outstanding = Outstanding.make<NonNullable<Parameters<Answer>[0]>>({
      limit: config.outstanding,
      patience: config.silence
    })
    yield* Effect.addFinalizer(() => Effect.sync(outstanding.close))

    const notLeader = (leader: number | undefined = options.leader()) => {
      return new ClientRpcs.NotLeader(leader === undefined || leader === peers.self ? {} : { leader })
    }

    const step = (state: Proposer.State, input: Input): Step.Step<Proposer.State, Proposer.Action> => {
      if (retired) {
        if (input._tag === "Change") input.answer(Either.left({ _tag: "Busy" }))
        return { state, actions: [] }
      }
      if (input._tag === "Drain") {
        draining = false
        return drain(state)
      }
      if (input._tag === "Change") return change(state, input)
      if (input._tag === "Tick") {
        outstanding.tick()
        handingOver.tick()
      }
      const next = Proposer.step(state, input._tag === "Tick" ? { ...input, now: now() } : input, core)
      if (waiting.length === 0 && !reads.wanted()) return next
      const drained = drain(next.state)
      return { state: drained.state, actions: [...next.actions, ...drained.actions] }
    }

    /** The stop sign goes behind all that was proposed; what waits is for the next epoch. */
    const change = (state: Proposer.State, { answer, request }: Change): Step.Step<Proposer.State, Proposer.Action> => {
      const next: Either.Either<Membership.Membership, MembershipChange.Refusal> = handingOver.underWay()
        ? Either.left({ _tag: "Busy" })
        : MembershipChange.next(state, epoch, request, core)
      answer(next)
      if (Either.isLeft(next)) return { state, actions: [] }
      const incarnations = MembershipChange.incarnations(epoch, next.right, request)
      const sign = Entry.stopSign(clock.unsafeCurrentTimeMillis(), epoch.number, next.right, incarnations)
      return Proposer.step(state, { _tag: "Propose", entries: [sign] }, core)
    }

    /** Makes slots of what waits, and has the ballot confirmed if reads wait. */
    const drain = (state: Proposer.State): Step.Step<Proposer.State, Proposer.Action> => {
      if (state._tag !== "Leading") {
        // While this node prepares, what came after its last turn as leader is refused like everything else.
        refuseAll()
        return { state, actions: [] }
      }
      if (handingOver.underWay()) return { state, actions: [] }
      const entries = batches(state, Proposer.capacity(state, core))
      const proposed =
        entries.length === 0 ? { state, actions: [] } : Proposer.step(state, { _tag: "Propose", entries }, core)
      // Those of a round that was answered in this turn are served at its end, and only then is their place free.
      const mayConfirm = !reads.underWay() && Proposer.mayConfirm(proposed.state)
      if (!reads.wanted() || !mayConfirm || proposed.state._tag !== "Leading") return proposed
      const confirmed = Proposer.step(proposed.state, { _tag: "Confirm", now: now() }, core)
      reads.begin(proposed.state.confirm.asked + 1)
      return { state: confirmed.state, actions: [...proposed.actions, ...confirmed.actions] }
    }

    const batches = (
      state: Proposer.State & { readonly _tag: "Leading" },
      room: number
    ): ReadonlyArray<Entry.Entry> => {
      const entries: Array<Entry.Entry> = []
      let start = 0
      while (entries.length < room && start < waiting.length) {
        let end = start
        let bytes = 0
        while (end < waiting.length && end - start < config.batchEnvelopes) {
          bytes += waiting[end]!.envelope.length
          if (bytes > config.batchBytes && end > start) break
          end++
        }
        const submissions = waiting.slice(start, end)
        const batch = Batch.encode(submissions.map(({ envelope }) => envelope))
        const entry = Entry.commands(clock.unsafeCurrentTimeMillis(), batch)
        entries.push(entry)
        outcomes.expect(Slot.plus(state.log.through, entries.length), entry, submissions)
        for (const { envelope } of submissions) waitingBytes -= envelope.length
        start = end
      }
      if (start > 0) waiting = waiting.slice(start)
      return entries
    }

    const refuseAll = (leader?: number): void => {
      const refused = waiting
      waiting = []
      waitingBytes = 0
      for (const { refuse } of refused) refuse(notLeader(leader))
      reads.refuse(notLeader(leader))
    }

    const send = (asked: ReadonlyArray<Actor.Asked<Input, Proposer.Action>>) => {
      const claim = Proposer.claim(actor.state())
      if (claim.leading !== claimed.leading || !Ballot.equals(claim.claim, claimed.claim)) {
        claimed = claim
        options.claim(claim)
      }
      const own: Array<Message.ToAcceptor> = []
      let commits = false
      let logs: Effect.Effect<void> | undefined
      for (const { action } of asked) {
        switch (action._tag) {
          case "Send":
            if (action.to !== peers.self) {
              request(action.to, action.message)
            } else {
              own.push(action.message)
              commits ||= action.message._tag === "Accept" && action.message.entries.length > 0
            }
            break
          case "Lead":
            logs = Effect.logInfo(`node ${peers.self} leads with ballot ${Ballot.format(action.ballot)}`)
            break
          case "Resign":
            outcomes.abandon()
            refuseAll(action.ballot.node)
            handingOver.end(action.ballot.node !== peers.self)
            options.observe(action.ballot)
            break
          case "Confirmed":
            reads.end(action.confirm, action.slot)
            if (reads.wanted()) wake()
            break
        }
      }
      handingOver.goOn(actor.state())
      const local =
        own.length === 0
          ? undefined
          : Effect.sync(() => {
              for (const message of own) {
                options.acceptor({ message, epoch: epoch.number, reply: receive, refuse: () => undefined })
              }
            })
      // The commit of the own acceptor blocks the event loop: what goes to the others leaves first. And whoever shares the process
      // has a turn, also where there are no others: callers and replica could else go on for seconds without one.
      const paced = local && commits ? Effect.zipRight(eventLoop.turn, local) : local
      return logs && paced ? Effect.zipRight(logs, paced) : (logs ?? paced)
    }

    const receive = (message: AcceptorActor.Reply): void => {
      actor.tell({ _tag: "Receive", from: peers.self, message: message as Message.ToProposer })
    }

    /** A request that fails, or finds too many under way already, is a lost message. */
    const request = (to: NodeId.NodeId, message: Message.ToAcceptor): void => {
      const send = (answer: Answer) => peers.peer(to).acceptor(sent, message, answer)
      outstanding.ask(to, send, (reply) => {
        if (reply._tag !== "EpochDiffers") actor.tell({ _tag: "Receive", from: to, message: reply })
        else if (reply.epoch > epoch.number) options.behind(to)
      })
    }

    const wake = (): void => {
      if (draining) return
      // A full mailbox loses the wake-up and drains anyway, since every other input drains too.
      draining = actor.tell({ _tag: "Drain" })
    }

    const actor = yield* Actor.make({
      name: "proposer",
      initial: Proposer.initial(options.promised),
      mailbox: config.mailbox,
      step,
      send
    })

    const handingOver = HandingOver.make({
      ...{ core, quorums, wake, within: config.handOver },
      priority: (node) => config.priorities[node] ?? 0,
      isIdle: () => !reads.underWay() && outcomes.isEmpty(),
      state: actor.state,
      tell: actor.tell,
      ask: (to, ballot) => runFork(peers.peer(to).takeOver(sent, { _tag: "TakeOver", ballot }))
    })

    const leads = () => !retired && actor.state()._tag === "Leading"

    const refusal = (bytes: number): ClientRpcs.NotLeader | Outcome.Overloaded | undefined => {
      if (!leads()) return notLeader()
      if (waitingBytes + bytes <= config.waitingBytes) return undefined
      return new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) })
    }

    return {
      ...actor,
      refusal,
      submit: (envelope, decoded) =>
        options.requests.ask((answer) => {
          const refused = refusal(envelope.length)
          if (refused !== undefined) return answer(Effect.fail(refused))
          waiting.push({ envelope, decoded, end: answer, refuse: (error) => answer(Effect.fail(error)) })
          waitingBytes += envelope.length
          wake()
        }),
      handOver: options.requests.ask((answer) => {
        if (alone || !leads()) return answer(Effect.succeed(false))
        handingOver.toAny((handed) => answer(Effect.succeed(handed)))
      }),
      prefer: handingOver.prefer,
      change: (request) =>
        options.requests.ask((answer) => {
          if (retired || !actor.tell({ _tag: "Change", request, answer })) answer(Effect.fail({ _tag: "Busy" }))
        }),
      retire: (through) => {
        retired = true
        outcomes.abandon(through)
        refuseAll()
        handingOver.end(false)
      },
      leased: () => (retired ? undefined : Proposer.leased(actor.state(), core, now())),
      confirm: options.requests.ask((answer) => {
        if (!leads()) return answer(Effect.fail(notLeader()))
        if (reads.size() >= config.waitingReads) {
          return answer(Effect.fail(new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) })))
        }
        const withdraw = reads.add({
          serve: (slot) => answer(Effect.succeed(slot)),
          refuse: (error) => answer(Effect.fail(error))
        })
        wake()
        return withdraw
      })
    }
  })
