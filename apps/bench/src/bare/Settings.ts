/** What a process of the bare pipeline is and whom it speaks to; ports are on loopback. */
import { Schema } from "effect"

export const Settings = Schema.Union(
  Schema.Struct({ role: Schema.Literal("follower"), file: Schema.String }),
  Schema.Struct({ role: Schema.Literal("leader"), file: Schema.String, followers: Schema.Array(Schema.Int) }),
  Schema.Struct({ role: Schema.Literal("client"), leader: Schema.Int })
)

export type Settings = typeof Settings.Type
