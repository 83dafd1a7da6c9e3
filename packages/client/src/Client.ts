/**
 * A typed client's way to the replicas: it finds the leader, packs calls, retries safely, and knows what it may say when
 * time is up.
 *
 * ```
 *   bank.Transfer(…) ─┐                                 ┌─► replica 1
 *   bank.Transfer(…) ─┼─► packer ─► envelope ─► courier ┼─► replica 2 (leads)
 *   bank.Balance(…) ──┘   (session, sequence)           └─► replica 3
 * ```
 *
 * Exactly once, after RIFL (Lee et al., SOSP 2015): a command gets its session and sequence before it is first sent, and
 * keeps them however often and wherever it is sent again; the replicas apply it once and repeat the first answer.
 *
 * @since 0.1.0
 */
import { Answer, Command, Envelope, Outcome, Reply, Session } from "@synod/state-machine"
import type { StateMachine, Caller } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Bounds from "./Bounds.js"
import * as ClientConfig from "./ClientConfig.js"
import * as Courier from "./Courier.js"
import * as Endpoint from "./Endpoint.js"
import * as Packer from "./Packer.js"

/**
 * A caller that speaks to these replicas, by node; the first is asked first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  endpoints: ReadonlyMap<number, Endpoint.Endpoint>,
  options: Partial<ClientConfig.ClientConfig> = {}
): Effect.Effect<Caller.Caller, Bounds.ConfigRefused, Scope.Scope> =>
  Effect.gen(function* () {
    const config = yield* ClientConfig.make(options)
    if (endpoints.size === 0) {
      return yield* new Bounds.ConfigRefused({
        config: "client",
        option: "servers",
        expected: "one replica or more",
        found: "none"
      })
    }
    const courier = Courier.make(endpoints, config)
    const packing = {
      requests: config.requests,
      calls: config.commands,
      bytes: config.bytes,
      waiting: config.waiting,
      deadline: Duration.toMillis(config.deadline),
      overloaded: () => new Outcome.Overloaded({ retryAfter: Duration.decode(config.pause) })
    }
    const commands = yield* Packer.make<CommandError>({ ...packing, send: yield* makeSession(courier) })
    const queriesBy = (consistency: "linearizable" | "stale") =>
      Packer.make<QueryError>({ ...packing, send: (calls) => ask(courier, calls, consistency) })
    const queries = { linearizable: yield* queriesBy("linearizable"), stale: yield* queriesBy("stale") }

    const tooLong = (bytes: Uint8Array) =>
      bytes.length <= config.command
        ? undefined
        : Effect.succeed(
            Answer.defect(
              nameOf(bytes),
              `it is ${bytes.length} bytes long, more than the ${config.command} that are allowed`
            )
          )

    return {
      submit: (command) => tooLong(command) ?? commands.call(command),
      query: (query, consistency) => tooLong(query) ?? queries[consistency].call(query)
    }
  })

/**
 * The client of a machine whose replicas are reached over TCP.
 *
 * @example
 * ```ts
 * const BankClient = Client.layer(Bank, {
 *   cluster: "bank",
 *   servers: { 1: { host: "10.0.0.1", port: 7000 }, 2: { host: "10.0.0.2", port: 7000 }, 3: { host: "10.0.0.3", port: 7000 } }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string>(
  machine: Pick<StateMachine.StateMachine<Name, any, any, any>, "caller">,
  options: {
    /** The cluster's name, the same for all of its replicas and clients. */
    readonly cluster: string
    /** Where the replicas are, by node. */
    readonly servers: Readonly<Record<number, { readonly host: string; readonly port: number }>>
    readonly config?: Partial<ClientConfig.ClientConfig>
  }
): Layer.Layer<Caller.Id<Name>, Bounds.ConfigRefused> =>
  Layer.scoped(
    machine.caller,
    Effect.gen(function* () {
      const entries = yield* Effect.forEach(
        Object.entries(options.servers),
        ([node, { host, port }]) =>
          Effect.map(
            Endpoint.tcp({ host, port, cluster: options.cluster }),
            (endpoint) => [Number(node), endpoint] as const
          ),
        { concurrency: "unbounded" }
      )
      return yield* make(new Map(entries), options.config)
    })
  )

type CommandError = Outcome.Unavailable | Outcome.OutcomeUnknown | Outcome.Overloaded
type QueryError = Outcome.Unavailable | Outcome.Overloaded

/** What the client knows of its session. */
interface Opened {
  readonly id: number
  /** The sequence of the next command. */
  next: number
  /** First sequences of the envelopes under way, in ascending order since they are numbered when they leave. */
  readonly underWay: Set<number>
}

