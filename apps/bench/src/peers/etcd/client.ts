/**
 * The process that asks etcd: puts and linearizable ranges, as gRPC over one connection to the leader; and puts that are tried again
 * at every member.
 */
import { Effect, Schema } from "effect"
import * as Callers from "../../Callers.js"
import * as Insist from "../../Insist.js"
import { Load } from "../../Load.js"
import { keyOf, value } from "../../synod/KeyValue.js"
import * as Worker from "../../Worker.js"
import * as Grpc from "./Grpc.js"

const { leader, members } = Schema.decodeUnknownSync(
  Schema.Struct({ leader: Schema.String, members: Schema.Array(Schema.String) })
)(Worker.settings())
const load = Schema.decodeUnknownSync(Load)

const keys = 10_000
const grpc = Grpc.connect(leader)
const valueField = Grpc.field(2, Buffer.from(value))

let next = 0
const key = (): Uint8Array => {
  next = (next + 1) % keys
  return Grpc.field(1, Buffer.from(keyOf(next)))
}
const putBy = (connection: Grpc.Grpc, done: (failure?: Error) => void): void =>
  connection.call("/etcdserverpb.KV/Put", Buffer.concat([key(), valueField]), done)
const operations: Record<Load["operation"], Callers.Call> = {
  put: (done) => putBy(grpc, done),
  get: (done) => grpc.call("/etcdserverpb.KV/Range", key(), done)
}

/** Connections to all members, made anew when they are lost. */
const connections: Array<Grpc.Grpc> = []
const attempt = (member: number) =>
  Effect.async<void, Error>((resume) => {
    if (connections[member]?.open() !== true) connections[member] = Grpc.connect(members[member]!)
    putBy(connections[member]!, (failure) => resume(failure === undefined ? Effect.void : Effect.fail(failure)))
  })

Worker.serve({
  ...Insist.make(members.length, attempt),
  measure: (argument) => {
    const asked = load(argument)
    return Callers.run(asked, operations[asked.operation])
  }
})
