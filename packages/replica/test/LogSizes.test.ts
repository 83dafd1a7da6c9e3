import { expect, it } from "vitest"
import * as LogSizes from "../src/LogSizes.js"

/** A log whose slots, from `first` on, have so many bytes each. */
const log = (bytes: number, sizes: ReadonlyArray<number>, first = 1) => {
  const log = LogSizes.make(bytes)
  sizes.forEach((size, i) => log.applied(first + i, size))
  return log
}

const even = (slots: number, size: number) => Array.from({ length: slots }, () => size)

it("nothing is known while the log is shorter than what is asked for", () => {
  expect(log(1_000, []).within(0)).toBe(0)
  expect(log(1_000, even(99, 10)).within(99)).toBe(0)
})

it("never leaves more behind a slot than was asked for, and little less", () => {
  const bytes = 6_400
  const sizes = Array.from({ length: 5_000 }, (_, i) => 1 + ((i * 7_919) % 90))
  const sizesOf = log(bytes, sizes)
  const slot = sizesOf.within(5_000)
  const left = sizes.slice(slot).reduce((sum, size) => sum + size, 0)
  expect(left).toBeLessThanOrEqual(bytes)
  expect(left).toBeGreaterThan(bytes * 0.9)
})

it("counts from the slot that is asked for, not from the last one", () => {
  const sizes = log(640, even(300, 10))
  expect(sizes.within(300)).toBeGreaterThan(sizes.within(200))
  expect(200 - sizes.within(200)).toBeLessThanOrEqual(64)
  expect(sizes.within(200)).toBeGreaterThan(130)
})

it("one slot may have more than all that is asked for", () => {
  const sizes = log(100, [10, 10, 1_000])
  expect(sizes.within(3)).toBe(3)
})

it("begins where it was first looked at, as after a restart", () => {
  expect(log(100, even(5, 10), 1_000).within(1_004)).toBe(0)
  const slot = log(100, even(50, 10), 1_000).within(1_049)
  expect(slot).toBeGreaterThanOrEqual(1_039)
  expect(slot).toBeLessThan(1_049)
})

it("goes on with a bounded number of marks", () => {
  const sizes = LogSizes.make(6_400)
  for (let slot = 1; slot <= 1_000_000; slot++) sizes.applied(slot, 100)
  expect(1_000_000 - sizes.within(1_000_000)).toBeLessThanOrEqual(64)
  expect(1_000_000 - sizes.within(1_000_000)).toBeGreaterThan(60)
  // What lies too far back is not known any more.
  expect(sizes.within(1_000)).toBe(0)
})
