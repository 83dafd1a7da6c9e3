/** A command is decoded once at each replica, at the leader too, which looks into it before it is proposed. */
import { Rpc } from "@effect/rpc"
import { expect, it } from "@effect/vitest"
import { InProcess } from "@synod/replica"
import { StateMachine } from "@synod/state-machine"
import { Effect, Layer, Schema } from "effect"
import * as Cluster from "./Cluster.js"
import * as VirtualTime from "./VirtualTime.js"

let decoded = 0

const Counted = Schema.transform(Schema.Number, Schema.Number, {
  strict: true,
  decode: (number) => {
    decoded++
    return number
  },
  encode: (number) => number
})

const Append = Rpc.make("Append", { payload: { items: Schema.mutable(Schema.Array(Counted)) }, success: Schema.Int })

const List = StateMachine.make("List", {
  version: 1,
  state: Schema.Array(Schema.Number),
  initial: [],
  commands: [Append],
  queries: []
})

const ListLive = List.toLayer({
  // It changes what it is given: that must be its own.
  Append: (state, { items }) => {
    items.push(state.length)
    return Effect.succeed([items.length, [...state, ...items]] as const)
  }
})

it.scoped("each replica decodes a command once, and what a handler does to it is seen nowhere else", () =>
  Effect.gen(function* () {
    const list = yield* List.client
    const { digest, nodes } = yield* InProcess.InProcess
    decoded = 0
    for (let n = 0; n < 10; n++) expect(yield* list.Append({ items: [n] })).toBe(2)
    yield* Cluster.until(
      "everybody has applied everything",
      Effect.map(Effect.forEach(nodes, digest), (all) => new Set(all.map(({ digest }) => digest)).size === 1)
    )
    expect(decoded).toBe(10 * nodes.length)
  }).pipe(Effect.provide(InProcess.layerMemory(List).pipe(Layer.provide(ListLive))), Effect.scoped, VirtualTime.provide)
)
