import { assert, describe, it } from "@effect/vitest"
import { Feed, FeedWindow } from "../src/index.js"

const record = (slot: number, index: number): Feed.Record => ({
  slot,
  index,
  time: 0,
  command: Uint8Array.of(slot),
  answer: Uint8Array.of(index)
})

/** A slot of so many commands, each of which holds ten bytes. */
const append = (window: FeedWindow.FeedWindow, slot: number, count: number): void =>
  window.append(
    slot,
    Array.from({ length: count }, (_, index) => record(slot, index)),
    10 * count
  )

const all = 1_000_000

const places = (page: Feed.Page | undefined) => page?.records.map(({ index, slot }) => [slot, index])

describe("FeedWindow", () => {
  it("gives what comes after a position, through the slot that it has come to", () => {
    const window = FeedWindow.make(4, 1_000)
    append(window, 5, 2)
    append(window, 6, 0)
    append(window, 7, 1)
    append(window, 8, 0)
    assert.deepStrictEqual(places(window.page({ slot: 4 }, all)), [
      [5, 0],
      [5, 1],
      [7, 0]
    ])
    assert.deepStrictEqual(window.page({ slot: 4 }, all)?.through, { slot: 8 })
    assert.deepStrictEqual(places(window.page({ slot: 5, index: 0 }, all)), [
      [5, 1],
      [7, 0]
    ])
    assert.deepStrictEqual(places(window.page({ slot: 5, index: 1 }, all)), [[7, 0]])
    assert.deepStrictEqual(window.page({ slot: 9 }, all), { records: [], through: { slot: 9 } })
  })

  it("gives one element at least, and says where a page ends that is full", () => {
    const window = FeedWindow.make(0, 1_000)
    append(window, 1, 3)
    assert.deepStrictEqual(places(window.page({ slot: 0 }, 1)), [[1, 0]])
    assert.deepStrictEqual(window.page({ slot: 0 }, 1)?.through, { slot: 1, index: 0 })
    const size = Feed.sizeOf(record(1, 0)) + Feed.sizeOf(record(1, 1))
    assert.deepStrictEqual(window.page({ slot: 0 }, size)?.through, { slot: 1, index: 1 })
  })

  it("lets go of the oldest slots, and says so to whoever asks for them", () => {
    const window = FeedWindow.make(0, 30)
    for (let slot = 1; slot <= 5; slot++) append(window, slot, 1)
    assert.strictEqual(window.from(), 2)
    assert.strictEqual(window.page({ slot: 1 }, all), undefined)
    assert.strictEqual(window.page({ slot: 2, index: 0 }, all), undefined)
    assert.deepStrictEqual(places(window.page({ slot: 2 }, all)), [
      [3, 0],
      [4, 0],
      [5, 0]
    ])
    append(window, 6, 9)
    assert.deepStrictEqual([window.from(), window.through()], [5, 6])
    assert.strictEqual(places(window.page({ slot: 5 }, all))?.length, 9)
  })

  it("keeps what is needed, however much that is", () => {
    let needed = 0
    const window = FeedWindow.make(0, 20, () => needed)
    for (let slot = 1; slot <= 9; slot++) append(window, slot, 1)
    assert.strictEqual(window.from(), 0)
    needed = 6
    append(window, 10, 1)
    assert.strictEqual(window.from(), 5)
    needed = 100
    append(window, 11, 1)
    assert.strictEqual(window.from(), 9)
  })

  it("counts what is held after a position, by whole slots", () => {
    const window = FeedWindow.make(0, 40)
    for (let slot = 1; slot <= 6; slot++) append(window, slot, slot === 4 ? 0 : 1)
    assert.strictEqual(window.from(), 1)
    const ahead = (after: Feed.Position) => window.ahead(after)
    assert.deepStrictEqual(
      [{ slot: 0 }, { slot: 1 }, { slot: 3, index: 0 }, { slot: 4 }, { slot: 6 }].map(ahead),
      [40, 40, 20, 20, 0]
    )
    window.reset(10)
    assert.strictEqual(window.ahead({ slot: 10 }), 0)
    append(window, 11, 2)
    assert.strictEqual(window.ahead({ slot: 10 }), 20)
    assert.strictEqual(window.ahead({ slot: 11, index: 0 }), 20)
  })

  it("forgets everything when it goes on elsewhere", () => {
    const window = FeedWindow.make(0, 100)
    append(window, 1, 1)
    window.reset(7)
    assert.deepStrictEqual([window.from(), window.through()], [7, 7])
    assert.strictEqual(window.page({ slot: 1 }, all), undefined)
    assert.deepStrictEqual(window.page({ slot: 7 }, all), { records: [], through: { slot: 7 } })
  })
})
