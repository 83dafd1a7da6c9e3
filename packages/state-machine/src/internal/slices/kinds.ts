/**
 * The collections that can be taken apart and put together entry by entry.
 */
import * as Chunk from "effect/Chunk"
import * as Equal from "effect/Equal"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as List from "effect/List"

export interface Kind<Collection = any, Entry = any> {
  readonly is: (value: unknown) => value is Collection
  readonly size: (collection: Collection) => number
  /** The entries in the order that handlers see, which is part of the state. */
  readonly entries: (collection: Collection) => Iterable<Entry>
  readonly builder: () => Builder<Collection, Entry>
  /** Entries that nothing can be read from, all different from each other. */
  readonly marked: (count: number) => ReadonlyArray<Entry>
}

/** Is given entries one by one, and no longer than a moment goes by at the end. */
export interface Builder<Collection, Entry> {
  readonly add: (entry: Entry) => void
  readonly end: () => Collection
}

type Pair = readonly [unknown, unknown]

const kind = <Collection, Entry>(kind: Kind<Collection, Entry>): Kind<Collection, Entry> => kind

const marks = (count: number): ReadonlyArray<object> =>
  Array.from({ length: count }, (_, i) => {
    const hash = { [Hash.symbol]: () => i, [Equal.symbol]: (other: unknown) => other === mark }
    const own = (property: string | symbol): property is keyof typeof hash => {
      if (property === Hash.symbol || property === Equal.symbol) return true
      throw new TypeError("there is nothing to be read")
    }
    const mark: object = new Proxy(hash, {
      get: (_, property) => own(property) && hash[property],
      has: (_, property) => own(property)
    })
    return mark
  })

const pairs = (count: number): ReadonlyArray<Pair> => {
  const values = marks(count)
  return marks(count).map((key, i) => [key, values[i]!] as const)
}

const collected = <Collection>(end: (entries: Array<unknown>) => Collection): Builder<Collection, unknown> => {
  const entries: Array<unknown> = []
  return { add: (entry) => void entries.push(entry), end: () => end(entries) }
}

/**
 * Keeps the order of entries whose keys have one hash, since handlers see it. They stand side by side, and of the first two
 * the map puts the later one before the other.
 */
const inOrder = <Collection, Entry>(
  key: (entry: Entry) => unknown,
  set: (entry: Entry) => void,
  end: () => Collection
): Builder<Collection, Entry> => {
  let hash: number | undefined
  let first: Entry | undefined
  const flush = (): void => {
    if (first !== undefined) set(first)
    first = undefined
  }
  return {
    add: (entry) => {
      const own = Hash.hash(key(entry))
      if (own !== hash) {
        flush()
        hash = own
        first = entry
        return
      }
      set(entry)
      flush()
    },
    end: () => {
      flush()
      return end()
    }
  }
}

export const array = kind<ReadonlyArray<unknown>, unknown>({
  is: (value): value is ReadonlyArray<unknown> => Array.isArray(value),
  size: (entries) => entries.length,
  entries: (entries) => entries,
  builder: () => collected((entries) => entries),
  marked: marks
})

const chunk = kind<Chunk.Chunk<unknown>, unknown>({
  is: Chunk.isChunk,
  size: Chunk.size,
  entries: (entries) => entries,
  builder: () => collected(Chunk.unsafeFromArray),
  marked: marks
})

const list = kind<List.List<unknown>, unknown>({
  is: List.isList,
  size: List.size,
  entries: (entries) => entries,
  builder: () => collected(List.fromIterable),
  marked: marks
})

const map = kind<ReadonlyMap<unknown, unknown>, Pair>({
  is: (value) => value instanceof Map,
  size: ({ size }) => size,
  entries: (entries) => entries,
  builder: () => {
    const entries = new Map<unknown, unknown>()
    return { add: ([key, value]) => void entries.set(key, value), end: () => entries }
  },
  marked: pairs
})

const set = kind<ReadonlySet<unknown>, unknown>({
  is: (value) => value instanceof Set,
  size: ({ size }) => size,
  entries: (entries) => entries,
  builder: () => {
    const entries = new Set<unknown>()
    return { add: (entry) => void entries.add(entry), end: () => entries }
  },
  marked: marks
})

const hashMap = kind<HashMap.HashMap<unknown, unknown>, Pair>({
  is: HashMap.isHashMap,
  size: HashMap.size,
  entries: (entries) => entries,
  builder: () => {
    const entries = HashMap.beginMutation(HashMap.empty<unknown, unknown>())
    return inOrder(
      ([key]) => key,
      ([key, value]) => HashMap.set(entries, key, value),
      () => HashMap.endMutation(entries)
    )
  },
  marked: pairs
})

const hashSet = kind<HashSet.HashSet<unknown>, unknown>({
  is: HashSet.isHashSet,
  size: HashSet.size,
  entries: (entries) => entries,
  builder: () => {
    const entries = HashSet.beginMutation(HashSet.empty<unknown>())
    return inOrder(
      identity,
      (entry) => HashSet.add(entries, entry),
      () => HashSet.endMutation(entries)
    )
  },
  marked: marks
})

/** What a schema may decode an array to. */
export const all: ReadonlyArray<Kind> = [hashMap, map, hashSet, set, chunk, list]

export const collect = <Collection, Entry>(
  { builder }: Kind<Collection, Entry>,
  entries: Iterable<Entry>
): Collection => {
  const { add, end } = builder()
  for (const entry of entries) add(entry)
  return end()
}
