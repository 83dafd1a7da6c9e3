/**
 * The store of the lin-kv workload: values by key, both any JSON, as the texts that `Json.canonical` gives.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

export class KeyDoesNotExist extends Schema.TaggedError<KeyDoesNotExist>()("KeyDoesNotExist", { key: Schema.String }) {
  override get message(): string {
    return `there is no key ${this.key}`
  }
}

export class PreconditionFailed extends Schema.TaggedError<PreconditionFailed>()("PreconditionFailed", {
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return `expected ${this.expected}, found ${this.found}`
  }
}

const Write = Rpc.make("Write", { payload: { key: Schema.String, value: Schema.String } })

/** Sets the value of a key that has the value `from`. */
const Cas = Rpc.make("Cas", {
  payload: { key: Schema.String, from: Schema.String, to: Schema.String },
  error: Schema.Union(KeyDoesNotExist, PreconditionFailed)
})

const Read = Rpc.make("Read", { payload: { key: Schema.String }, success: Schema.String, error: KeyDoesNotExist })

export const Store = StateMachine.make("Store", {
  version: 1,
  state: Schema.HashMap({ key: Schema.String, value: Schema.String }),
  initial: HashMap.empty(),
  commands: [Write, Cas],
  queries: [Read]
})

const valueOf = (state: HashMap.HashMap<string, string>, key: string): Effect.Effect<string, KeyDoesNotExist> =>
  Option.match(HashMap.get(state, key), { onNone: () => new KeyDoesNotExist({ key }), onSome: Effect.succeed })

export const StoreLive = Store.toLayer({
  Write: (state, { key, value }) => Effect.succeed([undefined, HashMap.set(state, key, value)]),
  Cas: (state, { from, key, to }) =>
    Effect.flatMap(valueOf(state, key), (found) =>
      found === from
        ? Effect.succeed([undefined, HashMap.set(state, key, to)] as const)
        : new PreconditionFailed({ expected: from, found })
    ),
  Read: (state, { key }) => valueOf(state, key)
})
