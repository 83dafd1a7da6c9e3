/**
 * What a client and the replicas say to each other about commands: under one session, which is opened through the log before
 * the first of them, and kept while the client lives.
 *
 * ```
 *   commands ── numbered ──► Call { session, acknowledged, first, … } ──► Replied
 *                                 │            ▲                          SessionExpired: numbered anew in the next session,
 *                                 │            │                          if they certainly were not applied
 *                                 └─ held: under way, or of unknown outcome and not resolved yet
 * ```
 *
 * The answers to what is held can be asked for, so it isn't acknowledged. What nobody resolves must not fill the window:
 * the client goes on in another session then, and the old one keeps those answers until it expires.
 *
 * @since 0.1.0
 */
import { Answer, Command, Envelope, Outcome, Reply, Session } from "@synod/state-machine"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type * as ClientRpcs from "./ClientRpcs.js"
import type * as Courier from "./Courier.js"
import type * as Packer from "./Packer.js"

/**
 * How a call of a command may fail.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = Outcome.Unavailable | Outcome.OutcomeUnknown | Outcome.SessionExpired | Outcome.Overloaded

/**
 * @since 0.1.0
 * @category models
 */
export interface Conversation {
  /** Has commands applied, and ends all of these calls. */
  readonly send: (calls: ReadonlyArray<Packer.Call<Failure>>) => Effect.Effect<void>
  /** Asks what became of a command, until `deadline` (milliseconds since 1970); see `Caller.resolve`. */
  readonly resolve: (
    token: Outcome.Token,
    deadline: number
  ) => Effect.Effect<Uint8Array, Outcome.OutcomeUnknown | Outcome.SessionExpired | Outcome.Overloaded>
  /** The answer to this command has arrived where it was waited for. */
  readonly release: (token: Outcome.Token) => void
}

/**
 * How many commands a session goes on for behind one of unknown outcome that nobody resolves. All their answers are kept, so
 * few are better; each session costs a slot of the log, so hundreds are better than one.
 *
 * @since 0.1.0
 * @category constants
 */
export const RETAIN = 1024

/** Timers know no more than 24 days: a session that lasts for months is used once a day, in milliseconds. */
const longestPause = 86_400_000

/** A session as its client knows it. */
interface Opened {
  readonly id: number
  /** How long it lasts without being used, in milliseconds. */
  readonly expiry: number
  /** The sequence of the next command. */
  next: number
  /** Requests that were answered. */
  uses: number
  /** By their first sequence, in ascending order since requests are numbered when they leave. */
  readonly held: Map<number, Held>
}

/** A request whose answers may be asked for. */
interface Held {
  underWay: boolean
  /** The sequences that somebody may resolve. */
  readonly open: Set<number>
}

