/** The machine beside which registers are held: who claims something first has it, as with a register. */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

const Claim = Rpc.make("Claim", {
  payload: { key: Schema.String, owner: Schema.String },
  success: Schema.String
})

export const Claims = StateMachine.make("Claims", {
  version: 1,
  state: Schema.HashMap({ key: Schema.String, value: Schema.String }),
  initial: HashMap.empty(),
  commands: [Claim],
  queries: []
})

export const ClaimsLive = Claims.toLayer({
  Claim: (state, { key, owner }) =>
    Effect.succeed(
      Option.match(HashMap.get(state, key), {
        onNone: () => [owner, HashMap.set(state, key, owner)] as const,
        onSome: (owner) => [owner, state] as const
      })
    )
})
