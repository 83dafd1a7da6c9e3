/**
 * The acceptor as an actor: one transaction and one fsync a turn, then the replies, then the chosen entries to the learner.
 *
 * ```
 *   proposers ── Prepare, Accept, Fetch ──►┌──────────┐── write ──► journal
 *             ◄── one reply each ──────────│ acceptor │── Chosen ─► learner
 *                                          └────┬─────┘
 *                                               └──── Observe ───► proposer and election of this replica
 * ```
 *
 * @since 0.1.0
 */
import { Journal } from "@synod/journal"
import { Acceptor, Durable } from "@synod/paxos"
import type { Ballot, Entry, Message, Slot } from "@synod/paxos"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Actor from "./Actor.js"
import { ReplicaConfig } from "./ReplicaConfig.js"

/**
 * A message and the way back: `reply` or `refuse` is called once, and neither when the replica stops before.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly message: Message.ToAcceptor
  readonly reply: (message: Message.ToProposer) => void
  /** There will be no reply, as if the message were lost. */
  readonly refuse: (reason: string) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export type AcceptorActor = Actor.Actor<Request, Acceptor.State>

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** What the journal held behind the chosen slots. */
  readonly entries: ReadonlyArray<Entry.Entry>
  /** Takes chosen entries; may wait until the learner has room. */
  readonly deliver: (after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>) => Effect.Effect<void>
  /** A higher ballot was promised. */
  readonly observe: (ballot: Ballot.Ballot) => void
}): Effect.Effect<AcceptorActor, never, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig

    const persist = (asked: ReadonlyArray<Actor.Asked<Request, Acceptor.Action>>) => {
      const writes: Array<Durable.Write> = []
      for (const { action } of asked) if (action._tag === "Persist") writes.push(action.write)
      const merged = Durable.merge(writes)
      return merged.length === 0
        ? Effect.void
        : merged.length === 1
          ? journal.write(merged[0]!)
          : Effect.forEach(merged, journal.write, { discard: true })
    }

    const send = (asked: ReadonlyArray<Actor.Asked<Request, Acceptor.Action>>) => {
      let reading: Array<Effect.Effect<void>> | undefined
      for (const { action, input } of asked) {
        if (action._tag === "Reply") {
          if (action.message._tag === "Promise") options.observe(action.message.ballot)
          input.reply(action.message)
        }
        if (action._tag === "Read") (reading ??= []).push(read(action.fetch, input))
      }
      return reading && Effect.all(reading, { discard: true })
    }

    /** A piece that can't be read is not sent; whoever asks again gets it when the journal can. */
    const read = ({ after, ballot, bytes }: Message.Fetch, { refuse, reply }: Request) =>
      journal.read(after, { slots: config.replay, bytes }).pipe(
        Effect.map((entries) => reply({ _tag: "Fetched", ballot, after, entries })),
        Effect.catchAll((error) => {
          refuse(error.message)
          return Effect.logWarning(error.message)
        })
      )

    const deliver = (asked: ReadonlyArray<Actor.Asked<Request, Acceptor.Action>>) => {
      let after: Slot.Slot | undefined
      const entries: Array<Entry.Entry> = []
      for (const { action } of asked) {
        if (action._tag !== "Deliver") continue
        after ??= action.after
        entries.push(...action.entries)
      }
      return after === undefined ? undefined : options.deliver(after, entries)
    }

    return yield* Actor.make({
      name: "acceptor",
      initial: Acceptor.recover(journal.recovered, options.entries),
      mailbox: config.mailbox,
      step: (state: Acceptor.State, { message }: Request) => Acceptor.step(state, message, config),
      persist,
      send,
      deliver
    })
  })
