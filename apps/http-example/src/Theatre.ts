/**
 * A theatre's seats: nobody's seat is sold twice, however many servers sell. Knows nothing of HTTP or of replicas.
 */
import { Rpc } from "@effect/rpc"
import { StateMachine } from "@synod/state-machine"
import { Effect, HashMap, Option, Schema } from "effect"

export class SeatTaken extends Schema.TaggedError<SeatTaken>()("SeatTaken", { by: Schema.String }) {}

const Book = Rpc.make("Book", { payload: { seat: Schema.String, name: Schema.String }, error: SeatTaken })
const Seats = Rpc.make("Seats", { success: Schema.Record({ key: Schema.String, value: Schema.String }) })

export const Theatre = StateMachine.make("Theatre", {
  version: 1,
  state: Schema.HashMap({ key: Schema.String, value: Schema.String }),
  initial: HashMap.empty(),
  commands: [Book],
  queries: [Seats]
})

export const TheatreLive = Theatre.toLayer({
  Book: (seats, { name, seat }) =>
    Option.match(HashMap.get(seats, seat), {
      onNone: () => Effect.succeed([undefined, HashMap.set(seats, seat, name)]),
      onSome: (by) => (by === name ? Effect.succeed([undefined, seats]) : Effect.fail(new SeatTaken({ by })))
    }),
  Seats: (seats) => Effect.succeed(Object.fromEntries(HashMap.toEntries(seats).sort()))
})
