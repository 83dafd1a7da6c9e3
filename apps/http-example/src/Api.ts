/**
 * The routes. A machine's own errors and the outcomes that any call can have are errors of the endpoint as they are.
 */
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "@effect/platform"
import { Outcome } from "@synod/state-machine"
import { Effect, Layer, Schema } from "effect"
import { SeatTaken, Theatre } from "./Theatre.js"

const seats = HttpApiGroup.make("seats")
  .add(
    HttpApiEndpoint.put("book", "/seats/:seat")
      .setPath(Schema.Struct({ seat: Schema.NonEmptyString }))
      .setPayload(Schema.Struct({ name: Schema.NonEmptyString }))
      .addError(SeatTaken, { status: 409 })
  )
  .add(HttpApiEndpoint.get("list", "/seats").addSuccess(Schema.Record({ key: Schema.String, value: Schema.String })))
  .addError(Outcome.Unavailable, { status: 503 })
  .addError(Outcome.Overloaded, { status: 503 })
  .addError(Outcome.OutcomeUnknown, { status: 504 })
  .addError(Outcome.SessionExpired, { status: 504 })
  .addError(Outcome.CommandDefect, { status: 500 })

export const Api = HttpApi.make("theatre").add(seats)

const SeatsLive = HttpApiBuilder.group(Api, "seats", (routes) =>
  Effect.map(Theatre.client, (theatre) =>
    routes
      .handle("book", ({ path, payload }) => theatre.Book({ seat: path.seat, name: payload.name }))
      .handle("list", () => theatre.Seats())
  )
)

export const ApiLive = Layer.provide(HttpApiBuilder.api(Api), SeatsLive)
