/** What a process is that decides who holds what, and where the members are found from it. */
import { Schema } from "effect"

const Members = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({ host: Schema.String, port: Schema.Int })
})

export type Members = typeof Members.Type

export const Settings = Schema.Struct({
  /** Who decides: replicas with a leader; registers by majorities, or by all members. */
  by: Schema.Literal("leader", "registers", "all aboard"),
  members: Members,
  /** The member that this process is; none for clients. */
  self: Schema.optional(Schema.Struct({ node: Schema.Int, file: Schema.String })),
  /** The replica that is to lead; any if none is said. */
  leader: Schema.optional(Schema.Int)
})

export type Settings = typeof Settings.Type

export const cluster = "claims"

/** Clients that all claim the same thing, again and again. */
export const Contest = Schema.Struct({
  clients: Schema.Int.pipe(Schema.positive()),
  seconds: Schema.Positive
})

export const Contested = Schema.Struct({
  /** Things that have an owner, a second. */
  decisionsPerSecond: Schema.Number,
  /** Of the answers to claims. */
  p50Millis: Schema.Number,
  p99Millis: Schema.Number,
  /** Claims that ended without an answer. */
  failed: Schema.Int
})

export type Contested = typeof Contested.Type
