/**
 * What a replica shows to those who follow its machine: the commands that it applies, and the answers to queries as they change.
 *
 * ```
 *   learner ── applied ──►┌ commands ─────────┐
 *                         │ last 4 MiB        │ ◄── Follow(after) ── as long as that is here: at once, or with the news
 *                         ├ a query's answers ┤
 *                         │ last that changed │
 *                         └───────────────────┘
 *                           replays ◄──────────── earlier: the log once more, through another machine, from a snapshot
 * ```
 *
 * Whoever follows asks for a page, deals with it and asks for the next: it sets the pace, and a slow one costs no more than a fast
 * one. All who follow the same share what is kept. A query is answered once a slot, for all of them. What a page tells is applied here, so
 * it is chosen: no election takes it back.
 *
 * After etcd's watch (which tells who asks for too old a revision so) and Kafka's fetch (pulled, with a wait).
 *
 * @since 0.1.0
 */
import { ClientRpcs, Endpoint } from "@synod/client"
import { Journal } from "@synod/journal"
import { type NodeId, Slot } from "@synod/paxos"
import { Feed, Outcome } from "@synod/state-machine"
import type { Machine } from "@synod/state-machine"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as FeedTracks from "./FeedTracks.js"
import type * as LearnerActor from "./LearnerActor.js"
import type * as Replays from "./Replays.js"
import * as ReplicaConfig from "./ReplicaConfig.js"
import type { Requests } from "./Requests.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Feeds {
  /** These commands are all that was done in the slot that the machine holds now; its entry has so many bytes. */
  readonly applied: (performed: ReadonlyArray<Feed.Record>, bytes: number) => void
  /** The machine goes on from a snapshot. */
  readonly restored: () => void
  readonly follow: Endpoint.Endpoint["follow"]
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  options: {
    readonly learner: Pick<LearnerActor.LearnerActor, "reached">
    readonly replays: Replays.Replays
    readonly requests: Requests
    /** The node that leads, as far as the election knows. */
    readonly leader: () => NodeId.NodeId | undefined
  }
): Effect.Effect<Feeds, never, Journal.Journal | Scope.Scope> =>
  Effect.gen(function* () {
    const { leader, learner, replays, requests } = options
    const { recovered } = yield* Journal.Journal
    const config = yield* ReplicaConfig.ReplicaConfig
    const clock = yield* Effect.clock
    const scope = yield* Effect.scope
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const idle = Duration.toMillis(config.idle)
    const longest = ReplicaConfig.longestReply(config)
    const tracks = FeedTracks.make(machine, { config, longest, now: clock.unsafeCurrentTimeMillis })
    let waking = false
    let waiting = 0

    /** Once the learner has its turn behind it: whoever waits is woken once for all slots of the turn. */
    const wake = (): void => {
      if (waking || waiting === 0) return
      waking = true
      runFork(
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.sync(() => {
            waking = false
            tracks.wake()
          })
        ),
        { scope }
      )
    }

    /** Waits until the track has come further, at most until `end`; false if it hasn't. */
    const news = (track: FeedTracks.Track, through: number, end: number) =>
      Effect.suspend((): Effect.Effect<unknown, Outcome.Overloaded | Endpoint.Unreachable> => {
        if (waiting >= config.followers) {
          return Effect.fail(new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) }))
        }
        waiting++
        return requests
          .ask<void>((answer) => {
            if (track.window.through() > through) return answer(Effect.void)
            const resume = () => answer(Effect.void)
            track.waiting.add(resume)
            return () => track.waiting.delete(resume)
          })
          .pipe(
            Effect.timeoutOption(Math.max(0, end - clock.unsafeCurrentTimeMillis())),
            Effect.ensuring(Effect.sync(() => waiting--))
          )
      })

    const message = ({ records, through }: Feed.Page): ClientRpcs.Page => ({ through, records: Feed.encode(records) })

    /** From now on, where "now" is not before the slot, nor before what this replica had applied when it stopped. */
    const begin = (query: Uint8Array | undefined, atLeast: number, end: number) =>
      learner.reached(Slot.max(recovered.chosenThrough, Slot.make(atLeast))).pipe(
        Effect.timeoutFail({
          duration: Math.max(0, end - clock.unsafeCurrentTimeMillis()),
          onTimeout: () => new Endpoint.Unreachable({ reason: `it has not applied slot ${atLeast} yet`, sent: true })
        }),
        Effect.zipRight(Effect.suspend(() => tracks.of(query))),
        Effect.map(({ answer }) => {
          const { slot, time } = machine.at()
          return message({ records: answer === undefined ? [] : [{ ...answer, slot, time }], through: { slot } })
        })
      )

    const follow: Feeds["follow"] = ({ after, atLeast, bytes: asked, query, wait }) =>
      Effect.gen(function* () {
        if (query !== undefined && query.length > config.envelope) {
          const reason = `the query is ${query.length} bytes long, more than the ${config.envelope} that are allowed`
          return yield* new Endpoint.Unreachable({ reason, sent: false })
        }
        const end = (yield* Clock.currentTimeMillis) + Math.min(wait, idle)
        const bytes = Math.min(asked, config.chunk)
        if (after === undefined) return yield* begin(query, atLeast, end)
        for (;;) {
          const track = yield* tracks.of(query)
          const page = track.window.page(after, bytes)
          if (page === undefined) {
            return message(yield* replays.page({ query, after, bytes, end, until: track.window.from }))
          }
          if (page.records.length > 0) return message(page)
          if (clock.unsafeCurrentTimeMillis() < end) {
            yield* news(track, track.window.through(), end)
            continue
          }
          // Whoever hears of no leader doesn't know whether there is nothing new.
          if (leader() === undefined) return yield* new ClientRpcs.NotLeader({})
          return message(page)
        }
      })

    return {
      applied: (performed, bytes) => {
        tracks.applied(performed, bytes)
        wake()
      },
      restored: () => {
        tracks.restored()
        wake()
      },
      follow
    }
  })
