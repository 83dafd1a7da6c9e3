/**
 * Shows to those who follow what is in the log only, by a bounded number of replays. Those who follow the same from about the
 * same position share one.
 *
 * ```
 *   Follow(after) ──► which replay has come by there? ── one ──► page
 *                          │ none
 *                          └──► a place? ── yes ──► replay, in the background, a little at a time
 *                                  └─ no ──► waits, then Overloaded: another replica may have one
 * ```
 *
 * What no snapshot and log here lead to is refused with `FeedTrimmed`: never is anything left out.
 *
 * @since 0.1.0
 */
import { Journal } from "@synod/journal"
import { type Feed, Outcome } from "@synod/state-machine"
import type { Executor } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as FeedTracks from "./FeedTracks.js"
import * as Replay from "./Replay.js"
import * as ReplicaConfig from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Replays {
  /** What came after a position; nothing if nothing was found in time. */
  readonly page: (asked: Replay.Asked) => Effect.Effect<Feed.Page, Replay.Failure>
}

interface Running {
  readonly key: string
  readonly replay: Replay.Replay
  readonly fiber: Fiber.RuntimeFiber<void, Replay.Failure>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  executor: Executor.Executor,
  options: Replay.Options
): Effect.Effect<Replays, never, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const config = yield* ReplicaConfig.ReplicaConfig
    const scope = yield* Effect.scope
    const clock = yield* Effect.clock
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const heartbeat = Duration.toMillis(config.heartbeat)
    const running = new Set<Running>()
    const now = () => clock.unsafeCurrentTimeMillis()

    const start = (key: string, asked: Replay.Asked) =>
      Effect.map(Effect.provideService(Replay.make(executor, options, asked), Journal.Journal, journal), (replay) => {
        const fiber = runFork(replay.life, { scope })
        const one = { key, replay, fiber }
        running.add(one)
        fiber.addObserver(() => running.delete(one))
        return replay
      })

    const find = (key: string, after: Feed.Position): Replay.Replay | undefined => {
      for (const one of running) if (one.key === key && one.replay.holds(after)) return one.replay
      return undefined
    }

    /** A place for one more: if all are taken, that of one which nobody has asked for lately. */
    const makeRoom = Effect.gen(function* () {
      if (running.size < config.replays) return true
      const left = Array.from(running, (one) => ({ one, at: one.replay.left() ?? Infinity })).sort(
        (a, b) => a.at - b.at
      )[0]
      if (left === undefined || now() - left.at < heartbeat) return false
      running.delete(left.one)
      yield* Fiber.interruptFork(left.one.fiber)
      return true
    })

    const of = (key: string, asked: Replay.Asked): Effect.Effect<Replay.Replay, Outcome.Overloaded> =>
      Effect.gen(function* () {
        for (;;) {
          const replay = find(key, asked.after)
          if (replay !== undefined) return replay
          if (yield* makeRoom) return yield* start(key, asked)
          const left = asked.end - now()
          if (left <= 0) return yield* new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) })
          yield* Effect.sleep(Math.min(heartbeat, left))
        }
      })

    return {
      page: (asked) => Effect.flatMap(of(FeedTracks.keyOf(asked.query), asked), (replay) => replay.page(asked))
    }
  })
