/** Snapshots a little at a time: whatever the slices, the same bytes, and the same state from them. */
import { assert, describe, it } from "@effect/vitest"
import { type Machine, StateMachine, type ValueExecutor } from "@synod/state-machine"
import { Chunk, DateTime, Effect, Either, FastCheck, Hash, HashMap, HashSet, List, Schema } from "effect"
import { Packr } from "msgpackr"

const Text = Schema.String
const Amount = Schema.BigInt

class Book extends Schema.Class<Book>("Book")({
  name: Text,
  balances: Schema.HashMap({ key: Text, value: Amount }),
  closed: Schema.optional(Schema.Boolean)
}) {}

/** A collection whose schema does more than collect. */
const Sorted = Schema.transform(
  Schema.Array(Schema.Tuple(Text, Schema.Int)),
  Schema.HashMapFromSelf({ key: Text, value: Schema.Int }),
  {
    strict: true,
    decode: (entries) => HashMap.fromIterable(entries),
    encode: (entries) => Array.from(entries).sort(([a], [b]) => (a < b ? -1 : 1))
  }
)

const State = Schema.Struct({
  hashMap: Schema.HashMap({ key: Text, value: Schema.Struct({ amount: Amount, at: Schema.Date }) }),
  map: Schema.Map({ key: Schema.Int, value: Text }),
  record: Schema.Record({ key: Text, value: Schema.NumberFromString }),
  array: Schema.Array(Schema.Option(Schema.Int)),
  chunk: Schema.Chunk(Text),
  list: Schema.List(Schema.Int),
  hashSet: Schema.HashSet(Text),
  set: Schema.Set(Schema.Int),
  sorted: Sorted,
  book: Book,
  nested: Schema.HashMap({ key: Text, value: Schema.HashMap({ key: Text, value: Schema.Array(Schema.Int) }) }),
  bounded: Schema.Array(Schema.Int).pipe(Schema.filter((list) => list.length < 1_000)),
  note: Schema.optional(Text)
})

const state = FastCheck.record({ size: FastCheck.nat(300), salt: FastCheck.nat(1_000), inner: FastCheck.nat(200) }).map(
  ({ inner, salt, size }): typeof State.Type => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => i * 7 + salt)
    const pairs = <A>(count: number, value: (n: number) => A) => list(count).map((n) => [`key ${n}`, value(n)] as const)
    return {
      hashMap: HashMap.fromIterable(
        pairs(size, (n) => ({ amount: BigInt(n) ** 5n, at: DateTime.toDateUtc(DateTime.unsafeMake(n)) }))
      ),
      map: new Map(list(size).map((n) => [-n, "x".repeat(n % 50)])),
      record: Object.fromEntries(pairs(size, (n) => n / 2)),
      array: Schema.decodeSync(Schema.Array(Schema.Option(Schema.Int)))(
        list(size).map((n) => (n % 3 === 0 ? { _tag: "None" as const } : { _tag: "Some" as const, value: n }))
      ),
      chunk: Chunk.fromIterable(list(size).map(String)),
      list: List.fromIterable(list(size)),
      hashSet: HashSet.fromIterable(list(size).map(String)),
      set: new Set(list(size)),
      sorted: HashMap.fromIterable(pairs(size, (n) => n)),
      book: new Book({ name: "b", balances: HashMap.fromIterable(pairs(inner, BigInt)) }),
      nested: HashMap.fromIterable(
        pairs(size % 5, (n) => HashMap.fromIterable(pairs(inner, (m) => list(m % 90).map((k) => k + n))))
      ),
      bounded: list(inner),
      ...(salt % 2 === 0 ? { note: "kept" } : {})
    }
  }
)

const machine = StateMachine.make("Sliced", {
  version: 3,
  state: State,
  initial: {
    hashMap: HashMap.empty(),
    map: new Map(),
    record: {},
    array: [],
    chunk: Chunk.empty(),
    list: List.empty(),
    hashSet: HashSet.empty(),
    set: new Set<number>(),
    sorted: HashMap.empty(),
    book: new Book({ name: "b", balances: HashMap.empty() }),
    nested: HashMap.empty(),
    bounded: []
  },
  commands: [],
  queries: []
})

const executorOf = machine.executor.pipe(Effect.provide(machine.toLayer({})))

/** A machine that holds this, brought there by a snapshot. */
const holding = (executor: ValueExecutor.ValueExecutor, bytes: Uint8Array, slice: number) =>
  Effect.gen(function* () {
    const machine = yield* executor.open({ cluster: "test", node: 1 })
    const restoration = yield* machine.restore
    for (let at = 0; at < bytes.length; at += slice) yield* restoration.write(bytes.slice(at, at + slice))
    const prepared = yield* restoration.end({ slot: 7, time: 70 })
    assert.deepStrictEqual(machine.at(), { slot: 0, time: 0 })
    yield* prepared.adopt
    assert.deepStrictEqual(machine.at(), { slot: 7, time: 70 })
    return machine
  })

