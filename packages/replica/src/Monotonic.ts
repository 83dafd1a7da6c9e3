/**
 * A clock that only goes forwards, whatever happens to the date: what leases are measured with.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"

/** A millisecond, in nanoseconds. */
const millisecond = 1_000_000

/**
 * Milliseconds since some moment, by Effect's clock of nanoseconds: outside of tests that is `process.hrtime`, which no change of
 * the system's date touches.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (clock: Clock.Clock): (() => number) => {
  return () => Number(clock.unsafeCurrentTimeNanos()) / millisecond
}
