/**
 * The learner as an actor: applies chosen entries to the machine, in order, and hands each slot's replies to whoever waits.
 *
 * A machine that fails for a passing reason, such as a full disk, stands still and is tried again after a heartbeat; what is
 * chosen meanwhile is read from the journal once it goes on.
 *
 * @since 0.1.0
 */
import { Journal } from "@synod/journal"
import { Entry, Learner, Slot } from "@synod/paxos"
import type { Feed, Machine } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Actor from "./Actor.js"
import { batchOf } from "./Applying.js"
import { EventLoop } from "./EventLoop.js"
import type { Endpoint } from "@synod/client"
import type { Outcomes } from "./Outcomes.js"
import { ReplicaConfig } from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  | Exclude<Learner.Input, { readonly _tag: "Restored" }>
  | { readonly _tag: "Restored"; readonly slot: Slot.Slot; readonly prepared: Machine.Prepared }

/**
 * @since 0.1.0
 * @category models
 */
export interface LearnerActor extends Actor.Actor<Input | ReadFailed, Learner.State> {
  /** The last slot applied. */
  readonly through: () => Slot.Slot
  /** Waits until a slot has been applied. */
  readonly reached: (slot: Slot.Slot) => Effect.Effect<void, Endpoint.Unreachable>
  /** What is chosen, for the learner. Waits until it has room, unless it stands still: then it learns of that later. */
  readonly learn: (after: Slot.Slot, entries: ReadonlyArray<Entry.Entry>) => Effect.Effect<void>
  /** Why the machine applies nothing now, in one sentence; nothing while it does. */
  readonly stalled: () => string | undefined
}

