/**
 * Follows a machine, page by page, at one replica for as long as that answers, then at the next one.
 *
 * ```
 *   take ──► Follow(after) ──► replica 1        nothing yet: it waits, then says so, and is asked again
 *   page ◄── records, through ─┘                lost, silent, behind a cut: the same question goes to
 *   take ──► Follow(through) ─────► replica 2   another one, which gives the same elements
 * ```
 *
 * @since 0.1.0
 */
import { Feed, Outcome } from "@synod/state-machine"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { ClientConfig } from "./ClientConfig.js"
import type { Page } from "./ClientRpcs.js"
import type * as Courier from "./Courier.js"
import { type Endpoint, Unreachable } from "./Endpoint.js"

/**
 * The elements after a position, or from now on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  courier: Courier.Courier,
  config: ClientConfig,
  options: {
    readonly query?: Uint8Array | undefined
    readonly after?: Feed.Position | undefined
    /** "Now" is not before this slot. */
    readonly seen: () => number
    /** An element shows the effect of this slot. */
    readonly saw: (slot: number) => void
  }
): Stream.Stream<Feed.Record, Feed.Failure> =>
  Stream.suspend(() => {
    const { query, saw, seen } = options
    const target: Courier.Target = { node: courier.nodes()[0]! }
    const wait = Math.floor(Duration.toMillis(config.attempt) / 2)
    const question =
      (after: Feed.Position | undefined) =>
      (endpoint: Endpoint): Effect.Effect<Feed.Page | Feed.FeedTrimmed, Courier.Refusal> =>
        endpoint
          .follow({
            ...(query === undefined ? {} : { query }),
            ...(after === undefined ? {} : { after }),
            atLeast: seen(),
            wait,
            bytes: config.page
          })
          .pipe(
            Effect.flatMap((page) => readable(page, after)),
            Effect.catchTag("FeedTrimmed", Effect.succeed)
          )

    const ask = (after: Feed.Position | undefined): Effect.Effect<Feed.Page, Feed.Failure> =>
      Effect.gen(function* () {
        const deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(config.deadline)
        /** Who lacks what is asked for, and from which slot on each has it. */
        const lacking = new Map<number, number>()
        const trimmed = () => new Feed.FeedTrimmed({ earliest: Math.min(...lacking.values()) })
        for (;;) {
          const outcome = yield* Effect.either(courier.roam(question(after), deadline, target))
          if (Either.isLeft(outcome)) {
            const { overloaded, reason } = outcome.left
            return yield* lacking.size > 0 ? trimmed() : (overloaded ?? new Outcome.Unavailable({ reason }))
          }
          const answer = outcome.right
          if (!(answer instanceof Feed.FeedTrimmed)) {
            const last = answer.records[answer.records.length - 1]
            if (last !== undefined) saw(last.slot)
            return answer
          }
          // Who says so again was asked again because the others can't be reached.
          const asked = lacking.has(target.node)
          lacking.set(target.node, answer.earliest)
          const nodes = courier.nodes()
          if (asked || lacking.size >= nodes.length) return yield* trimmed()
          target.node = nodes[(nodes.indexOf(target.node) + 1) % nodes.length]!
        }
      })

    return Feed.stream(ask, options.after)
  })

const readable = (
  { records: bytes, through }: Page,
  after: Feed.Position | undefined
): Either.Either<Feed.Page, Unreachable> =>
  Feed.decode(bytes).pipe(
    Either.map((records) => ({ records, through })),
    Either.filterOrLeft(
      (page) => Feed.isInOrder(page, after),
      () => undefined
    ),
    Either.mapLeft(() => new Unreachable({ reason: "the replica sent a page that is out of order", sent: true }))
  )
