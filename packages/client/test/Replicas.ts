/**
 * Replicas as a client sees them: endpoints on one executor, as if consensus took no time. What a test wants to go wrong, it
 * puts around them.
 */
import { Rpc } from "@effect/rpc"
import { Client, type ClientConfig, ClientRpcs, Endpoint } from "@synod/client"
import { Answer, Batch, Envelope, SessionTable, StateMachine } from "@synod/state-machine"
import { Effect, Either, Schema } from "effect"

const Next = Rpc.make("Next", { payload: { by: Schema.Int }, success: Schema.Int })
const Value = Rpc.make("Value", { success: Schema.Int })

/** Counts; an answer tells what it was before. */
export const Counter = StateMachine.make("Counter", {
  version: 1,
  state: Schema.Int,
  initial: 0,
  commands: [Next],
  queries: [Value]
})

export const CounterLive = Counter.toLayer({
  Next: (state, { by }) => Effect.succeed([state, state + by] as const),
  Value: (state) => Effect.succeed(state)
})

export interface Replicas {
  /** A replica that leads. */
  readonly leader: Endpoint.Endpoint
  /** What has arrived, in order. */
  readonly received: Array<Envelope.Envelope>
  readonly value: () => number
  /** Forgets all sessions, and how far they had come. */
  readonly forget: () => void
  /** Lets so many milliseconds of agreed time go by. */
  readonly wait: (milliseconds: number) => void
}

const status = new Endpoint.Unreachable({ reason: "not asked for here", sent: false })

export const make: Effect.Effect<Replicas> = Effect.gen(function* () {
  const executor = yield* Counter.executor
  let replicated = executor.initial
  let slot = 0
  let time = 0
  const received: Array<Envelope.Envelope> = []
  return {
    received,
    value: () => replicated.state,
    wait: (milliseconds: number) => void (time += milliseconds),
    forget: () =>
      (replicated = {
        state: replicated.state,
        sessions: SessionTable.make(replicated.sessions.opened, [], [])
      }),
    leader: {
      submit: (envelope) =>
        Effect.sync(() => {
          received.push(Either.getOrThrow(Envelope.decode(envelope)))
          const applied = executor.apply(replicated, { slot: ++slot, time }, Batch.encode([envelope]))
          replicated = applied.state
          return applied.replies[0]!
        }),
      query: (queries) =>
        Effect.sync(() => ({
          slot,
          answers: queries.map((query) => executor.query(replicated, { slot, time: 0 }, query))
        })),
      follow: () => status,
      status,
      digest: status
    } satisfies Endpoint.Endpoint
  }
}).pipe(Effect.provide(CounterLive))

/** An endpoint that answers every request alike. */
export const always = (
  error: Endpoint.Unreachable | ClientRpcs.NotLeader | ClientRpcs.Superseded
): Endpoint.Endpoint => ({
  submit: () => Effect.fail(error),
  query: () => Effect.fail(error),
  follow: () => Effect.fail(error._tag === "Superseded" ? status : error),
  status,
  digest: status
})

export const notSent = always(new Endpoint.Unreachable({ reason: "there is no connection", sent: false }))
export const lost = always(new Endpoint.Unreachable({ reason: "the connection broke", sent: true }))

export const following = (leader?: number): Endpoint.Endpoint =>
  always(new ClientRpcs.NotLeader(leader === undefined ? {} : { leader }))

/** A typed client of these, by node from 1 on. */
export const client = (endpoints: ReadonlyArray<Endpoint.Endpoint>, options?: Partial<ClientConfig.ClientConfig>) =>
  Client.make(new Map(endpoints.map((endpoint, i) => [i + 1, endpoint])), options).pipe(
    Effect.flatMap((caller) => Effect.provideService(Counter.client, Counter.caller, caller))
  )

export const answerOf = (bytes: Uint8Array) => Either.getOrThrow(Answer.decode(bytes))
