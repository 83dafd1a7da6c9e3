/**
 * Following a machine in this process: its last commands, and the last answers to each query that was followed.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type * as Caller from "../Caller.js"
import * as Feed from "../Feed.js"
import * as FeedWindow from "../FeedWindow.js"
import type { Machine } from "../Machine.js"
import { Unavailable } from "../Outcome.js"

interface Followed {
  readonly query: Uint8Array
  readonly window: FeedWindow.FeedWindow
  /** As of the last slot. */
  answer: Uint8Array
}

/** Bytes that are remembered, of the commands and of the answers to each query: more than a unit test has. */
const REMEMBERED = 1024 * 1024

/** Bytes that are taken at once. */
const PAGE = 64 * 1024

export interface LocalFeed {
  /** These commands are all that was done in the slot that the machine holds now. */
  readonly applied: (performed: ReadonlyArray<Feed.Record>) => void
  readonly follow: Caller.Caller["follow"]
}

export const makeLocalFeed = (machine: Machine): LocalFeed => {
  const window = () => FeedWindow.make(machine.at().slot, REMEMBERED)
  const commands = window()
  const queries = new Map<string, Followed>()
  const waiting = new Set<() => void>()

  const now = ({ answer }: Followed): Feed.Record => ({ ...machine.at(), index: 0, command: NOTHING, answer })

  /** A query is followed from its first use on; one that can't be answered is not followed any more. */
  const followed = (query: Uint8Array): Effect.Effect<Followed, Unavailable> =>
    Effect.suspend(() => {
      const key = query.join()
      const known = queries.get(key)
      if (known !== undefined) return Effect.succeed(known)
      return Either.match(machine.query(query), {
        onLeft: ({ message }) => Effect.fail(new Unavailable({ reason: message })),
        onRight: (answer) => {
          const made = { query, window: window(), answer }
          queries.set(key, made)
          return Effect.succeed(made)
        }
      })
    })

  /** Waits for a slot after this one. */
  const news = (slot: number) =>
    Effect.async<void>((resume) => {
      const wake = () => resume(Effect.void)
      if (machine.at().slot > slot) return wake()
      waiting.add(wake)
      return Effect.sync(() => waiting.delete(wake))
    })

  const ask = (
    query: Uint8Array | undefined,
    after: Feed.Position | undefined
  ): Effect.Effect<Feed.Page, Feed.Failure> =>
    Effect.gen(function* () {
      for (;;) {
        const one = query === undefined ? undefined : yield* followed(query)
        const { slot } = machine.at()
        if (after === undefined) return { records: one === undefined ? [] : [now(one)], through: { slot } }
        const { from, page } = one?.window ?? commands
        const found = page(after, PAGE)
        if (found === undefined) return yield* new Feed.FeedTrimmed({ earliest: from() })
        if (found.records.length > 0) return found
        yield* news(slot)
      }
    })

  return {
    applied: (performed) => {
      const { slot } = machine.at()
      commands.append(slot, performed, sizeOf(performed))
      for (const [key, one] of queries) {
        const answer = machine.query(one.query)
        if (Either.isLeft(answer)) {
          queries.delete(key)
          continue
        }
        const changed = !Feed.isSameAnswer(one.answer, answer.right)
        one.answer = answer.right
        const records = changed ? [now(one)] : []
        one.window.append(slot, records, sizeOf(records))
      }
      for (const wake of waiting) wake()
      waiting.clear()
    },
    follow: ({ after, query }) => Stream.suspend(() => Feed.stream((after) => ask(query, after), after))
  }
}

const NOTHING = new Uint8Array()

const sizeOf = (records: ReadonlyArray<Feed.Record>): number =>
  records.reduce((sum, record) => sum + Feed.sizeOf(record), 0)
