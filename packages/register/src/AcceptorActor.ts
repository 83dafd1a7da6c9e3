/**
 * The acceptors of all registers of a member, as one actor: it takes all that its mailbox holds, steps through it, commits once, and
 * then speaks.
 *
 * ```
 *   mailbox ──► read what is not in memory ──► step, step, step ──► persist ──► reply ──► mailbox …
 *               one query                      (plain functions)    one commit
 * ```
 *
 * After a write that failed it answers nobody, and says so, until it could make sure of what its store holds. A damaged store ends it.
 *
 * @since 0.1.0
 */
import type { JournalError } from "@synod/journal"
import { RegisterAcceptor } from "@synod/paxos"
import type { RegisterMessage } from "@synod/paxos"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Cache from "./Cache.js"
import { RegisterConfig } from "./RegisterConfig.js"
import { Refused } from "./RegisterError.js"
import { RegisterStore } from "./RegisterStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface AcceptorActor {
  /** Fails, and nothing came of it, when too much waits already or the store can't be written to. */
  readonly ask: (message: RegisterMessage.ToAcceptor) => Effect.Effect<RegisterMessage.ToProposer, Refused>
  /** The actor's life; it ends only by a failure or a defect, or when it is interrupted. */
  readonly run: Effect.Effect<never, JournalError.JournalError>
}

interface Request {
  readonly message: RegisterMessage.ToAcceptor
  readonly resume: (answer: Effect.Effect<RegisterMessage.ToProposer, Refused>) => void
}

/** How often old registers are looked for, in the time that they are kept. */
const looks = 16

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<AcceptorActor, never, RegisterStore | Scope.Scope> = Effect.gen(function* () {
  const store = yield* RegisterStore
  const config = yield* RegisterConfig
  const clock = yield* Effect.clock
  const mailbox = yield* Mailbox.make<Request>({ capacity: config.mailbox })
  const cache = Cache.make(config.cache)
  const age = config.forget === "never" ? undefined : Duration.toMillis(config.forget)
  const options: RegisterAcceptor.Options = { forgets: age !== undefined }
  let trouble: string | undefined
  let looked = -Infinity

  const forget = Effect.suspend(() => {
    const now = clock.unsafeCurrentTimeMillis()
    if (age === undefined || now - looked < age / looks) return Effect.void
    return Effect.map(store.forget(now - age, config.forgotten), (keys) => {
      for (const key of keys) cache.delete(key)
      // There may be more.
      if (keys.length < config.forgotten) looked = now
    })
  })

  const load = (requests: ReadonlyArray<Request>) => {
    const missing = new Set<string>()
    for (const { message } of requests) if (!cache.has(message.key)) missing.add(message.key)
    if (missing.size === 0) return undefined
    return Effect.map(store.read(Array.from(missing)), (found) => {
      for (const key of missing) cache.set(key, found.get(key) ?? RegisterAcceptor.initial)
    })
  }

  const turn = (requests: ReadonlyArray<Request>) =>
    Effect.gen(function* () {
      yield* forget
      yield* load(requests) ?? Effect.void
      const changed = new Map<string, RegisterAcceptor.State>()
      const answers: Array<() => void> = []
      for (const { message, resume } of requests) {
        const { key } = message
        const { actions } = RegisterAcceptor.step(changed.get(key) ?? cache.get(key), message, options)
        for (const action of actions) {
          if (action._tag === "Persist") changed.set(key, action.state)
          else answers.push(() => resume(Effect.succeed(action.message)))
        }
      }
      if (changed.size > 0) yield* store.write(changed, clock.unsafeCurrentTimeMillis())
      for (const [key, state] of changed) cache.set(key, state)
      for (const answer of answers) answer()
      cache.trim()
    }).pipe(Effect.catchAll((error) => recover(error, requests)))

  const recover = Effect.fnUntraced(function* (error: JournalError.JournalError, requests: ReadonlyArray<Request>) {
    if (!isPassing(error)) return yield* Effect.fail(error)
    trouble = error.message
    cache.clear()
    for (const { resume } of requests) resume(new Refused({ reason: trouble }))
    yield* Effect.logWarning(`registers are not voted on any more: ${trouble}`)
    yield* Effect.delay(store.recover, config.patience).pipe(
      Effect.retry({ while: isPassing, schedule: Schedule.spaced(config.patience) })
    )
    trouble = undefined
    yield* Effect.logInfo("registers are voted on again")
  })

  const turns: AcceptorActor["run"] = Effect.flatMap(
    Effect.flatMap(mailbox.takeAll, ([requests]) => turn(Array.from(requests))),
    () => turns
  )
  /** Whoever asks from then on is told why. */
  const end = (cause: Cause.Cause<JournalError.JournalError>) =>
    Effect.suspend(() => {
      trouble = Cause.pretty(cause)
      return Effect.logError(`registers are not voted on any more: ${trouble}`)
    })

  return {
    ask: (message) =>
      Effect.async((resume) => {
        if (trouble !== undefined) return resume(new Refused({ reason: trouble }))
        const size = "value" in message ? message.value.length : 0
        if (size > config.value) return resume(new Refused({ reason: `a value of ${size} bytes is too long` }))
        if (!mailbox.unsafeOffer({ message, resume })) {
          resume(new Refused({ reason: `${config.mailbox} messages wait already` }))
        }
      }),
    run: Effect.tapErrorCause(turns, end)
  }
})

/** The disk may be well again the next time. */
const isPassing = ({ _tag }: JournalError.JournalError): boolean =>
  _tag === "JournalFailed" || _tag === "JournalUnsettled"
