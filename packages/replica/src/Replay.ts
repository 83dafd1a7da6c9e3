/**
 * Applies a stretch of the log once more, through a machine of its own, for those who follow what happened then.
 *
 * ```
 *   snapshot ──► machine ◄── entries of the journal, through the slot from which on others show it
 *                   │
 *                   ▼ elements after `after`
 *                window of some pages ──► page, page, …       full: it waits until somebody asks for more
 * ```
 *
 * @since 0.1.0
 */
import { Endpoint } from "@synod/client"
import { Journal } from "@synod/journal"
import { type Entry, Slot } from "@synod/paxos"
import { Feed, FeedWindow } from "@synod/state-machine"
import type { Executor, Machine, Outcome } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { batchOf } from "./Applying.js"
import { EventLoop } from "./EventLoop.js"
import * as FeedTracks from "./FeedTracks.js"
import * as ReplicaConfig from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"
import * as SnapshotPieces from "./SnapshotPieces.js"

/**
 * How asking for what was before may fail.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = Feed.FeedTrimmed | Outcome.Overloaded | Endpoint.Unreachable

/**
 * @since 0.1.0
 * @category models
 */
export interface Asked {
  readonly query: Uint8Array | undefined
  readonly after: Feed.Position
  /** About how long the page may be. */
  readonly bytes: number
  /** When whoever asks wants to hear something, in milliseconds since 1970. */
  readonly end: number
  /** From this slot on it is shown by others; the learner has applied it. */
  readonly until: () => number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Replay {
  /** It has come by this position, and knows what came after. */
  readonly holds: (after: Feed.Position) => boolean
  /** What came after a position; nothing if nothing was found in time. */
  readonly page: (asked: Asked) => Effect.Effect<Feed.Page, Failure>
  /** When it was asked for last, in milliseconds since 1970; nothing while somebody waits. */
  readonly left: () => number | undefined
  /** Its work; ends when nobody has asked for it for some time. */
  readonly life: Effect.Effect<void, Failure>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly requests: Requests
  readonly where: Executor.Where
  /** The log begins after this slot. */
  readonly trimmedThrough: () => Slot.Slot
}

/**
 * A replay of what came after a position, as far as others don't show it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  executor: Executor.Executor,
  options: Options,
  first: Asked
): Effect.Effect<Replay, never, Journal.Journal> =>
  Effect.gen(function* () {
    const { requests, trimmedThrough, where } = options
    const { after, query } = first
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig.ReplicaConfig
    const eventLoop = yield* EventLoop
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const idle = Duration.toMillis(config.idle)
    const hold = Duration.toMillis(config.hold)
    const longest = ReplicaConfig.longestReply(config)
    // What follows a command of a slot is found by applying the whole slot.
    const from = after.index === undefined ? after.slot : Math.max(0, after.slot - 1)
    /** How far whoever is ahead has asked. */
    let asked = after
    // Of the slot of a command the window can't tell whether that was its last one.
    const needed = () => (asked.index === undefined ? asked.slot + 1 : asked.slot)
    const window = FeedWindow.make(from, 2 * config.chunk, needed)
    const waiting = new Set<() => void>()
    const room = Effect.unsafeMakeLatch(false)
    /** Of whoever asked last: those who show it may have begun anew since, later. */
    let { until } = first
    let used = now()
    let failure: Failure | undefined
    /** The query's answer as it stands, from the first slot that counts. */
    let answer: Feed.Record | undefined

    const release = (): void => {
      for (const resume of waiting) resume()
      waiting.clear()
    }

    const trimmed = Effect.gen(function* () {
      const later = (yield* journal.snapshots).flatMap(({ slot }) => (slot > from ? [slot] : []))
      return yield* new Feed.FeedTrimmed({
        earliest: Math.min(until(), ...later.filter((slot) => slot >= trimmedThrough()))
      })
    })