type Asked = ReadonlyArray<Actor.Asked<Input | ReadFailed, Learner.Action | ReadFailed>>

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  outcomes: Outcomes,
  requests: Requests,
  options: {
    /** The journal can't bring the machine from there to now: it takes a snapshot first. */
    readonly waiting: boolean
    /** The journal begins behind what the machine needs next. */
    readonly lacks: () => void
    /** A slot was applied, whose entry has so many bytes, and these commands were done in it. */
    readonly applied: (bytes: number, performed: ReadonlyArray<Feed.Record>) => void
    /** The machine goes on from a snapshot. */
    readonly restored: () => void
    /** The machine stands still. */
    readonly stalled: () => void
    /** Known to be chosen here. */
    readonly chosenThrough: () => Slot.Slot
  }
): Effect.Effect<LearnerActor, never, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const scope = yield* Effect.scope
    const clock = yield* Effect.clock
    const eventLoop = yield* EventLoop
    const hold = Duration.toMillis(config.hold)

    /** Reads that wait, by no order: there are few, and they are looked at once a turn. */
    const readers = new Set<{ readonly slot: Slot.Slot; readonly resume: () => void }>()
    let stalled: string | undefined
    const standsStill = yield* Effect.makeLatch(false)

    const through = (): Slot.Slot => Slot.make(machine.at().slot)

    const apply = (slot: Slot.Slot, entry: Entry.Entry): Machine.MachineFailed | undefined => {
      // Leaders' clocks differ; the machine's time never goes back.
      const time = Math.max(machine.at().time, entry.time)
      const performed: Array<Feed.Record> = []
      const note: Machine.Performed = (index, command, answer) => {
        performed.push({ slot, index, time, command, answer })
      }
      const applied = machine.apply({ slot, time }, batchOf(entry), note, outcomes.decoded(slot, entry))
      if (Either.isLeft(applied)) return applied.left
      outcomes.settle(slot, entry, applied.right)
      options.applied(Entry.sizeOf(entry), performed)
      serve()
      return undefined
    }

    /** Tries again what the machine could not do, until it can. */
    const insist = <A>(failed: Machine.MachineFailed, again: Effect.Effect<A, Machine.MachineFailed>) =>
      Effect.gen(function* () {
        if (!failed.passing) return yield* Effect.fail(failed)
        const standStill = ({ message }: Machine.MachineFailed) => {
          stalled = message
          options.stalled()
        }
        standStill(failed)
        yield* standsStill.open
        yield* Effect.logWarning(`applies no more: ${failed.message}`)
        const done = yield* Effect.delay(again, config.heartbeat).pipe(
          Effect.tapError((failed) => Effect.sync(() => standStill(failed))),
          Effect.retry({ while: ({ passing }) => passing })
        )
        stalled = undefined
        yield* standsStill.close
        yield* Effect.logInfo("applies again")
        // What was chosen meanwhile may have found no room.
        runFork(actor.offer({ _tag: "Chosen", after: options.chosenThrough(), entries: [] }), { scope })
        return done
      })

    const applyOnceItCan = (failed: Machine.MachineFailed, slot: Slot.Slot, entry: Entry.Entry) =>
      insist(
        failed,
        Effect.suspend(() => apply(slot, entry) ?? Effect.void)
      )

    const adopt = (prepared: Machine.Prepared) =>
      Effect.gen(function* () {
        yield* Effect.catchAll(prepared.adopt, (failed) => insist(failed, prepared.adopt))
        outcomes.skip(through())
        options.restored()
        serve()
      })

    const read = (after: Slot.Slot) =>
      journal.read(after, { slots: config.replay, bytes: config.chunk }).pipe(
        Effect.tapError((error) => Effect.logWarning(error.message)),
        // A journal that was not damaged answers when its disk does again, or when the acceptor has recovered it.
        Effect.retry({
          while: ({ _tag }) => _tag === "JournalFailed" || _tag === "JournalUnsettled",
          schedule: Schedule.spaced(config.heartbeat)
        }),
        Effect.flatMap((entries) => actor.offer({ _tag: "Read", after, entries })),
        // What a snapshot has taken the place of comes with that snapshot.
        Effect.catchTag("JournalTrimmed", () => Effect.sync(options.lacks)),
        Effect.catchAll((error) => actor.offer({ _tag: "Failed", error }))
      )

    const actor = yield* Actor.make<Learner.State, Input | ReadFailed, Learner.Action | ReadFailed>({
      name: "learner",
      initial: options.waiting ? Learner.waiting : Learner.initial(through()),
      mailbox: config.mailbox,
      step: (state, input) => (input._tag === "Failed" ? { state, actions: [input] } : Learner.step(state, input)),
      send: (asked) => {
        for (const { action } of asked) if (action._tag === "Read") runFork(read(action.after), { scope })
        return undefined
      },
      deliver: (asked) => deliver(asked, 0)
    })

    /** Nothing, once there is nothing left to wait for. */
    const deliver = (asked: Asked, from: number): Effect.Effect<void, Actor.Failure> | undefined => {
      const held = clock.unsafeCurrentTimeMillis()
      for (let i = from; i < asked.length; i++) {
        const { action, input } = asked[i]!
        const waiting = deliverOne(action, input)
        const long = action._tag === "Apply" && clock.unsafeCurrentTimeMillis() - held >= hold
        if (waiting === undefined && !long) continue
        const turn = long ? eventLoop.turn : Effect.void
        const first = waiting === undefined ? turn : Effect.zipRight(waiting, turn)
        return Effect.flatMap(first, () => deliver(asked, i + 1) ?? Effect.void)
      }
      return undefined
    }

    const deliverOne = (
      action: Learner.Action | ReadFailed,
      input: Input | ReadFailed
    ): Effect.Effect<void, Actor.Failure> | undefined => {
      if (action._tag === "Failed") return Effect.fail(action.error)
      if (action._tag === "Restore") return input._tag === "Restored" ? adopt(input.prepared) : undefined
      if (action._tag !== "Apply") return undefined
      const failed = apply(action.slot, action.entry)
      return failed && applyOnceItCan(failed, action.slot, action.entry)
    }

    /** Resumes reads whose slot is applied. */
    const serve = (): void => {
      for (const reader of readers) {
        if (reader.slot > through()) continue
        readers.delete(reader)
        reader.resume()
      }
    }

    return {
      ...actor,
      through,
      reached: (slot) =>
        requests.ask<void>((answer) => {
          if (slot <= through()) return answer(Effect.void)
          const reader = { slot, resume: () => answer(Effect.void) }
          readers.add(reader)
          return () => readers.delete(reader)
        }),
      learn: (after, entries) =>
        Effect.suspend(() => {
          const chosen = { _tag: "Chosen", after, entries } as const
          return actor.tell(chosen) ? Effect.void : Effect.raceFirst(actor.offer(chosen), standsStill.await)
        }),
      stalled: () => stalled
    }
  })

/**
 * The journal can't give back what it was given: without it the machine can't be rebuilt.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadFailed {
  readonly _tag: "Failed"
  readonly error: Actor.Failure
}
