/**
 * The machine that is measured: a typed store of values by key.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

/** In bytes; replicas and clients are told to take it, when it is to be put. */
export const longestValue = 256 * 1024

const Key = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(256))
const Value = Schema.String.pipe(Schema.maxLength(longestValue))

const Put = Rpc.make("Put", { payload: { key: Key, value: Value } })
const Get = Rpc.make("Get", { payload: { key: Key }, success: Schema.Option(Value) })

export const KeyValue = StateMachine.make("KeyValue", {
  version: 1,
  state: Schema.HashMap({ key: Key, value: Value }),
  initial: HashMap.empty(),
  commands: [Put],
  queries: [Get]
})

export const KeyValueLive = KeyValue.toLayer({
  Put: (state, { key, value }) => Effect.succeed([undefined, HashMap.set(state, key, value)]),
  Get: (state, { key }) => Effect.succeed(Option.map(HashMap.get(state, key), (value) => value))
})

/** What is put everywhere. */
export const value = "v".repeat(84)

/** The n-th key. */
export const keyOf = (n: number): string => String(n).padStart(16, "0")

const put = (n: number) => ({ key: keyOf(n), value })

/** So many puts of values of 84 bytes under keys of 16. */
export const commands = (count: number) => Array.from({ length: count }, (_, n) => put(n))

/** Puts of values of so many bytes, under so many keys in turn, from one process. */
export const puts = (keys: number, bytes: number) =>
  Effect.map(KeyValue.client, (store) => {
    const value = "v".repeat(bytes)
    let next = 0
    return Effect.suspend(() => {
      next = (next + 1) % keys
      return store.Put({ key: keyOf(next), value })
    })
  })

/** So many linearizable reads of these keys in turn, from one process. */
export const gets = (keys: number) =>
  Effect.map(KeyValue.client, (store) => {
    let next = 0
    return Effect.suspend(() => {
      next = (next + 1) % keys
      return store.Get({ key: keyOf(next) })
    })
  })
