import { expect, it } from "@effect/vitest"
import { QuorumSpec } from "@synod/paxos"
import { Register, RegisterConfig, Registers, Socket } from "@synod/register"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { join } from "node:path"
import { directory, freePort } from "./Fixtures.js"

const Owner = Register.make("owner", { value: Schema.String })

const impatient = Layer.succeed(RegisterConfig.RegisterConfig, { ...RegisterConfig.defaults, deadline: "1 second" })

it.scopedLive("members and clients over TCP agree, and who counts otherwise is refused", () =>
  Effect.gen(function* () {
    const path = yield* directory
    const members: Record<number, { host: string; port: number }> = {}
    for (const node of [1, 2, 3]) members[node] = { host: "127.0.0.1", port: yield* freePort }
    const common = { cluster: "test", members, quorums: { _tag: "AllAboard" } as const }
    const start = (node: number) =>
      Effect.map(
        Layer.build(Socket.layer({ ...common, node, filename: join(path, `${node}.sqlite`) })),
        Context.get(Registers.Registers)
      )
    const [one, two] = yield* Effect.all([start(1), start(2), start(3)], { concurrency: "unbounded" })
    const by = (registers: Registers.Service) => Effect.provideService(Registers.Registers, registers)
    expect(yield* by(one)(Owner.propose("door", "alice"))).toEqual({ value: "alice", mine: true })
    expect(yield* by(two)(Owner.propose("door", "bob"))).toEqual({ value: "alice", mine: false })

    yield* Effect.gen(function* () {
      expect(yield* Owner.read("door")).toEqual(Option.some("alice"))
      expect(yield* Owner.read("window")).toEqual(Option.none())
      expect(yield* Owner.propose("window", "carol")).toEqual({ value: "carol", mine: true })
    }).pipe(Effect.provide(Socket.layerClient(common)))
    expect(yield* by(two)(Owner.read("window"))).toEqual(Option.some("carol"))

    const other = Socket.layerClient({ ...common, quorums: QuorumSpec.majority }).pipe(Layer.provide(impatient))
    const refused = yield* Effect.flip(Effect.provide(Owner.read("door"), other))
    expect(refused._tag).toBe("Unavailable")
  })
)
