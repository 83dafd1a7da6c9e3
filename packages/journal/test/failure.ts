import { Effect } from "effect"

/** What an effect fails with. One that succeeds is a defect, so that its value, a journal perhaps, is not printed. */
export const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, never, R> =>
  Effect.flip(Effect.zipRight(effect, Effect.dieMessage("it succeeded, and should have failed")))
