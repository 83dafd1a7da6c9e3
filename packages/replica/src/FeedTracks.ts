/**
 * What those who follow a machine are shown of it as it goes on: one track for its commands, and one for each query that
 * somebody follows.
 *
 * @since 0.1.0
 */
import { Answer, Feed, FeedWindow, Outcome } from "@synod/state-machine"
import type { Machine } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { Endpoint } from "@synod/client"
import type { Values } from "./ReplicaConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Track {
  readonly window: FeedWindow.FeedWindow
  /** The query's answer now, as an element; nothing for commands. */
  readonly answer: Feed.Record | undefined
  /** Those who wait for news. */
  readonly waiting: Set<() => void>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FeedTracks {
  /** The track of a query, from now on if nobody follows it yet; or that of the commands. */
  readonly of: (query: Uint8Array | undefined) => Either.Either<Track, Outcome.Overloaded | Endpoint.Unreachable>
  /** These commands are all that was done in the slot that the machine holds now; its entry has so many bytes. */
  readonly applied: (performed: ReadonlyArray<Feed.Record>, bytes: number) => void
  /** The machine goes on from a snapshot: what came before is not known here. */
  readonly restored: () => void
  /** Wakes all who wait. */
  readonly wake: () => void
}

interface Followed extends Track {
  answer: Feed.Record
  readonly query: Uint8Array
  /** When it was asked for last, in milliseconds since 1970. */
  asked: number
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  machine: Machine.Machine,
  options: {
    readonly config: Values
    /** The longest answer that can be sent, in bytes. */
    readonly longest: number
    readonly now: () => number
  }
): FeedTracks => {
  const { config, longest, now } = options
  const idle = Duration.toMillis(config.idle)
  const commands: Track = {
    window: FeedWindow.make(machine.at().slot, config.feed),
    answer: undefined,
    waiting: new Set()
  }
  const queries = new Map<string, Followed>()

  const release = ({ waiting }: Track): void => {
    for (const resume of waiting) resume()
    waiting.clear()
  }

  /** Whoever waits for it asks again. */
  const drop = (key: string, track: Track): void => {
    queries.delete(key)
    release(track)
  }

  const dropIdle = (): void => {
    const since = now() - idle
    for (const [key, track] of queries) if (track.waiting.size === 0 && track.asked < since) drop(key, track)
  }

  const begin = (key: string, query: Uint8Array): ReturnType<FeedTracks["of"]> => {
    if (queries.size >= config.followed) dropIdle()
    if (queries.size >= config.followed) {
      return Either.left(new Outcome.Overloaded({ retryAfter: Duration.decode(config.retryAfter) }))
    }
    const answer = answerTo(machine, query, longest)
    if (Either.isLeft(answer)) {
      return Either.left(new Endpoint.Unreachable({ reason: answer.left.message, sent: true }))
    }
    const window = FeedWindow.make(machine.at().slot, config.chunk)
    const track = { query, window, answer: answer.right, waiting: new Set<() => void>(), asked: now() }
    queries.set(key, track)
    return Either.right(track)
  }

  return {
    of: (query) => {
      if (query === undefined) return Either.right(commands)
      const key = keyOf(query)
      const track = queries.get(key)
      if (track === undefined) return begin(key, query)
      track.asked = now()
      return Either.right(track)
    },
    applied: (performed, bytes) => {
      append(commands.window, machine.at().slot, performed, bytes, longest)
      if (queries.size === 0) return
      dropIdle()
      for (const [key, track] of queries) {
        const answer = answerTo(machine, track.query, longest)
        if (Either.isLeft(answer)) drop(key, track)
        else track.answer = appendAnswer(track.window, track.answer, answer.right)
      }
    },
    restored: () => {
      commands.window.reset(machine.at().slot)
      for (const [key, track] of queries) drop(key, track)
    },
    wake: () => {
      release(commands)
      for (const track of queries.values()) release(track)
    }
  }
}

/**
 * Queries are the same if their bytes are.
 *
 * @since 0.1.0
 * @category getters
 */
export const keyOf = (query: Uint8Array | undefined): string =>
  query === undefined ? "" : Buffer.from(query.buffer, query.byteOffset, query.byteLength).toString("latin1")

/**
 * What the machine answers to a query now, as an element. An answer that can't be sent is a defect, the same everywhere.
 *
 * @since 0.1.0
 * @category getters
 */
export const answerTo = (
  machine: Machine.Machine,
  query: Uint8Array,
  longest: number
): Either.Either<Feed.Record, Machine.MachineFailed> =>
  Either.map(machine.query(query), (answer) =>
    sendable({ ...machine.at(), index: 0, command: NOTHING, answer }, "The query", longest)
  )

/**
 * Puts the commands of a slot into a window.
 *
 * @since 0.1.0
 * @category windows
 */
export const append = (
  window: FeedWindow.FeedWindow,
  slot: number,
  performed: ReadonlyArray<Feed.Record>,
  bytes: number,
  longest: number
): void => {
  // The commands are pieces of their entry, which memory holds as a whole.
  let held = bytes
  const records = performed.map((record) => {
    held += record.answer.length
    return sendable(record, "The command", longest)
  })
  window.append(slot, records, held)
}

/**
 * Puts a query's answer into a window, if it is another one than before; gives the answer that stands now.
 *
 * @since 0.1.0
 * @category windows
 */
export const appendAnswer = (window: FeedWindow.FeedWindow, before: Feed.Record, now: Feed.Record): Feed.Record => {
  const changed = !Feed.isSameAnswer(before.answer, now.answer)
  window.append(now.slot, changed ? [now] : [], changed ? now.answer.length : 0)
  return changed ? now : before
}

const sendable = (record: Feed.Record, what: string, longest: number): Feed.Record => {
  const bytes = Feed.sizeOf(record)
  if (bytes <= longest) return record
  const reason = `its answer is ${record.answer.length} bytes long, more than can be shown to those who follow`
  return { ...record, answer: Answer.defect(what, reason) }
}

const NOTHING = new Uint8Array()
