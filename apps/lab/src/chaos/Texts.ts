/**
 * The machine that is run: texts under names. A text can be written and swapped, as a register, or appended to, so that
 * whatever is lost, applied twice or out of order stays to be seen.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

/** The text is not what a swap expected. */
export class Differs extends Schema.TaggedError<Differs>()("Differs", { found: Schema.NullOr(Schema.String) }) {}

const name = Schema.String
const Text = Schema.NullOr(Schema.String)

const Write = Rpc.make("Write", { payload: { name, text: Schema.String } })
const Append = Rpc.make("Append", { payload: { name, text: Schema.String } })
const Swap = Rpc.make("Swap", { payload: { name, from: Text, to: Schema.String }, error: Differs })
const Read = Rpc.make("Read", { payload: { name }, success: Text })

export const Texts = StateMachine.make("Texts", {
  version: 1,
  state: Schema.HashMap({ key: name, value: Schema.String }),
  initial: HashMap.empty(),
  commands: [Write, Append, Swap],
  queries: [Read]
})

type State = HashMap.HashMap<string, string>

const at = (state: State, name: string): string | null => Option.getOrNull(HashMap.get(state, name))

export const TextsLive = Texts.toLayer({
  Write: (state, { name, text }) => Effect.succeed([undefined, HashMap.set(state, name, text)]),
  Append: (state, { name, text }) =>
    Effect.succeed([undefined, HashMap.set(state, name, (at(state, name) ?? "") + text)]),
  Swap: (state, { from, name, to }) => {
    const found = at(state, name)
    return found === from
      ? Effect.succeed([undefined, HashMap.set(state, name, to)])
      : Effect.fail(new Differs({ found }))
  },
  Read: (state, { name }) => Effect.succeed(at(state, name))
})
