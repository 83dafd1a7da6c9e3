/** Which replica a process is, if any, and where all of them listen. */
import { Schema } from "effect"

const Address = Schema.Struct({ host: Schema.String, port: Schema.Int })

export const Settings = Schema.Struct({
  /** Where the replicas listen, by node. */
  members: Schema.Record({ key: Schema.String, value: Address }),
  /** The replica that this process is; none for a client. `tells`: what it does is of interest, and not only what goes wrong. */
  replica: Schema.optional(
    Schema.Struct({ node: Schema.Int, file: Schema.String, tells: Schema.optional(Schema.Boolean) })
  ),
  /** Under how many keys clients put; 10,000 unless said otherwise. */
  keys: Schema.optional(Schema.Int.pipe(Schema.positive())),
  /** How long the values are that they put; 84 bytes unless said otherwise. */
  valueBytes: Schema.optional(Schema.Int.pipe(Schema.positive()))
})

export type Settings = typeof Settings.Type

export const cluster = "bench"
