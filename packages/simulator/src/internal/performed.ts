/**
 * What was performed, as it follows from the log and the replies alone: a command is where it was answered for the first time, by its
 * session and sequence. And what those who follow must be shown of it.
 */
import { Answer, Batch, Envelope, Feed, Reply } from "@synod/state-machine"
import type { Machine } from "@synod/state-machine"
import * as Either from "effect/Either"

/** What those who follow must be shown. */
export interface Judge {
  /** What is wrong with a command that a follower is shown after a position, or from now on; nothing if it is the next one. */
  readonly faultOfCommand: (record: Feed.Record, after: Feed.Position | undefined) => string | undefined
  /** The same of an answer to a query, which was the one given there; nothing if that isn't known. */
  readonly faultOfAnswer: (
    record: Feed.Record,
    query: Uint8Array,
    after: Feed.Position | undefined,
    answer: Uint8Array | undefined
  ) => string | undefined
  /** There is more to be shown than through this position. */
  readonly hasCommandAfter: (after: Feed.Position | undefined) => boolean
  readonly hasAnswerAfter: (
    query: Uint8Array,
    after: Feed.Position | undefined,
    answer: Uint8Array | undefined
  ) => boolean
}

export interface Performed {
  /** The first replica has applied a slot. */
  readonly note: (at: Machine.At, batch: Uint8Array, replies: ReadonlyArray<Uint8Array>) => void
  /** Holds what followers are shown against it; `answer` is what a query is answered after a slot, if that was applied. */
  readonly judge: (answer: (slot: number, query: Uint8Array) => Uint8Array | undefined) => Judge
}

export const make = (): Performed => {
  const all: Array<Feed.Record> = []
  const performed = new Set<string>()
  let through: Machine.At = { slot: 0, time: 0 }

  const note: Performed["note"] = (at, batch, replies) => {
    through = at
    let index = 0
    Either.getOrElse(Batch.decode(batch), () => []).forEach((bytes, i) => {
      const envelope = Either.getOrUndefined(Envelope.decode(bytes))
      const reply = Either.getOrUndefined(Reply.decode(replies[i]!))
      if (envelope?._tag !== "Call" || reply?._tag !== "Replied") return
      envelope.commands.forEach((command, n) => {
        const token = `${envelope.session} ${envelope.first + n}`
        const answer = reply.replies[n]!
        const kind = Either.getOrUndefined(Answer.decode(answer))?._tag
        if (performed.has(token) || kind === "Forgotten" || kind === "Withdrawn") return
        performed.add(token)
        all.push({ slot: at.slot, index: index++, time: at.time, command, answer })
      })
    })
  }

  const next = (after: Feed.Position): Feed.Record | undefined => {
    let low = 0
    let high = all.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (Feed.isBefore(after, all[middle]!)) high = middle
      else low = middle + 1
    }
    return all[low]
  }

  return {
    note,
    judge: (answer) => {
      const changed = (slot: number, query: Uint8Array, before: Uint8Array | undefined): boolean => {
        const now = answer(slot, query)
        return now !== undefined && before !== undefined && !equal(now, before)
      }
      return {
        faultOfCommand: (record, after) => {
          // Whoever follows from now on may begin anywhere, with a command of which there is one.
          const expected = next(after ?? { slot: record.slot, index: record.index - 1 })
          if (expected === undefined) return `${nameOf(record)}, and there is none after ${placeOf(after)}`
          const same =
            expected.slot === record.slot &&
            expected.index === record.index &&
            expected.time === record.time &&
            equal(expected.command, record.command) &&
            equal(expected.answer, record.answer)
          return same ? undefined : `${nameOf(record)} after ${placeOf(after)}, where ${nameOf(expected)} comes`
        },
        faultOfAnswer: ({ answer: found, slot }, query, after, known) => {
          const expected = answer(slot, query)
          if (expected === undefined || !equal(expected, found))
            return `an answer of slot ${slot} that is not the one there`
          if (after === undefined) return undefined
          const before = known ?? answer(after.slot, query)
          for (let between = after.slot + 1; between < slot; between++) {
            if (changed(between, query, before))
              return `the answer of slot ${slot} after that of slot ${after.slot}, not ${between}'s`
          }
          return changed(slot, query, before) ? undefined : `the answer of slot ${after.slot} again, at slot ${slot}`
        },
        hasCommandAfter: (after) => after !== undefined && next(after) !== undefined,
        hasAnswerAfter: (query, after, known) => {
          if (after === undefined) return true
          const before = known ?? answer(after.slot, query)
          for (let slot = after.slot + 1; slot <= through.slot; slot++) if (changed(slot, query, before)) return true
          return false
        }
      }
    }
  }
}

const nameOf = ({ index, slot }: Feed.Record): string => `command ${index} of slot ${slot}`

const placeOf = (position: Feed.Position | undefined): string =>
  position === undefined
    ? "the beginning"
    : `slot ${position.slot}${position.index === undefined ? "" : `, command ${position.index}`}`

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
