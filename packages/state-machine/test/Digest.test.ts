import { assert, describe, it } from "@effect/vitest"
import { Digest } from "@synod/state-machine"
import {
  BigDecimal,
  Chunk,
  Data,
  DateTime,
  Duration,
  Either,
  FastCheck,
  HashMap,
  HashSet,
  List,
  Option,
  Redacted,
  Schema,
  SortedMap,
  SortedSet,
  String
} from "effect"

const same = (what: string, a: unknown, b: unknown) =>
  it(`is the same for ${what}`, () => assert.strictEqual(Digest.of(a), Digest.of(b)))

class Point extends Schema.Class<Point>("Point")({ x: Schema.Number, y: Schema.Number }) {}

class Pair extends Data.Class<{ readonly x: number; readonly y: number }> {}

describe("Digest", () => {
  same("numbers that a snapshot can't tell apart", 0, -0)
  same("any two NaNs", NaN, Number("no"))
  same("decimals of equal worth", BigDecimal.unsafeFromString("1.50"), BigDecimal.unsafeFromString("1.5"))
  same("durations of equal length", Duration.seconds(1), Duration.nanos(1_000_000_000n))
  same("instants", DateTime.unsafeMake(5), DateTime.unsafeMake("1970-01-01T00:00:00.005Z"))
  same("a class and a struct of equal fields", new Point({ x: 1, y: 2 }), { y: 2, x: 1 })
  same("data and a struct of equal fields", new Pair({ x: 1, y: 2 }), Data.struct({ y: 2, x: 1 }))
  same("a field that is undefined and one that is absent", { a: 1, b: undefined }, { a: 1 })
  same("chunks built in different ways", Chunk.make(1, 2, 3), Chunk.appendAll(Chunk.of(1), Chunk.make(2, 3)))
  same("a view of bytes and a copy", new Uint8Array([0, 1, 2]).subarray(1), new Uint8Array([1, 2]))
  same(
    "options, eithers and lists of equal values",
    [Option.some(1), Either.left("e"), List.make(1, 2)],
    [Option.some(1), Either.left("e"), List.make(1, 2)]
  )

  it("does not depend on the order in which maps, sets and records were filled", () => {
    const entries = FastCheck.uniqueArray(FastCheck.tuple(FastCheck.string(), FastCheck.anything()), {
      selector: ([key]) => key,
      maxLength: 40
    })
    const shuffled = entries.chain((list) =>
      FastCheck.tuple(
        FastCheck.constant(list),
        FastCheck.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })
      )
    )
    const builders: ReadonlyArray<(entries: ReadonlyArray<[string, unknown]>) => unknown> = [
      (entries) => new Map(entries),
      (entries) => new Set(entries.map(([key]) => key)),
      (entries) => Object.fromEntries(entries),
      (entries) => HashMap.fromIterable(entries),
      (entries) => HashSet.fromIterable(entries.map(([key]) => key)),
      (entries) => SortedMap.fromIterable(entries, String.Order),
      (entries) =>
        SortedSet.fromIterable(
          entries.map(([key]) => key),
          String.Order
        ),
      (entries) =>
        HashMap.remove(
          HashMap.fromIterable<string, unknown>([["removed before it is compared", 1], ...entries]),
          "removed before it is compared"
        )
    ]
    FastCheck.assert(
      FastCheck.property(shuffled, ([list, other]) => {
        for (const build of builders) assert.strictEqual(Digest.of(build(list)), Digest.of(build(other)))
      })
    )
  })

  it("differs between kinds of value", () => {
    const kinds = [
      undefined,
      null,
      false,
      true,
      0,
      1,
      1.5,
      -1.5,
      Infinity,
      NaN,
      "",
      "1",
      "11",
      1n,
      -1n,
      Symbol("1"),
      [],
      [1],
      [[1]],
      [1, 1],
      {},
      { 1: 1 },
      { a: 1 },
      { a: null },
      DateTime.toDate(DateTime.unsafeMake(1)),
      new Map([[1, 1]]),
      new Set([1]),
      new Set([[1, 1]]),
      HashMap.make([1, 1]),
      HashSet.make(1),
      new Uint8Array([1]),
      new Uint8Array([1, 0]),
      Option.some(1),
      Option.some(Option.some(1)),
      Option.none(),
      Either.right(1),
      Either.left(1),
      Chunk.make(1),
      List.make(1),
      BigDecimal.unsafeFromString("1"),
      BigDecimal.unsafeFromString("10"),
      Duration.millis(1),
      Duration.infinity,
      DateTime.unsafeMake(1),
      DateTime.unsafeMakeZoned(1, { timeZone: "Europe/Paris" }),
      DateTime.unsafeMakeZoned(1, { timeZone: "Europe/Rome" }),
      Redacted.make(1)
    ]
    const digests = new Map<string, unknown>()
    for (const kind of kinds) {
      const digest = Digest.of(kind)
      assert.match(digest, /^[0-9a-f]{16}$/)
      assert.isFalse(digests.has(digest), `${globalThis.String(kind)} and ${globalThis.String(digests.get(digest))}`)
      digests.set(digest, kind)
    }
  })

  it("differs between similar values", () => {
    const seen = new Set<string>()
    let count = 0
    for (let i = -40; i < 40; i++) {
      for (let j = -40; j < 40; j++) {
        for (const value of [[i, j], { i, j }, [i + 0.1, j + 0.1], `${i} ${j}`, HashMap.make([i, j])]) {
          seen.add(Digest.of(value))
          count++
        }
      }
    }
    assert.strictEqual(seen.size, count)
  })

  // These strings are in no protocol, but a change of theirs makes replicas of two builds accuse each other.
  it("stays what it is", () => {
    assert.deepStrictEqual([0, "synod", [1, { a: 1n }], HashMap.make(["a", 0.5])].map(Digest.of), [
      "404f817e9f8b8d4d",
      "932103c838810b04",
      "ef6bb5b893914eb9",
      "11885489c8f6a8a1"
    ])
  })
})