const snapshotOf = (machine: Machine.Machine, slice: number) =>
  Effect.gen(function* () {
    const { next } = yield* machine.freeze
    const pieces: Array<Uint8Array> = []
    for (let piece = yield* next(slice); piece !== undefined; piece = yield* next(slice)) pieces.push(piece)
    return { bytes: Buffer.concat(pieces), longest: Math.max(...pieces.map(({ length }) => length)) }
  })

/** What encoding it in one go gives. */
const inOneGo = (value: typeof State.Type): Buffer => {
  const packr = new Packr({
    useRecords: false,
    mapsAsObjects: true,
    variableMapSize: true,
    useBigIntExtension: true,
    moreTypes: false
  })
  return packr.pack([1, "Sliced", 3, Schema.encodeSync(State)(value), [0, [], []]])
}

describe("a snapshot in slices", () => {
  it.effect("has the bytes of one that is encoded in one go, and gives the same state back", () =>
    Effect.gen(function* () {
      const executor = yield* executorOf
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(state, FastCheck.integer({ min: 1, max: 5_000 }), (value, slice) =>
            Effect.runPromise(
              Effect.scoped(
                Effect.gen(function* () {
                  const whole = inOneGo(value)
                  assert.isTrue(whole.equals(executor.snapshot({ ...executor.initial, state: value })), "in one go")
                  const machine = yield* holding(executor, whole, slice)
                  const again = yield* snapshotOf(machine, slice)
                  assert.isTrue(whole.equals(again.bytes), `in slices of ${slice}`)
                  const { digest } = yield* machine.digest
                  assert.strictEqual(digest, executor.digest({ ...executor.initial, state: value }))
                })
              )
            )
          ),
          { numRuns: 15 }
        )
      )
    })
  )

  it.scoped("comes in slices about as long as asked for, also from one collection within another", () =>
    Effect.gen(function* () {
      const executor = yield* executorOf
      const inner = HashMap.fromIterable(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, [i]] as const))
      const value = { ...machine.initial, nested: HashMap.make(["one", inner]) }
      const held = yield* holding(executor, inOneGo(value), 4_096)
      const { bytes, longest } = yield* snapshotOf(held, 4_096)
      assert.isAbove(bytes.length, 250_000)
      assert.isBelow(longest, 3 * 4_096)
    })
  )

  it.scoped("that is cut short, too long or damaged is refused, whatever the slices", () =>
    Effect.gen(function* () {
      const executor = yield* executorOf
      const value = FastCheck.sample(state, { numRuns: 1, seed: 5 })[0]!
      const whole = inOneGo(value)
      const refused = (bytes: Uint8Array, slice: number) =>
        Effect.map(Effect.either(Effect.scoped(holding(executor, bytes, slice))), Either.isLeft)
      for (const slice of [1_000, whole.length + 1]) {
        assert.isTrue(yield* refused(whole.subarray(0, whole.length - 1), slice))
        assert.isTrue(yield* refused(Buffer.concat([whole, whole.subarray(0, 1)]), slice))
        assert.isTrue(yield* refused(Buffer.from([0x95, 1, ...whole.subarray(1)]), slice))
      }
      // An array that says it has four thousand million entries.
      assert.isTrue(yield* refused(Uint8Array.of(0x95, 1, 0xdd, 255, 255, 255, 255), 4))
    })
  )
})

describe("a map whose keys have the same hashes", () => {
  const machine = StateMachine.make("Colliding", {
    version: 1,
    state: Schema.HashMap({ key: Text, value: Schema.Int }),
    initial: HashMap.empty(),
    commands: [],
    queries: []
  })

  /** Texts of three letters, by hashes that several of them have. */
  const alike = (): ReadonlyArray<string> => {
    const letters = Array.from({ length: 64 }, (_, i) => String.fromCharCode(48 + i))
    const groups = new Map<number, Array<string>>()
    for (const a of letters) {
      for (const b of letters) {
        for (const c of letters) {
          const text = a + b + c
          const hash = Hash.string(text)
          groups.set(hash, [...(groups.get(hash) ?? []), text])
        }
      }
    }
    return Array.from(groups.values())
      .filter(({ length }) => length >= 4)
      .slice(0, 3)
      .flat()
  }

  it.effect("comes back with its entries in the order that they had", () =>
    Effect.map(machine.executor.pipe(Effect.provide(machine.toLayer({}))), (executor) => {
      const texts = alike()
      assert.isAtLeast(texts.length, 12)
      const step = FastCheck.record({ n: FastCheck.nat(texts.length - 1), remove: FastCheck.boolean() })
      FastCheck.assert(
        FastCheck.property(FastCheck.array(step, { maxLength: 60 }), (steps) => {
          let state = HashMap.empty<string, number>()
          for (const { n, remove } of steps) {
            state = remove ? HashMap.remove(state, texts[n]!) : HashMap.set(state, texts[n]!, n)
          }
          const bytes = executor.snapshot({ ...executor.initial, state })
          const restored = Either.getOrThrow(executor.restore(bytes)).state
          assert.deepStrictEqual(Array.from(restored), Array.from(state))
        }),
        { numRuns: 50 }
      )
    })
  )
})
