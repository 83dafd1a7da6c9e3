/** Which replica a process is, if any, and where all of them listen. */
import { Schema } from "effect"

const Address = Schema.Struct({ host: Schema.String, port: Schema.Int })

export const Settings = Schema.Struct({
  /** Where the replicas listen, by node. */
  members: Schema.Record({ key: Schema.String, value: Address }),
  /** The replica that this process is; none for a client. */
  replica: Schema.optional(Schema.Struct({ node: Schema.Int, file: Schema.String }))
})

export type Settings = typeof Settings.Type

export const cluster = "bench"
