/** What the processes of a run have in common: whom they are told about, and the bounds that the run needs. */
import { ReplicaConfig } from "@synod/replica"
import { Schema } from "effect"

export const cluster = "chaos"
export const host = "127.0.0.1"

const Address = Schema.Struct({ host: Schema.String, port: Schema.Int })

/** Where a process finds the replicas, by node: all but itself behind proxies. */
export const Members = Schema.Record({ key: Schema.String, value: Address })

export type Members = typeof Members.Type

export const ReplicaSettings = Schema.Struct({ node: Schema.Int, members: Members, file: Schema.String })

export type ReplicaSettings = typeof ReplicaSettings.Type

export const ClientSettings = Schema.Struct({
  name: Schema.String,
  members: Members,
  /** The replica that it asks first. */
  nearest: Schema.Int,
  /** The file that it writes down in what it does, each call before it is made. */
  file: Schema.String,
  seed: Schema.Int
})

export type ClientSettings = typeof ClientSettings.Type

/**
 * Snapshots come often enough that every few cycles a replica that was away needs one: at some hundred slots a second the
 * defaults would take none before minutes.
 */
export const replicaConfig: ReplicaConfig.Values = {
  ...ReplicaConfig.defaults,
  snapshotSlots: 1000,
  snapshotBytes: 256 * 1024,
  margin: 250
}