interface Numbered {
  readonly session: Opened
  readonly first: number
  readonly acknowledged: number
  readonly held: Held
  readonly calls: ReadonlyArray<Packer.Call<Failure>>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  courier: Courier.Courier,
  options: {
    /** An answer shows the effect of this slot. */
    readonly saw: (slot: number) => void
  }
): Effect.Effect<Conversation, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const opening = yield* Effect.makeSemaphore(1)
    /** Whoever waits for room in the window. */
    const waiting = new Set<() => void>()
    let opened: Opened | undefined

    const open = (deadline: number): Effect.Effect<Opened, Courier.Failed> =>
      opening.withPermits(1)(
        Effect.suspend(() => {
          // Somebody else has opened one meanwhile.
          if (opened !== undefined) return Effect.succeed(opened)
          return Effect.flatMap(courier.submit(Envelope.encode(Envelope.open), deadline), (bytes) => {
            const reply = Either.getOrUndefined(Reply.decode(bytes))
            if (reply?._tag !== "Opened") return failed("a session was asked for, and the reply is none")
            const session: Opened = { id: reply.session, expiry: reply.expiry, next: 1, uses: 0, held: new Map() }
            opened = session
            return Effect.as(Effect.forkIn(keepAlive(session), scope), session)
          })
        })
      )

    const close = (session: Opened): void => {
      if (session === opened) opened = undefined
      for (const look of waiting) look()
    }

    /** Uses the session when nothing else does. */
    const keepAlive = (session: Opened): Effect.Effect<void> =>
      Effect.gen(function* () {
        const period = Math.min(Math.max(1, session.expiry / 3), longestPause)
        for (let uses = session.uses; session === opened; uses = session.uses) {
          yield* Effect.sleep(period)
          if (session !== opened || session.uses !== uses) continue
          const envelope = Envelope.call({
            session: session.id,
            acknowledged: oldest(session),
            first: session.next,
            commands: []
          })
          const bytes = yield* Effect.option(
            courier.submit(Envelope.encode(envelope), (yield* Clock.currentTimeMillis) + period)
          )
          const reply = bytes._tag === "Some" ? Either.getOrUndefined(Reply.decode(bytes.value)) : undefined
          if (reply?._tag === "SessionExpired") close(session)
        }
      })

    /** Waits until so many more commands lie within the window that replicas remember answers for. */
    const room = (session: Opened, count: number): Effect.Effect<void> =>
      Effect.async((resume) => {
        const look = () => {
          if (session === opened && !isPinned(session) && !fits(session, count)) return
          waiting.delete(look)
          resume(Effect.void)
        }
        waiting.add(look)
        return Effect.sync(() => {
          waiting.delete(look)
        })
      })

    /** Numbers commands. What may hold it up was sent earlier and ends earlier, so that the wait is no longer than theirs. */
    const number = (
      calls: ReadonlyArray<Packer.Call<Failure>>,
      deadline: number
    ): Effect.Effect<Numbered, Courier.Failed> =>
      Effect.flatMap(opened === undefined ? open(deadline) : Effect.succeed(opened), (session) => {
        if (isPinned(session)) {
          close(session)
          return number(calls, deadline)
        }
        if (!fits(session, calls.length)) return Effect.zipRight(room(session, calls.length), number(calls, deadline))
        // Whoever was interrupted before it had a token is told that it was withdrawn.
        const left = calls.filter((call) => !call.isGone())
        const first = session.next
        session.next += left.length
        const held: Held = { underWay: true, open: new Set() }
        if (left.length > 0) session.held.set(first, held)
        left.forEach((call, i) => {
          if (call.note === undefined) return
          held.open.add(first + i)
          call.note(tokenOf(session, first + i, call))
        })
        return Effect.succeed({ session, first, acknowledged: oldest(session), held, calls: left })
      })

    const submit = ({ acknowledged, calls, first, held, session }: Numbered, deadline: number) =>
      Effect.gen(function* () {
        const commands = calls.map((call) => call.bytes)
        const bytes = yield* courier.submit(
          Envelope.encode(Envelope.call({ session: session.id, acknowledged, first, commands })),
          deadline
        )
        const reply = Either.getOrUndefined(Reply.decode(bytes))
        switch (reply?._tag) {
          case "Replied":
            if (reply.replies.length !== calls.length)
              return yield* failed("the reply is not that to the request", true)
            session.uses++
            options.saw(reply.slot)
            return calls.forEach((call, i) => call.end(Effect.succeed(reply.replies[i]!)))
          case "Refused":
            return calls.forEach((call) => call.end(Effect.succeed(Answer.defect(nameOf(call.bytes), reply.reason))))
          case "SessionExpired": {
            close(session)
            held.open.clear()
            const lost = calls.slice(0, Math.max(0, reply.unapplied - first))
            lost.forEach((call, i) =>
              call.end(Effect.fail(new Outcome.SessionExpired({ token: tokenOf(session, first + i, call) })))
            )
            // The rest was never applied and never will be in that session: it may go into the next one.
            return yield* send(calls.slice(lost.length))
          }
          case "Opened":
          case undefined:
            return yield* failed("the reply is not that to the request", true)
        }
      })

    /** Has commands applied under their numbers, and ends all of these calls. */
    const attempt = (numbered: Numbered, deadline: number): Effect.Effect<void> =>
      numbered.calls.length === 0
        ? Effect.void
        : Effect.catchAll(submit(numbered, deadline), (failure) =>
            failure.unfit === undefined
              ? Effect.sync(() => giveUp(numbered, failure))
              : leaveOut(failure.unfit, numbered, failure, deadline)
          )

    /** One command can't be applied. The others come again, in two requests, under the numbers that they have. */
    const leaveOut = (
      { answer, index }: ClientRpcs.Unfit,
      numbered: Numbered,
      failure: Courier.Failed,
      deadline: number
    ): Effect.Effect<void> => {
      const { calls, first } = numbered
      const part = (from: number, to: number): Numbered => ({
        ...numbered,
        first: first + from,
        calls: calls.slice(from, to)
      })
      const call = calls[index]
      if (call === undefined) return Effect.sync(() => giveUp(numbered, failure))
      // It may have been proposed before, by a leader of another version.
      if (failure.unsure) giveUp(part(index, index + 1), failure)
      else call.end(Effect.succeed(answer))
      return Effect.zipRight(attempt(part(0, index), deadline), attempt(part(index + 1, calls.length), deadline))
    }

    const giveUp = (
      { calls, first, held, session }: Numbered,
      { overloaded, reason, unsure }: Courier.Failed
    ): void => {
      if (!unsure) return fail(calls, overloaded ?? new Outcome.Unavailable({ reason }))
      calls.forEach((call, i) => {
        if (!call.isGone()) held.open.add(first + i)
        call.end(Effect.fail(new Outcome.OutcomeUnknown({ token: tokenOf(session, first + i, call) })))
      })
    }

    const send = (calls: ReadonlyArray<Packer.Call<Failure>>): Effect.Effect<void> => {
      if (calls.length === 0) return Effect.void
      const deadline = earliest(calls)
      return Effect.matchEffect(number(calls, deadline), {
        // Whether or not a session was opened, none of these commands was sent.
        onFailure: ({ overloaded, reason }) =>
          Effect.sync(() => fail(calls, overloaded ?? new Outcome.Unavailable({ reason }))),
        onSuccess: (numbered) => {
          const { first, held, session } = numbered
          return attempt(numbered, deadline).pipe(
            Effect.ensuring(
              Effect.sync(() => {
                held.underWay = false
                settle(session, first, held)
              })
            )
          )
        }
      })
    }

    /** Lets go of a request when nobody will ask about it any more. */
    const settle = (session: Opened, first: number, held: Held): void => {
      if (!held.underWay && held.open.size === 0) session.held.delete(first)
      for (const look of waiting) look()
    }

    const release = ({ sequence, session: id }: Outcome.Token): void => {
      if (opened?.id !== id) return
      for (const [first, held] of opened.held) if (held.open.delete(sequence)) settle(opened, first, held)
    }

    const resolve: Conversation["resolve"] = (token, deadline) =>
      Effect.matchEffect(courier.submit(Envelope.encode(Envelope.resolve(token.session, token.sequence)), deadline), {
        onFailure: ({ overloaded }) => Effect.fail(overloaded ?? new Outcome.OutcomeUnknown({ token })),
        onSuccess: (bytes): ReturnType<Conversation["resolve"]> => {
          const reply = Either.getOrUndefined(Reply.decode(bytes))
          if (reply?._tag === "Replied" && reply.replies.length === 1) {
            options.saw(reply.slot)
            release(token)
            return Effect.succeed(reply.replies[0]!)
          }
          if (reply?._tag !== "SessionExpired") return Effect.fail(new Outcome.OutcomeUnknown({ token }))
          return token.sequence >= reply.unapplied
            ? Effect.succeed(Answer.withdrawn)
            : Effect.fail(new Outcome.SessionExpired({ token }))
        }
      })

    return { send, resolve, release }
  })