    /** From the newest snapshot that isn't too new, or from the first slot. */
    const bringOn = (machine: Machine.Machine) =>
      Effect.gen(function* () {
        for (const snapshot of yield* journal.snapshots) {
          if (snapshot.slot > from || snapshot.slot < trimmedThrough()) continue
          const brought = yield* SnapshotPieces.restore(machine, snapshot).pipe(
            Effect.flatMap(({ adopt }) => adopt),
            Effect.scoped,
            Effect.as(true),
            Effect.catchTag("SnapshotUnusable", ({ message }) => Effect.as(Effect.logWarning(message), false))
          )
          if (brought) return
        }
        if (trimmedThrough() > 0) yield* trimmed
      })

    const look = (machine: Machine.Machine): Either.Either<void, Machine.MachineFailed> =>
      query === undefined
        ? Either.void
        : Either.map(FeedTracks.answerTo(machine, query, longest), (now) => {
            if (answer === undefined) answer = now
            else answer = FeedTracks.appendAnswer(window, answer, now)
          })

    const apply = (machine: Machine.Machine, entry: Entry.Entry): Either.Either<void, Machine.MachineFailed> => {
      const { slot, time } = machine.at()
      const at = { slot: slot + 1, time: Math.max(time, entry.time) }
      const performed: Array<Feed.Record> = []
      return machine
        .apply(at, batchOf(entry), (index, command, answer) => {
          performed.push({ ...at, index, command, answer })
        })
        .pipe(
          Either.flatMap(() => {
            if (query !== undefined) return at.slot < from ? Either.void : look(machine)
            if (at.slot > from) FeedTracks.append(window, at.slot, performed, batchOf(entry).length, longest)
            return Either.void
          })
        )
    }

    /** Waits until somebody asks, and for more than there is. */
    const demand = (machine: Machine.Machine) =>
      Effect.gen(function* () {
        while (machine.at().slot >= until() || window.ahead(asked) > config.chunk) {
          release()
          yield* room.close
          yield* room.await
        }
      })

    const work = Effect.gen(function* () {
      const machine = yield* executor.apart(where)
      yield* bringOn(machine)
      if (machine.at().slot === from) yield* look(machine)
      let held = now()
      for (;;) {
        yield* demand(machine)
        const { slot } = machine.at()
        const slots = Math.min(config.replay, until() - slot)
        const entries = yield* journal.read(Slot.make(slot), { slots, bytes: config.chunk })
        if (entries.length === 0) yield* trimmed
        for (const entry of entries) {
          if (window.ahead(asked) > config.chunk) yield* demand(machine)
          yield* apply(machine, entry)
          if (now() - held < hold) continue
          yield* eventLoop.turn
          held = now()
        }
        release()
      }
    }).pipe(
      Effect.scoped,
      Effect.catchTag("JournalTrimmed", () => trimmed),
      Effect.mapError((error): Failure =>
        error._tag === "FeedTrimmed" ? error : new Endpoint.Unreachable({ reason: error.message, sent: true })
      ),
      Effect.tapError((error) =>
        Effect.sync(() => {
          failure = error
          release()
        })
      )
    )

    const unused = Effect.gen(function* () {
      while (waiting.size > 0 || now() - used < idle) yield* Effect.sleep(idle)
    })

    const page: Replay["page"] = (request) =>
      Effect.suspend(() => {
        if (failure !== undefined) return Effect.fail(failure)
        const { after, bytes, end } = request
        used = now()
        until = request.until
        if (Feed.isBefore(asked, after)) asked = after
        room.unsafeOpen()
        const page = window.page(after, bytes) ?? { records: [], through: after }
        if (page.records.length > 0 || used >= end || window.through() >= until()) return Effect.succeed(page)
        const through = window.through()
        return requests
          .ask<void>((answer) => {
            if (window.through() > through || failure !== undefined) return answer(Effect.void)
            const resume = () => answer(Effect.void)
            waiting.add(resume)
            return () => waiting.delete(resume)
          })
          .pipe(
            Effect.timeoutTo({ duration: end - used, onSuccess: Option.some, onTimeout: Option.none<void> }),
            Effect.zipRight(replay.page(request))
          )
      })

    const replay: Replay = {
      holds: (after) => failure === undefined && window.page(after, 0) !== undefined,
      page,
      left: () => (waiting.size > 0 ? undefined : used),
      life: Effect.provideService(Effect.raceFirst(work, unused), Journal.Journal, journal)
    }
    return replay
  })
