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
import { Answer, Caller, Command, Envelope, Outcome, Reply } from "@synod/state-machine"
import type { StateMachine } from "@synod/state-machine"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { defaults, type ClientConfig } from "./ClientConfig.js"
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
  options: Partial<ClientConfig> = {}
): Effect.Effect<Caller.Caller, never, Scope.Scope> =>
  Effect.gen(function*() {
    const config = { ...defaults, ...options }
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
      bytes.length <= config.command ? undefined : Effect.succeed(Answer.defect(
        nameOf(bytes),
        `it is ${bytes.length} bytes long, more than the ${config.command} that are allowed`
      ))

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
    readonly config?: Partial<ClientConfig>
  }
): Layer.Layer<Caller.Id<Name>> =>
  Layer.scoped(
    machine.caller,
    Effect.gen(function*() {
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

/** Sends commands under one session, which is opened through the log before the first of them. */
const makeSession = (courier: Courier.Courier) =>
  Effect.gen(function*() {
    const opening = yield* Effect.makeSemaphore(1)
    let session: number | undefined
    let next = 1
    /** First sequences of the envelopes under way, in ascending order since they are numbered when they leave. */
    const underWay = new Set<number>()

    const open = (deadline: number): Effect.Effect<number, Courier.Failed> =>
      opening.withPermits(1)(Effect.suspend(() => {
        if (session !== undefined) return Effect.succeed(session)
        return Effect.map(courier.submit(Envelope.encode(Envelope.open), deadline), (bytes) => {
          const reply = Either.getOrThrow(Reply.decode(bytes))
          if (reply._tag !== "Opened") throw new Error(`a session was asked for and ${reply._tag} came back`)
          next = 1
          return session = reply.session
        })
      }))

    const send = (calls: ReadonlyArray<Packer.Call<CommandError>>, deadline: number) =>
      Effect.gen(function*() {
        const id = yield* open(deadline).pipe(
          // Whether or not a session was opened, none of these commands was sent.
          Effect.mapError((failed) => ({ ...failed, unsure: false, first: 0, session: 0 }))
        )
        const first = next
        next += calls.length
        underWay.add(first)
        const [acknowledged] = underWay
        const envelope = Envelope.encode(Envelope.call({
          session: id,
          acknowledged: acknowledged ?? first,
          first,
          commands: calls.map((call) => call.bytes)
        }))
        const bytes = yield* courier.submit(envelope, deadline).pipe(
          Effect.mapError((failed) => ({ ...failed, first, session: id })),
          Effect.ensuring(Effect.sync(() => underWay.delete(first)))
        )
        const reply = Either.getOrThrow(Reply.decode(bytes))
        switch (reply._tag) {
          case "Replied":
            return calls.forEach((call, i) => call.end(Effect.succeed(reply.replies[i]!)))
          case "Refused":
            return calls.forEach((call) => call.end(Effect.succeed(Answer.defect(nameOf(call.bytes), reply.reason))))
          case "SessionUnknown":
          case "Opened": {
            // The replicas forgot this session, and with it what they may have applied already.
            if (session === id) session = undefined
            return yield* Effect.fail({ _tag: "Failed" as const, unsure: true, reason: "the session is over", overloaded: undefined, first, session: id })
          }
        }
      })

    return (calls: ReadonlyArray<Packer.Call<CommandError>>): Effect.Effect<void> =>
      Effect.catchAll(send(calls, earliest(calls)), ({ first, overloaded, reason, session, unsure }) =>
        Effect.sync(() =>
          calls.forEach((call, i) =>
            call.end(Effect.fail(
              unsure
                ? new Outcome.OutcomeUnknown({ token: { session, sequence: first + i } })
                : overloaded ?? new Outcome.Unavailable({ reason })
            ))
          )
        ))
  })

/** Queries change nothing, so that one which failed was certainly not applied. */
const ask = (
  courier: Courier.Courier,
  calls: ReadonlyArray<Packer.Call<QueryError>>,
  consistency: "linearizable" | "stale"
): Effect.Effect<void> =>
  courier.query(calls.map((call) => call.bytes), consistency, earliest(calls)).pipe(
    Effect.match({
      onSuccess: (answers) => calls.forEach((call, i) => call.end(Effect.succeed(answers[i]!))),
      onFailure: ({ overloaded, reason }) =>
        calls.forEach((call) => call.end(Effect.fail(overloaded ?? new Outcome.Unavailable({ reason }))))
    })
  )

const earliest = (calls: ReadonlyArray<Packer.Call<never>>): number =>
  calls.reduce((deadline, call) => Math.min(deadline, call.deadline), Infinity)

const nameOf = (command: Uint8Array): string => Either.match(Command.decode(command), {
  onLeft: () => "command",
  onRight: ({ tag }) => tag
})
