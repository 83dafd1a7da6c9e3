import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Schema } from "effect"

const Add = Rpc.make("Add", { payload: { key: Schema.String }, success: Schema.Int })
const Positions = Rpc.make("Positions", { payload: { key: Schema.String }, success: Schema.Array(Schema.Int) })
const All = Rpc.make("All", { success: Schema.Array(Schema.Tuple(Schema.String, Schema.Array(Schema.Int))) })

/** Remembers at which positions each key was added: a key that was sent once and stands there twice was applied twice. */
export const Tally = StateMachine.make("Tally", {
  version: 1,
  state: Schema.Struct({
    count: Schema.Int,
    positions: Schema.HashMap({ key: Schema.String, value: Schema.Array(Schema.Int) })
  }),
  initial: { count: 0, positions: HashMap.empty<string, ReadonlyArray<number>>() },
  commands: [Add],
  queries: [Positions, All]
})

export const TallyLive = Tally.toLayer({
  Add: ({ count, positions }, { key }) => {
    const position = count + 1
    const before = positionsOf(positions, key)
    return Effect.succeed([
      position,
      { count: position, positions: HashMap.set(positions, key, [...before, position]) }
    ] as const)
  },
  Positions: ({ positions }, { key }) => Effect.succeed(positionsOf(positions, key)),
  All: ({ positions }) => Effect.succeed(HashMap.toEntries(positions))
})

const positionsOf = (positions: HashMap.HashMap<string, ReadonlyArray<number>>, key: string) =>
  HashMap.get(positions, key).pipe((found) => (found._tag === "Some" ? found.value : []))
