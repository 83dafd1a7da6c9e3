/**
 * The clock that handlers see: it shows the time agreed for the slot, and stands still while a handler runs.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export class AgreedClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  /** Milliseconds since 1970. */
  now = 0

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.now)) * 1_000_000n
  }

  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())

  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  /** No time passes, so no sleep ends; who waits for one has gone asynchronous. */
  sleep(): Effect.Effect<void> {
    return Effect.never
  }
}
