import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcServer from "@effect/rpc/RpcServer"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Schema, Scope } from "effect"
import { Direct, RpcOptions, Tcp } from "../src/index.js"
import { cluster, until } from "./fixtures.js"

class TooLarge extends Schema.TaggedError<TooLarge>("@synod/wire/test/TooLarge")("TooLarge", {
  most: Schema.Number
}) {}

class Sums extends RpcGroup.make(
  Rpc.make("Add", {
    payload: { a: Schema.Number, b: Schema.Number },
    success: Schema.Int,
    error: TooLarge
  }),
  Rpc.make("Throw"),
  Rpc.make("Never")
) {}

class Others extends RpcGroup.make(Rpc.make("Other", { success: Schema.String })) {}

const add = ({ a, b }: { readonly a: number; readonly b: number }) =>
  a + b > 100 ? Exit.fail(new TooLarge({ most: 100 })) : Exit.succeed(a + b)

const direct: Direct.Handlers<RpcGroup.Rpcs<typeof Sums>> = {
  Add: (payload, answer) => answer(add(payload)),
  Throw: () => {
    throw new Error("the handler threw")
  },
  Never: () => undefined
}

/** A server on a port of its own, made of plain functions or of effects. */
const start = (kind: "direct" | "rpc") =>
  Effect.gen(function* () {
    const { address, protocol } = yield* Tcp.serverProtocol({ host: "127.0.0.1", port: 0, cluster })
    const others = Others.toLayer({ Other: () => Effect.succeed("other") })
    yield* Layer.build(
      kind === "direct"
        ? RpcServer.layer(Others, RpcOptions.server).pipe(
            Layer.provide([others, Layer.scoped(RpcServer.Protocol, Direct.serve(protocol, Sums, direct))])
          )
        : RpcServer.layer(Sums, RpcOptions.server).pipe(
            Layer.provide([
              Sums.toLayer({
                Add: add,
                Throw: (): Effect.Effect<void> => {
                  throw new Error("the handler threw")
                },
                Never: () => Effect.never
              }),
              Layer.succeed(RpcServer.Protocol, protocol)
            ])
          )
    )
    return address
  })

const protocolTo = ({ host, port }: Tcp.Address["Type"]) => Tcp.clientProtocol({ host, port, cluster })

const asked = <A, E>(register: (answer: (outcome: Exit.Exit<A, E>) => void) => void): Effect.Effect<A, E> =>
  Effect.async((resume) => register(resume))

describe("Direct", () => {
  for (const kind of ["direct", "rpc"] as const) {
    it.scopedLive(`asks a server made of ${kind === "direct" ? "plain functions" : "effects"}`, () =>
      Effect.gen(function* () {
        const address = yield* start(kind)
        const ask = yield* Effect.provideServiceEffect(Direct.client(Sums), RpcClient.Protocol, protocolTo(address))
        assert.strictEqual(yield* asked<number, unknown>((answer) => ask("Add", { a: 1, b: 2 }, answer)), 3)
        const failure = yield* Effect.flip(asked((answer) => ask("Add", { a: 99, b: 2 }, answer)))
        assert.instanceOf(failure, TooLarge)
        const thrown = yield* Effect.exit(asked((answer) => ask("Throw", undefined, answer)))
        assert.isTrue(Exit.isFailure(thrown) && Cause.isDie(thrown.cause))
        // A success that its schema refuses fails its own request, and the connection goes on.
        const unfit = yield* Effect.exit(asked((answer) => ask("Add", { a: 0.5, b: 2 }, answer)))
        assert.isTrue(Exit.isFailure(unfit) && Cause.isDie(unfit.cause))
        assert.strictEqual(yield* asked<number, unknown>((answer) => ask("Add", { a: 2, b: 2 }, answer)), 4)
      })
    )
  }

  it.scopedLive("answers an RpcClient, on the connection that it shares with an RpcServer", () =>
    Effect.gen(function* () {
      const address = yield* start("direct")
      const protocol = yield* protocolTo(address)
      const sums = yield* Effect.provideService(RpcClient.make(Sums, RpcOptions.client), RpcClient.Protocol, protocol)
      const others = yield* Effect.provideService(
        RpcClient.make(Others, RpcOptions.client),
        RpcClient.Protocol,
        protocol
      )
      const ask = yield* Effect.provideService(Direct.client(Sums), RpcClient.Protocol, protocol)
      const results = yield* Effect.all(
        [
          sums.Add({ a: 1, b: 2 }),
          others.Other(),
          asked<number, unknown>((answer) => ask("Add", { a: 3, b: 4 }, answer)),
          Effect.flip(sums.Add({ a: 99, b: 2 }))
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results.slice(0, 3), [3, "other", 7])
      assert.instanceOf(results[3], TooLarge)
    })
  )

  it.scopedLive("several clients share a connection, and none gets what another asked for", () =>
    Effect.gen(function* () {
      const protocol = yield* protocolTo(yield* start("direct"))
      const asks = yield* Effect.replicateEffect(
        Effect.provideService(Direct.client(Sums), RpcClient.Protocol, protocol),
        3
      )
      const sums = asks.flatMap((ask, a) =>
        [10, 20].map((b) => asked<number, unknown>((answer) => ask("Add", { a, b }, answer)))
      )
      assert.deepStrictEqual(yield* Effect.all(sums, { concurrency: "unbounded" }), [10, 20, 11, 21, 12, 22])
    })
  )

  it.scopedLive("a payload that its schema refuses isn't sent", () =>
    Effect.gen(function* () {
      const ask = yield* Effect.provideServiceEffect(
        Direct.client(Sums),
        RpcClient.Protocol,
        protocolTo(yield* start("direct"))
      )
      const refused = yield* Effect.exit(asked((answer) => ask("Add", { a: "1", b: 2 } as never, answer)))
      assert.isTrue(Exit.isFailure(refused) && Cause.isDie(refused.cause))
    })
  )

  it.scopedLive("requests without an answer fail when the connection goes, but for those that were forgotten", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const scope = yield* Scope.make()
      const ask = yield* Effect.provideServiceEffect(
        Direct.client(Sums),
        RpcClient.Protocol,
        protocolTo(yield* Scope.extend(start("direct"), scope))
      )
      ask("Never", undefined, ({ _tag }) => ends.push(`first ${_tag}`))
      ask("Never", undefined, ({ _tag }) => ends.push(`second ${_tag}`))()
      yield* asked<number, unknown>((answer) => ask("Add", { a: 1, b: 2 }, answer))
      assert.deepStrictEqual(ends, [])
      yield* Scope.close(scope, Exit.void)
      yield* until("the request has failed", () => ends.length > 0)
      assert.deepStrictEqual(ends, ["first Failure"])
    })
  )
})
