/**
 * What proposers ask of the acceptors of registers.
 *
 * @since 0.1.0
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { RegisterMessage } from "@synod/paxos"
import * as Schema from "effect/Schema"
import { Refused } from "./RegisterError.js"

/**
 * @since 0.1.0
 * @category groups
 */
export class RegisterRpcs extends RpcGroup.make(
  Rpc.make("Prepare", {
    payload: RegisterMessage.Prepare,
    success: Schema.Union(RegisterMessage.Promise, RegisterMessage.Rejected, RegisterMessage.Decided),
    error: Refused
  }),
  Rpc.make("Accept", {
    payload: RegisterMessage.Accept,
    success: Schema.Union(RegisterMessage.Accepted, RegisterMessage.Rejected, RegisterMessage.Decided),
    error: Refused
  }),
  Rpc.make("Decided", { payload: RegisterMessage.Decided, success: RegisterMessage.Decided, error: Refused }),
  Rpc.make("Inspect", { payload: RegisterMessage.Inspect, success: RegisterMessage.Held, error: Refused })
) {}
