/**
 * @since 0.1.0
 */
export * as Answer from "./Answer.js"
export * as Batch from "./Batch.js"
export * as Caller from "./Caller.js"
export * as Command from "./Command.js"
export * as Consistency from "./Consistency.js"
export * as Digest from "./Digest.js"
export * as Envelope from "./Envelope.js"
export * as Executor from "./Executor.js"
export * as Malformed from "./Malformed.js"
export * as Outcome from "./Outcome.js"
export * as Replicated from "./Replicated.js"
export * as Reply from "./Reply.js"
export * as Session from "./Session.js"
export * as Snapshot from "./Snapshot.js"
export * as StateMachine from "./StateMachine.js"
