import { assert, describe, it } from "@effect/vitest"
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcServer from "@effect/rpc/RpcServer"
import { Context, Effect, Layer, Schema } from "effect"
import { RpcOptions, Tcp } from "../src/index.js"

class Rpcs extends RpcGroup.make(
  Rpc.make("Echo", { payload: { bytes: Schema.Uint8ArrayFromSelf }, success: Schema.Uint8ArrayFromSelf })
) {}

const handlers = Rpcs.toLayer({ Echo: ({ bytes }) => Effect.succeed(bytes) })

const server = RpcServer.layer(Rpcs, RpcOptions.server).pipe(
  Layer.provide(handlers),
  Layer.provideMerge(Tcp.serverLayer({ host: "127.0.0.1", port: 0, cluster: "test" }))
)

describe("Tcp", () => {
  it.scopedLive("echoes", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(server)
      const { host, port } = Context.get(context, Tcp.Address)
      const client = yield* RpcClient.make(Rpcs, RpcOptions.client).pipe(
        Effect.provideServiceEffect(RpcClient.Protocol, Tcp.clientProtocol({ host, port, cluster: "test" }))
      )
      const bytes = new Uint8Array(200_000).fill(7)
      for (let i = 0; i < 10; i++) assert.deepStrictEqual(yield* client.Echo({ bytes }), bytes)
    }))
})
