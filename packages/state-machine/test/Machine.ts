import { Answer, Batch, Command, Envelope, type Replicated, Reply, type ValueExecutor } from "@synod/state-machine"
import { Either } from "effect"

/** A log of one client: it opens session 1 in slot 1, then each slot holds what is given. */
export interface Log {
  readonly executor: ValueExecutor.ValueExecutor
  readonly replicated: Replicated.Replicated
  readonly slot: number
}

export const start = (executor: ValueExecutor.ValueExecutor): Log =>
  apply({ executor, replicated: executor.initial, slot: 0 }, [Envelope.encode(Envelope.open)]).log

/** Applies a batch in the next slot, at a time that follows from the slot. */
export const apply = (log: Log, envelopes: ReadonlyArray<Uint8Array>) => {
  const slot = log.slot + 1
  const applied = log.executor.apply(log.replicated, { slot, time: 1_000 * slot }, Batch.encode(envelopes))
  return {
    log: { executor: log.executor, replicated: applied.state, slot },
    replies: applied.replies.map((bytes) => Either.getOrThrow(Reply.decode(bytes)))
  }
}

/** Sends commands of session 1 in one envelope. */
export const call = (
  log: Log,
  first: number,
  commands: ReadonlyArray<Uint8Array>,
  { acknowledged = 0, session = 1 }: { readonly acknowledged?: number; readonly session?: number } = {}
) => {
  const { log: next, replies } = apply(log, [
    Envelope.encode(Envelope.call({ session, acknowledged, first, commands }))
  ])
  const reply = replies[0]!
  return { log: next, reply, answers: reply._tag === "Replied" ? reply.replies.map(readAnswer) : [] }
}

export const query = (log: Log, bytes: Uint8Array): Answer.Answer =>
  readAnswer(log.executor.query(log.replicated, { slot: log.slot, time: 1_000 * log.slot }, bytes))

/** A command with a payload that is already encoded. */
export const command = (tag: string, payload?: unknown): Uint8Array => Either.getOrThrow(Command.encode(tag, payload))

export const readAnswer = (bytes: Uint8Array): Answer.Answer => Either.getOrThrow(Answer.decode(bytes))

export const digestOf = (log: Log): string => log.executor.digest(log.replicated)