const fail = (calls: ReadonlyArray<Packer.Call<Failure>>, outcome: Failure): void =>
  calls.forEach((call) => call.end(Effect.fail(outcome)))

/** The first sequence whose answer may be asked for. */
const oldest = ({ held, next }: Opened): number => {
  const [first = next] = held.keys()
  return first
}

const fits = (session: Opened, count: number): boolean => session.next + count <= oldest(session) + Session.WINDOW

/** A command of unknown outcome, which nobody resolves, keeps the session from letting go of answers. */
const isPinned = (session: Opened): boolean => {
  const first = oldest(session)
  return session.next - first >= RETAIN && session.held.get(first)?.underWay === false
}

const tokenOf = ({ id }: Opened, sequence: number, { bytes }: Packer.Call<Failure>): Outcome.Token => ({
  session: id,
  sequence,
  command: nameOf(bytes)
})

/**
 * The tag of a command, as far as it can be read.
 *
 * @since 0.1.0
 * @category getters
 */
export const nameOf = (command: Uint8Array): string =>
  Either.match(Command.decode(command), {
    onLeft: () => "command",
    onRight: ({ tag }) => tag
  })

/**
 * When the first of these calls gives up, in milliseconds since 1970.
 *
 * @since 0.1.0
 * @category getters
 */
export const earliest = (calls: ReadonlyArray<Packer.Call<never>>): number =>
  calls.reduce((deadline, call) => Math.min(deadline, call.deadline), Infinity)

const failed = (reason: string, unsure = false): Effect.Effect<never, Courier.Failed> =>
  Effect.fail({ _tag: "Failed", unsure, reason, overloaded: undefined })
