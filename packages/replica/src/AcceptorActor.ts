/**
 * The acceptor as an actor: one transaction and one fsync a turn, then the replies, then the chosen entries to the learner.
 *
 * After a write that failed it votes no more, and says so, until it could read again what its journal holds. It goes on
 * from that, as after a restart, and from nothing it remembers (DESIGN 5.8). A damaged journal ends it.
 *
 * ```
 *   proposers ── Prepare, Accept, Fetch ──►┌──────────┐── write ──► journal
 *             ◄── one reply each ──────────│ acceptor │── Chosen ─► learner
 *   snapshots ── Trim, Install ───────────►│          │── Restore ► learner
 *   replicas  ── Learn, Learned ──────────►└────┬─────┘
 *                                               ├──── Observe ───► proposer and election of this replica
 *                                               └──── Enter ─────► they begin anew, in the epoch behind a chosen stop sign
 * ```
 *
 * @since 0.1.0
 */
import { Endpoint } from "@synod/client"
import { type Contract, Journal, type JournalError } from "@synod/journal"
import { Acceptor, Ballot, Durable, Epoch, Slot } from "@synod/paxos"
import type { Entry, Message, NodeId, Step } from "@synod/paxos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Actor from "./Actor.js"
import * as Monotonic from "./Monotonic.js"
import { EpochDiffers } from "./Peers.js"
import { grant, ReplicaConfig } from "./ReplicaConfig.js"

/**
 * A message and the way back: `reply` or `refuse` is called once, and neither when the replica stops before.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly message: Acceptor.Input
  /** The epoch in which a proposer sent it; none of what counts in any. */
  readonly epoch?: number
  readonly reply: (message: Reply) => void
  /** There will be no reply: it was sent in another epoch, or is as if it were lost. */
  readonly refuse: (why: Endpoint.Unreachable | EpochDiffers) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export type Reply = Message.ToProposer | Message.Learned | Message.Unlearnable

/**
 * What the own replica asks, or has learned; nobody waits for a reply.
 *
 * @since 0.1.0
 * @category constructors
 */
export const local = (message: Acceptor.Local | Message.Learned): Request => ({
  message,
  reply: () => undefined,
  refuse: () => undefined
})

/** What the actor does for an input. */
type Action =
  | Acceptor.Action
  /** It came in another epoch than this one. */
  | { readonly _tag: "Differs"; readonly epoch: number }

/**
 * @since 0.1.0
 * @category models
 */
