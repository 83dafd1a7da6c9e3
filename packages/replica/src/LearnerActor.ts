/**
 * The learner as an actor: applies chosen entries to the machine, in order, and hands each slot's replies to whoever waits.
 *
 * @since 0.1.0
 */
import { Journal } from "@synod/journal"
import { Entry, Learner } from "@synod/paxos"
import type { Slot } from "@synod/paxos"
import type { Executor } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Actor from "./Actor.js"
import { EventLoop } from "./EventLoop.js"
import type { Endpoint } from "@synod/client"
import type { Outcomes } from "./Outcomes.js"
import { ReplicaConfig } from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * The machine as it stands after a slot.
 *
 * @since 0.1.0
 * @category models
 */
export interface Applied {
  readonly through: Slot.Slot
  /** The agreed time of that slot, in milliseconds since 1970. */
  readonly time: number
  readonly replicated: Executor.Replicated
}

/**
 * @since 0.1.0
 * @category models
 */
export type Input =
  | Exclude<Learner.Input, { readonly _tag: "Restored" }>
  | { readonly _tag: "Restored"; readonly slot: Slot.Slot; readonly machine: Applied }

/**
 * @since 0.1.0
 * @category models
 */
export interface LearnerActor extends Actor.Actor<Input | ReadFailed, Learner.State> {
  /** The machine now; a value that later slots leave as it is. */
  readonly applied: () => Applied
  /** Waits until a slot has been applied. */
  readonly reached: (slot: Slot.Slot) => Effect.Effect<Applied, Endpoint.Unreachable>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  executor: Executor.Executor,
  outcomes: Outcomes,
  requests: Requests,
  options: {
    /** The machine to start from. */
    readonly machine: Applied
    /** The journal can't bring the machine from there to now: it takes a snapshot first. */
    readonly waiting: boolean
    /** The journal begins behind what the machine needs next. */
    readonly lacks: () => void
    /** A slot was applied, whose entry has so many bytes. */
    readonly applied: (machine: Applied, bytes: number) => void
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

    let applied = options.machine
    /** Reads that wait, by no order: there are few, and they are looked at once a turn. */
    const readers = new Set<{ readonly slot: Slot.Slot; readonly resume: (applied: Applied) => void }>()

    const apply = (slot: Slot.Slot, entry: Entry.Entry): void => {
      // Leaders' clocks differ; the machine's time never goes back.
      const time = Math.max(applied.time, entry.time)
      const { replies, state } = executor.apply(applied.replicated, { slot, time }, entry.batch)
      applied = { through: slot, time, replicated: state }
      outcomes.settle(slot, entry, replies)
      options.applied(applied, Entry.sizeOf(entry))
    }

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
      initial: options.waiting ? Learner.waiting : Learner.initial(options.machine.through),
      mailbox: config.mailbox,
      step: (state, input) => (input._tag === "Failed" ? { state, actions: [input] } : Learner.step(state, input)),
      send: (asked) => {
        for (const { action } of asked) if (action._tag === "Read") runFork(read(action.after), { scope })
        return undefined
      },
      deliver: Effect.fnUntraced(function* (asked) {
        let held = clock.unsafeCurrentTimeMillis()
        for (const { action, input } of asked) {
          if (action._tag === "Restore" && input._tag === "Restored") {
            applied = input.machine
            outcomes.skip(applied.through)
            serve()
          }
          if (action._tag === "Failed") return yield* Effect.fail(action.error)
          if (action._tag !== "Apply") continue
          apply(action.slot, action.entry)
          serve()
          if (clock.unsafeCurrentTimeMillis() - held < hold) continue
          yield* eventLoop.turn
          held = clock.unsafeCurrentTimeMillis()
        }
      })
    })

    /** Resumes reads whose slot is applied. */
    const serve = (): void => {
      for (const reader of readers) {
        if (reader.slot > applied.through) continue
        readers.delete(reader)
        reader.resume(applied)
      }
    }

    return {
      ...actor,
      applied: () => applied,
      reached: (slot) =>
        requests.ask<Applied>((answer) => {
          if (slot <= applied.through) return answer(Effect.succeed(applied))
          const reader = { slot, resume: (applied: Applied) => answer(Effect.succeed(applied)) }
          readers.add(reader)
          return () => readers.delete(reader)
        })
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
