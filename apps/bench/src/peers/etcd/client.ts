/** The process that asks etcd: puts and linearizable ranges, as gRPC over one connection to the leader. */
import { Schema } from "effect"
import * as Callers from "../../Callers.js"
import { Load } from "../../Load.js"
import { keyOf, value } from "../../synod/KeyValue.js"
import * as Worker from "../../Worker.js"
import * as Grpc from "./Grpc.js"

const { leader } = Schema.decodeUnknownSync(Schema.Struct({ leader: Schema.String }))(Worker.settings())
const load = Schema.decodeUnknownSync(Load)

const keys = 10_000
const grpc = Grpc.connect(leader)
const valueField = Grpc.field(2, Buffer.from(value))

let next = 0
const key = (): Uint8Array => {
  next = (next + 1) % keys
  return Grpc.field(1, Buffer.from(keyOf(next)))
}
const operations: Record<Load["operation"], Callers.Call> = {
  put: (done) => grpc.call("/etcdserverpb.KV/Put", Buffer.concat([key(), valueField]), done),
  get: (done) => grpc.call("/etcdserverpb.KV/Range", key(), done)
}

Worker.serve({
  measure: (argument) => {
    const asked = load(argument)
    return Callers.run(asked, operations[asked.operation])
  }
})