export interface AcceptorActor extends Actor.Actor<Request, Acceptor.State> {
  /**
   * Why it does not vote now, in one sentence: a write failed, or takes longer than any peer would wait. Nothing while
   * it votes.
   */
  readonly trouble: () => string | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** Takes chosen entries; may wait until the learner has room. */
  readonly deliver: (after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>) => Effect.Effect<void>
  /** A snapshot has taken the place of the log, durably. */
  readonly restore: (slot: Slot.Slot) => Effect.Effect<void>
  /** What is lacking here is to be had from this node, as a snapshot. */
  readonly pull: (source: NodeId.NodeId) => void
  /** The log was trimmed. */
  readonly trimmed: () => void
  /** A higher ballot was promised. */
  readonly observe: (ballot: Ballot.Ballot) => void
  /** This epoch is the one that it is in now, durably, with that promise. May be told again. */
  readonly enter: (epoch: Epoch.Epoch, promised: Ballot.Ballot) => Effect.Effect<void, Actor.Failure>
  /** What was learned from another replica is durable. */
  readonly learned: () => void
  /** With whom the cluster is founded is durable. */
  readonly noted: () => void
}): Effect.Effect<AcceptorActor, JournalError.JournalError, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig
    const clock = yield* Effect.clock
    const core: Acceptor.Options = { keep: config.keep, grant: grant(config) }
    const monotonic = Monotonic.make(clock)
    const now = config.lease === "off" ? () => 0 : monotonic
    /** Grants are in no journal: whoever reads its journal is bound for as long as the last one may last. */
    const recovered = stateOf(journal, config.chunk, () => now() + grant(config))
    const patience = Duration.toMillis(config.heartbeat) * config.silence
    /** Why it does not vote, since a write failed. */
    let failure: string | undefined
    /** When the write under way began. */
    let writing: number | undefined

    const persist = (asked: ReadonlyArray<Actor.Asked<Request, Action>>) => {
      const writes: Array<Durable.Write> = []
      for (const { action } of asked) if (action._tag === "Persist") writes.push(action.write)
      const merged = Durable.merge(writes)
      if (merged.length === 0) return undefined
      writing = clock.unsafeCurrentTimeMillis()
      return Effect.map(
        merged.length === 1 ? journal.write(merged[0]!) : Effect.forEach(merged, journal.write, { discard: true }),
        () => void (writing = undefined)
      )
    }

    const recover = Effect.fnUntraced(function* (error: JournalError.JournalError, requests: ReadonlyArray<Request>) {
      writing = undefined
      if (!isPassing(error)) return yield* Effect.fail(error)
      failure = error.message
      for (const { refuse } of requests) refuse(lost(error.message))
      yield* Effect.logWarning(`votes no more: ${failure}`)
      const state = yield* Effect.delay(Effect.flatMap(journal.recover, recovered), config.heartbeat).pipe(
        Effect.retry({ while: isPassing, schedule: Schedule.spaced(config.heartbeat) })
      )
      failure = undefined
      yield* Effect.logInfo(`votes again, with ballot ${Ballot.format(state.promised)} promised`)
      // The write that failed may be there after all.
      options.observe(state.promised)
      yield* options.deliver(state.chosenThrough, [])
      yield* options.enter(state.epochs.present, state.promised)
      return state
    })

    const send = (asked: ReadonlyArray<Actor.Asked<Request, Action>>) => {
      let reading: Array<Effect.Effect<void>> | undefined
      for (const { action, input } of asked) {
        if (action._tag === "Reply") {
          if (action.message._tag === "Promise") options.observe(action.message.ballot)
          input.reply(action.message)
        }
        if (action._tag === "Refuse") input.refuse(lost("it has granted a lease to another leader"))
        if (action._tag === "Differs") input.refuse(new EpochDiffers({ epoch: action.epoch }))
        if (action._tag === "Teach") input.reply(action.message)
        if (action._tag === "Pull") options.pull(action.source)
        if (action._tag === "Persist" && input.message._tag === "Trim") options.trimmed()
        if (action._tag === "Persist" && input.message._tag === "Learned") options.learned()
        if (action._tag === "Persist" && input.message._tag === "Note") options.noted()
        if (action._tag === "Read") {
          const { after, ballot, bytes } = action.fetch
          const tell = (entries: ReadonlyArray<Entry.Entry>) => input.reply({ _tag: "Fetched", ballot, after, entries })
          ;(reading ??= []).push(read(after, { slots: config.replay, bytes }, input, tell))
        }
        if (action._tag === "ReadChosen") {
          const { bytes, lesson, slots } = action
          const tell = (entries: ReadonlyArray<Entry.Entry>) => input.reply({ ...lesson, entries })
          ;(reading ??= []).push(read(lesson.after, { slots: Math.min(slots, config.replay), bytes }, input, tell))
        }
      }
      return reading && Effect.all(reading, { discard: true })
    }

    /** A piece that can't be read is not sent; whoever asks again gets it when the journal can. */
    const read = (
      after: Slot.Slot,
      limit: Contract.Limit,
      { refuse }: Request,
      tell: (entries: ReadonlyArray<Entry.Entry>) => void
    ) =>
      journal.read(after, limit).pipe(
        Effect.map(tell),
        Effect.catchAll((error) => {
          refuse(lost(error.message))
          return Effect.logWarning(error.message)
        })
      )

    const deliver = (asked: ReadonlyArray<Actor.Asked<Request, Action>>) => {
      let after: Slot.Slot | undefined
      let restored: Slot.Slot | undefined
      let entries: Array<Entry.Entry> = []
      let entered = false
      for (const { action } of asked) {
        if (action._tag === "Enter") entered = true
        // What was delivered before is in the snapshot.
        if (action._tag === "Restore") [restored, after, entries] = [action.slot, undefined, []]
        if (action._tag !== "Deliver") continue
        after ??= action.after
        entries.push(...action.entries)
      }
      const parts: Array<Effect.Effect<void, Actor.Failure>> = []
      if (restored !== undefined) parts.push(options.restore(restored))
      if (after !== undefined) parts.push(options.deliver(after, entries))
      if (entered) parts.push(Effect.suspend(enter))
      return parts.length < 2 ? parts[0] : Effect.all(parts, { discard: true })
    }

    const enter = () => {
      const { epochs, promised } = actor.state()
      return options.enter(epochs.present, promised)
    }

    const step = (state: Acceptor.State, { epoch, message }: Request): Step.Step<Acceptor.State, Action> => {
      const { number } = state.epochs.present
      return epoch === undefined || Epoch.judge(number, epoch) === "obey"
        ? Acceptor.step(state, message, core, now())
        : { state, actions: [{ _tag: "Differs", epoch: number }] }
    }

    const actor: Actor.Actor<Request, Acceptor.State> = yield* Actor.make({
      name: "acceptor",
      initial: yield* recovered(journal.recovered),
      mailbox: config.mailbox,
      step,
      persist,
      recover,
      send,
      deliver
    })
    return {
      ...actor,
      tell: (request) => {
        if (failure === undefined) return actor.tell(request)
        request.refuse(lost(failure))
        return true
      },
      trouble: () => {
        const taken = writing === undefined ? 0 : clock.unsafeCurrentTimeMillis() - writing
        return failure ?? (taken > patience ? `a write to the journal has taken ${taken} ms so far` : undefined)
      }
    }
  })

/** An acceptor whose journal holds this: with the entries behind the chosen ones, few, since a leader proposes only so far ahead. */
const stateOf =
  (journal: Journal.Journal["Type"], bytes: number, grantedUntil: () => number) =>
  (durable: Durable.Durable): Effect.Effect<Acceptor.State, JournalError.JournalError> =>
    Effect.gen(function* () {
      const { acceptedThrough, chosenThrough } = durable
      const entries: Array<Entry.Entry> = []
      while (chosenThrough + entries.length < acceptedThrough) {
        const slots = acceptedThrough - chosenThrough - entries.length
        entries.push(...(yield* journal.read(Slot.plus(chosenThrough, entries.length), { slots, bytes })))
      }
      return Acceptor.recover(durable, entries, grantedUntil())
    })

const lost = (reason: string) => new Endpoint.Unreachable({ reason, sent: true })

/** The disk may be well again the next time. */
const isPassing = ({ _tag }: JournalError.JournalError): boolean =>
  _tag === "JournalFailed" || _tag === "JournalUnsettled"
