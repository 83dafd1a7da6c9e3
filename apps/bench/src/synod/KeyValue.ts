/**
 * The machine that is measured: a typed store of values by key.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

const Key = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(256))
const Value = Schema.String.pipe(Schema.maxLength(32 * 1024))

export const KeyValue = StateMachine.make("KeyValue", {
  version: 1,
  state: Schema.HashMap({ key: Key, value: Value }),
  initial: HashMap.empty(),
  commands: [Rpc.make("Put", { payload: { key: Key, value: Value } })],
  queries: [Rpc.make("Get", { payload: { key: Key }, success: Schema.Option(Value) })]
})

export const KeyValueLive = KeyValue.toLayer({
  Put: (state, { key, value }) => Effect.succeed([undefined, HashMap.set(state, key, value)]),
  Get: (state, { key }) => Effect.succeed(Option.map(HashMap.get(state, key), (value) => value))
})

/** Puts values of 84 bytes under 10,000 keys of 16 bytes in turn, from one process. */
export const puts = Effect.map(KeyValue.client, (store) => {
  const value = "v".repeat(84)
  let next = 0
  return Effect.suspend(() => {
    next = (next + 1) % 10_000
    return store.Put({ key: String(next).padStart(16, "0"), value })
  })
})
