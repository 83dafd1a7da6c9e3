/**
 * The lock of the transcripts: whoever asks first holds it, and everybody else is told who does.
 */
import * as Rpc from "@effect/rpc/Rpc"
import { Answer, Batch, Command, Envelope, Reply, StateMachine } from "@synod/state-machine"
import type { ValueExecutor } from "@synod/state-machine"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

class LockHeld extends Schema.TaggedError<LockHeld>("@synod/simulator/LockHeld")("LockHeld", { by: Schema.String }) {}

const Acquire = Rpc.make("Acquire", {
  payload: { holder: Schema.String },
  /** The fencing token: how often the lock was granted, this time included. */
  success: Schema.Int,
  error: LockHeld
})

export const State = Schema.Struct({ holder: Schema.NullOr(Schema.String), granted: Schema.Int })

export type State = typeof State.Type

const Lock = StateMachine.make("Lock", {
  version: 1,
  state: State,
  initial: { holder: null, granted: 0 },
  commands: [Acquire],
  queries: []
})

const LockLive = Lock.toLayer({
  Acquire: ({ granted, holder: by }, { holder }) =>
    by === null
      ? Effect.succeed([granted + 1, { holder, granted: granted + 1 }] as const)
      : Effect.fail(new LockHeld({ by }))
})

export const executor: ValueExecutor.ValueExecutor<State> = Effect.runSync(Effect.provide(Lock.executor, LockLive))

export const openBatch = (): Uint8Array => Batch.encode([Envelope.encode(Envelope.open)])

/** The request of a client for the lock. Sent again it has the same session and sequence, hence is the same request. */
export const acquireBatch = (session: number, sequence: number, holder: string): Uint8Array => {
  const command = Either.getOrThrow(Command.encode("Acquire", { holder }))
  const call = Envelope.call({ session, acknowledged: 1, first: sequence, commands: [command] })
  return Batch.encode([Envelope.encode(call)])
}

/** What a batch asks for. */
export type Asked =
  { readonly _tag: "Open" } | { readonly _tag: "Acquire"; readonly session: number; readonly sequence: number }

export const asked = (batch: Uint8Array): Asked => {
  const [bytes] = Either.getOrThrow(Batch.decode(batch))
  const envelope = Either.getOrThrow(Envelope.decode(bytes!))
  return envelope._tag === "Call"
    ? { _tag: "Acquire", session: envelope.session, sequence: envelope.first }
    : { _tag: "Open" }
}

/** The reply to a batch of {@link openBatch} or {@link acquireBatch}, as a client understands it. */
export type Told =
  | { readonly _tag: "Opened"; readonly session: number }
  | { readonly _tag: "Granted"; readonly token: number }
  | { readonly _tag: "Held"; readonly by: string }
  | { readonly _tag: "Failed"; readonly reason: string }

export const told = (bytes: Uint8Array): Told => {
  const reply = Either.getOrThrow(Reply.decode(bytes))
  if (reply._tag === "Opened") return { _tag: "Opened", session: reply.session }
  if (reply._tag !== "Replied") return { _tag: "Failed", reason: reply._tag }
  const answer = Either.getOrThrow(Answer.decode(reply.replies[0]!))
  switch (answer._tag) {
    case "Success":
      return { _tag: "Granted", token: Schema.decodeUnknownSync(Schema.Int)(answer.value) }
    case "Failure":
      return { _tag: "Held", by: Schema.decodeUnknownSync(LockHeld)(answer.error).by }
    case "Defect":
    case "Forgotten":
    case "Withdrawn":
      return { _tag: "Failed", reason: answer._tag }
  }
}