/** Sends commands under one session, which is opened through the log before the first of them. */
const makeSession = (courier: Courier.Courier) =>
  Effect.gen(function* () {
    const opening = yield* Effect.makeSemaphore(1)
    /** Whoever waits for an envelope to end. */
    const waiting = new Set<() => void>()
    let opened: Opened | undefined

    const open = (deadline: number): Effect.Effect<Opened, Courier.Failed> =>
      opening.withPermits(1)(
        Effect.suspend(() => {
          if (opened !== undefined) return Effect.succeed(opened)
          return Effect.flatMap(courier.submit(Envelope.encode(Envelope.open), deadline), (bytes) => {
            const reply = Reply.decode(bytes)
            if (Either.isLeft(reply) || reply.right._tag !== "Opened")
              return failed("a session was asked for, and the reply is none")
            opened = { id: reply.right.session, next: 1, underWay: new Set() }
            return Effect.succeed(opened)
          })
        })
      )

    const fits = ({ next, underWay }: Opened, count: number): boolean => {
      const [oldest = next] = underWay
      return next + count <= oldest + Session.WINDOW
    }

    /** Waits until so many more commands lie within the window that replicas remember answers for. */
    const room = (session: Opened, count: number): Effect.Effect<void> =>
      Effect.async((resume) => {
        if (fits(session, count)) return resume(Effect.void)
        const look = () => {
          if (!fits(session, count)) return
          waiting.delete(look)
          resume(Effect.void)
        }
        waiting.add(look)
        return Effect.sync(() => {
          waiting.delete(look)
        })
      })

    /** Numbers commands. What may hold it up was sent earlier and ends earlier, so that the wait is no longer than theirs. */
    const number = (count: number, deadline: number): Effect.Effect<Numbered, Courier.Failed> =>
      Effect.flatMap(open(deadline), (session) => {
        if (!fits(session, count)) return Effect.zipRight(room(session, count), number(count, deadline))
        const first = session.next
        session.next += count
        session.underWay.add(first)
        const [acknowledged = first] = session.underWay
        return Effect.succeed({ session, first, acknowledged })
      })

    const submit = (
      calls: ReadonlyArray<Packer.Call<CommandError>>,
      { acknowledged, first, session }: Numbered,
      deadline: number
    ) =>
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
            return calls.forEach((call, i) => call.end(Effect.succeed(reply.replies[i]!)))
          case "Refused":
            return calls.forEach((call) => call.end(Effect.succeed(Answer.defect(nameOf(call.bytes), reply.reason))))
          case "SessionUnknown":
            // The replicas forgot this session, and with it what they may have applied already.
            if (session === opened) opened = undefined
            return yield* failed("the session is over", true)
          case "Opened":
          case undefined:
            return yield* failed("the reply is not that to the request", true)
        }
      })

    return (calls: ReadonlyArray<Packer.Call<CommandError>>): Effect.Effect<void> => {
      const deadline = earliest(calls)
      const fail = (outcome: (i: number) => CommandError) =>
        Effect.sync(() => calls.forEach((call, i) => call.end(Effect.fail(outcome(i)))))
      return Effect.matchEffect(number(calls.length, deadline), {
        // Whether or not a session was opened, none of these commands was sent.
        onFailure: ({ overloaded, reason }) => fail(() => overloaded ?? new Outcome.Unavailable({ reason })),
        onSuccess: (numbered) =>
          submit(calls, numbered, deadline).pipe(
            Effect.catchAll(({ overloaded, reason, unsure }) =>
              fail((i) =>
                unsure
                  ? new Outcome.OutcomeUnknown({
                      token: { session: numbered.session.id, sequence: numbered.first + i }
                    })
                  : (overloaded ?? new Outcome.Unavailable({ reason }))
              )
            ),
            Effect.ensuring(
              Effect.sync(() => {
                numbered.session.underWay.delete(numbered.first)
                for (const look of waiting) look()
              })
            )
          )
      })
    }
  })

interface Numbered {
  readonly session: Opened
  readonly first: number
  readonly acknowledged: number
}

const failed = (reason: string, unsure = false): Effect.Effect<never, Courier.Failed> =>
  Effect.fail({ _tag: "Failed", unsure, reason, overloaded: undefined })

/** Queries change nothing, so that one which failed was certainly not applied. */
const ask = (
  courier: Courier.Courier,
  calls: ReadonlyArray<Packer.Call<QueryError>>,
  consistency: "linearizable" | "stale"
): Effect.Effect<void> =>
  courier
    .query(
      calls.map((call) => call.bytes),
      consistency,
      earliest(calls)
    )
    .pipe(
      Effect.filterOrElse(
        (answers) => answers.length > 0,
        () => failed("the reply holds no answer")
      ),
      Effect.matchEffect({
        onSuccess: (answers) => {
          answers.slice(0, calls.length).forEach((answer, i) => calls[i]!.end(Effect.succeed(answer)))
          const rest = calls.slice(answers.length)
          return rest.length === 0 ? Effect.void : ask(courier, rest, consistency)
        },
        onFailure: ({ overloaded, reason }) =>
          Effect.sync(() =>
            calls.forEach((call) => call.end(Effect.fail(overloaded ?? new Outcome.Unavailable({ reason }))))
          )
      })
    )

const earliest = (calls: ReadonlyArray<Packer.Call<never>>): number =>
  calls.reduce((deadline, call) => Math.min(deadline, call.deadline), Infinity)

const nameOf = (command: Uint8Array): string =>
  Either.match(Command.decode(command), {
    onLeft: () => "command",
    onRight: ({ tag }) => tag
  })
