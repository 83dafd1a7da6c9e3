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
import { EventLoop } from "./EventLoop.js"
import type { Outcomes, Submission } from "./Outcomes.js"
import { Peers, type Sent } from "./Peers.js"
import * as Monotonic from "./Monotonic.js"
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

/** A lead that is being handed over. */
interface HandOver {
  readonly ends: Array<(handed: boolean) => void>
  /** Nobody else is to get it. */
  only: NodeId.NodeId | undefined
  /** The last round in which somebody may take over. */
  readonly last: number
  /** Whom this was asked of, and who can't be reached. */
  asked: NodeId.NodeId | undefined
  readonly unreachable: Set<NodeId.NodeId>
}

/** So many times as long as a hand-over may take, a replica that did not take the lead is not offered it again. */
const restAfterRefusal = 10

/** A request that has no answer yet. */
interface Outstanding {
  /** In which round it was sent. */
  readonly round: number
  forget: () => void
}

interface Reader {
  readonly serve: (slot: Slot.Slot) => void
  readonly refuse: (error: ClientRpcs.NotLeader) => void
}

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
    let readers = new Set<Reader>()
    /** Reads whose confirmation is under way, by its round. One round at a time serves all reads that wait. */
    let confirming: { readonly round: number; readonly readers: Set<Reader> } | undefined
    let handOver: HandOver | undefined
    /** The round before which nobody is offered the lead for the sake of its priority. */
    let restUntil = 0
    let draining = false
    let retired = false
    let claimed = Proposer.claim(Proposer.initial(options.promised))
    /** Requests under way to each peer. */
    const outstanding = new Map<NodeId.NodeId, Set<Outstanding>>()
    let rounds = 0

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
      if (input._tag === "Tick") giveUp(++rounds - config.silence)
      // What was asked a round ago is lost.
      if (input._tag === "Tick" && handOver !== undefined) handOver.asked = undefined
      const next = Proposer.step(state, input._tag === "Tick" ? { ...input, now: now() } : input, core)
      if (waiting.length === 0 && readers.size === 0) return next
      const drained = drain(next.state)
      return { state: drained.state, actions: [...next.actions, ...drained.actions] }
    }

    /** The stop sign goes behind all that was proposed; what waits is for the next epoch. */
    const change = (state: Proposer.State, { answer, request }: Change): Step.Step<Proposer.State, Proposer.Action> => {
      const next: Either.Either<Membership.Membership, MembershipChange.Refusal> =
        handOver === undefined ? MembershipChange.next(state, epoch, request, core) : Either.left({ _tag: "Busy" })
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
      if (handOver !== undefined) return { state, actions: [] }
      const entries = batches(state, Proposer.capacity(state, core))
      const proposed =
        entries.length === 0 ? { state, actions: [] } : Proposer.step(state, { _tag: "Propose", entries }, core)
      // Those of a round that was answered in this turn are served at its end, and only then is their place free.
      const mayConfirm = confirming === undefined && Proposer.mayConfirm(proposed.state)
      if (readers.size === 0 || !mayConfirm || proposed.state._tag !== "Leading") return proposed
      const confirmed = Proposer.step(proposed.state, { _tag: "Confirm", now: now() }, core)
      confirming = { round: proposed.state.confirm.asked + 1, readers }
      readers = new Set()
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
      const refused = [...waiting, ...readers, ...(confirming?.readers ?? [])]
      waiting = []
      waitingBytes = 0
      readers = new Set()
      confirming = undefined
      for (const { refuse } of refused) refuse(notLeader(leader))
    }

    /** Once nothing is under way any more: gives up its lease for good, and tells a successor. */
    const handOn = (state: Proposer.State, handing: HandOver): void => {
      const { only, unreachable } = handing
      const others = quorums.members.filter(
        (node) => node !== peers.self && !unreachable.has(node) && (only === undefined || node === only)
      )
      if (others.length === 0 || rounds > handing.last) return endHandOver(false)
      if (state._tag !== "Leading" || handing.asked !== undefined) return
      if (confirming !== undefined || !outcomes.isEmpty()) return
      const to = Proposer.successors(state, core)
        .filter((node) => others.includes(node))
        .sort((a, b) => priority(b) - priority(a))[0]
      if (to === undefined) return
      if (!state.lease.released) return void actor.tell({ _tag: "Release" })
      handing.asked = to
      const fiber = runFork(peers.peer(to).takeOver(sent, { _tag: "TakeOver", ballot: state.ballot }))
      fiber.addObserver((exit) => {
        if (exit._tag === "Success") return
        handing.unreachable.add(to)
        handing.asked = undefined
        wake()
      })
    }

    const priority = (node: NodeId.NodeId) => config.priorities[node] ?? 0

    /** To that node alone, or whoever can; what is under way already goes on, also to others then. */
    const begin = (only: NodeId.NodeId | undefined): HandOver => {
      const last = rounds + config.handOver
      handOver ??= { ends: [], only, last, asked: undefined, unreachable: new Set() }
      if (only === undefined) handOver.only = undefined
      return handOver
    }

    const endHandOver = (handed: boolean): void => {
      const { ends = [], only } = handOver ?? {}
      handOver = undefined
      const state = actor.state()
      if (!handed && only !== undefined) restUntil = rounds + restAfterRefusal * config.handOver
      // Whoever was asked may yet take over, and nobody waits for a lease that was given up: the next ballot has one again.
      if (!handed && terms !== undefined && state._tag === "Leading" && state.lease.released) {
        actor.tell({ _tag: "Campaign", above: state.highest })
      }
      for (const end of ends) end(handed)
      wake()
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
            if (handOver !== undefined) endHandOver(action.ballot.node !== peers.self)
            options.observe(action.ballot)
            break
          case "Confirmed":
            if (confirming !== undefined && confirming.round <= action.confirm) {
              for (const { serve } of confirming.readers) serve(action.slot)
              confirming = undefined
              if (readers.size > 0) wake()
            }
            break
        }
      }
      if (handOver !== undefined) handOn(actor.state(), handOver)
      const local =
        own.length === 0
          ? undefined
          : Effect.sync(() => {
              for (const message of own) {
                options.acceptor({ message, epoch: epoch.number, reply: receive, refuse: () => undefined })
              }
            })
      // The commit of the own acceptor blocks the event loop: what goes to the others leaves first.
      const paced = local && commits && !alone ? Effect.zipRight(eventLoop.turn, local) : local
      return logs && paced ? Effect.zipRight(logs, paced) : (logs ?? paced)
    }

    const receive = (message: AcceptorActor.Reply): void => {
      actor.tell({ _tag: "Receive", from: peers.self, message: message as Message.ToProposer })
    }

    /** A request that fails, or finds too many under way already, is a lost message. */
    const request = (to: NodeId.NodeId, message: Message.ToAcceptor): void => {
      const requests = outstanding.get(to) ?? new Set<Outstanding>()
      outstanding.set(to, requests)
      if (requests.size >= config.outstanding) return
      const one: Outstanding = { round: rounds, forget: () => undefined }
      requests.add(one)
      one.forget = peers.peer(to).acceptor(sent, message, (reply) => {
        requests.delete(one)
        if (reply === undefined) return
        if (reply._tag !== "EpochDiffers") actor.tell({ _tag: "Receive", from: to, message: reply })
        else if (reply.epoch > epoch.number) options.behind(to)
      })
    }

    /**
     * Gives up requests of that round and earlier ones: what was lost is never answered, and must not take the place of
     * what is to be sent again.
     */
    const giveUp = (round: number): void => {
      for (const requests of outstanding.values()) {
        // In the order in which they were sent.
        for (const one of requests) {
          if (one.round > round) break
          requests.delete(one)
          one.forget()
        }
      }
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => giveUp(Infinity)))

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
        begin(undefined).ends.push((handed) => answer(Effect.succeed(handed)))
        wake()
      }),
      prefer: (to) => {
        if (handOver !== undefined || rounds < restUntil || !Proposer.keepsUp(actor.state(), to, core)) return
        begin(to)
        wake()
      },
      change: (request) =>
        options.requests.ask((answer) => {
          if (retired || !actor.tell({ _tag: "Change", request, answer })) answer(Effect.fail({ _tag: "Busy" }))
        }),
      retire: (through) => {
        retired = true
        outcomes.abandon(through)
        refuseAll()
        if (handOver !== undefined) endHandOver(false)
      },
      leased: () => (retired ? undefined : Proposer.leased(actor.state(), core, now())),
      confirm: options.requests.ask((answer) => {
        if (!leads()) return answer(Effect.fail(notLeader()))
        if (readers.size + (confirming?.readers.size ?? 0) >= config.waitingReads) {
          return answer(Effect.fail(new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) })))
        }
        const reader: Reader = {
          serve: (slot) => answer(Effect.succeed(slot)),
          refuse: (error) => answer(Effect.fail(error))
        }
        readers.add(reader)
        wake()
        return () => {
          readers.delete(reader)
          confirming?.readers.delete(reader)
        }
      })
    }
  })
