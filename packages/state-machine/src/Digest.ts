/**
 * A structural digest: equal for equal values, whichever way they came to be.
 *
 * Replicas compare digests of their state at agreed slots. So a digest must not depend on what may differ between two
 * replicas that are both right: the order in which a hash map was filled, or whether the state was built by commands or
 * decoded from a snapshot. Hence maps, sets and records are digested as bags of their members, numbers and durations by
 * what they amount to, objects by their properties whatever their class, and properties that are `undefined` as absent.
 * Values of different kinds (`1`, `"1"`, `1n`, `Option.some(1)`, `[1]`) have different digests.
 *
 * The mixing is that of MurmurHash3 with two lanes of 32 bits: it finds mistakes, not forgeries.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"

/**
 * The digest of a value, as 16 hex digits.
 *
 * @since 0.1.0
 * @category digests
 */
export const of = (value: unknown): string => {
  const digest = new Lanes()
  add(digest, value)
  digest.finish()
  return hex(digest.a) + hex(digest.b)
}

const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0")

/** Two lanes of 32 bits, into which words of 32 bits are mixed. */
class Lanes {
  a = 0x243f6a88
  b = 0x13198a2e
  private words = 0

  word(word: number): void {
    this.words++
    this.a = rotate(this.a ^ Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593), 13)
    this.a = (Math.imul(this.a + this.b, 5) + 0xe6546b64) | 0
    this.b = rotate(this.b ^ Math.imul(rotate(Math.imul(word, 0xab0e9789), 16), 0x38b34ae5), 17)
    this.b = (Math.imul(this.b + this.a, 5) + 0x0bcaa747) | 0
  }

  finish(): void {
    this.a = avalanche((this.a ^ this.words) + this.b)
    this.b = avalanche(this.b + this.a)
  }
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

const avalanche = (word: number): number => {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** What is mixed in before a value of each kind. */
enum Kind {
  Undefined = 1,
  Null,
  False,
  True,
  Integer,
  Float,
  String,
  BigInt,
  Symbol,
  Function,
  Array,
  Record,
  Bytes,
  Date,
  Map,
  Set,
  Iterable,
  Some,
  None,
  Left,
  Right,
  Chunk,
  HashMap,
  HashSet,
  BigDecimal,
  Duration,
  Infinite,
  Utc,
  Zoned,
  Redacted
}

const add = (to: Lanes, value: unknown): void => {
  switch (typeof value) {
    case "number":
      return addNumber(to, value)
    case "string":
      return addString(to, Kind.String, value)
    case "boolean":
      return to.word(value ? Kind.True : Kind.False)
    case "undefined":
      return to.word(Kind.Undefined)
    case "bigint":
      return addString(to, Kind.BigInt, value.toString(16))
    case "symbol":
      return addString(to, Kind.Symbol, String(value.description))
    case "function":
      return to.word(Kind.Function)
    case "object":
      return value === null ? to.word(Kind.Null) : addObject(to, value)
  }
}

const addObject = (to: Lanes, value: object): void => {
  if (Array.isArray(value)) return addSequence(to, Kind.Array, value.length, value)
  if (Object.getPrototypeOf(value) === Object.prototype) return addRecord(to, value)
  if (ArrayBuffer.isView(value)) {
    return addBytes(to, new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  }
  if (Predicate.isDate(value)) return addTagged(to, Kind.Date, value.getTime())
  if (value instanceof Map) return addBag(to, Kind.Map, value.size, value)
  if (value instanceof Set) return addBag(to, Kind.Set, value.size, value)
  if (HashMap.isHashMap(value)) return addBag(to, Kind.HashMap, HashMap.size(value), value)
  if (HashSet.isHashSet(value)) return addBag(to, Kind.HashSet, HashSet.size(value), value)
  if (Option.isOption(value)) {
    return Option.isSome(value) ? addTagged(to, Kind.Some, value.value) : to.word(Kind.None)
  }
  if (Either.isEither(value)) {
    return Either.isRight(value) ? addTagged(to, Kind.Right, value.right) : addTagged(to, Kind.Left, value.left)
  }
  if (Chunk.isChunk(value)) return addSequence(to, Kind.Chunk, value.length, value)
  if (BigDecimal.isBigDecimal(value)) {
    const normal = BigDecimal.normalize(value)
    to.word(Kind.BigDecimal)
    addNumber(to, normal.scale)
    return add(to, normal.value)
  }
  if (Duration.isDuration(value)) {
    const nanos = Duration.toNanos(value)
    return Option.isSome(nanos) ? addTagged(to, Kind.Duration, nanos.value) : to.word(Kind.Infinite)
  }
  if (DateTime.isDateTime(value)) {
    if (!DateTime.isZoned(value)) return addTagged(to, Kind.Utc, value.epochMillis)
    addString(to, Kind.Zoned, DateTime.zoneToString(value.zone))
    return addNumber(to, value.epochMillis)
  }
  if (Redacted.isRedacted(value)) return addTagged(to, Kind.Redacted, Redacted.value(value))
  if (Predicate.isIterable(value)) {
    const members = Array.from(value)
    return addSequence(to, Kind.Iterable, members.length, members)
  }
  addRecord(to, value)
}

const addTagged = (to: Lanes, kind: Kind, value: unknown): void => {
  to.word(kind)
  add(to, value)
}

const float = new Float64Array(1)
const floatWords = new Int32Array(float.buffer)

// -0 counts as 0, since a snapshot keeps no difference, and all NaNs as one.
const addNumber = (to: Lanes, value: number): void => {
  if ((value | 0) === value) {
    to.word(Kind.Integer)
    return to.word(value)
  }
  to.word(Kind.Float)
  float[0] = Number.isNaN(value) ? NaN : value
  to.word(floatWords[0]!)
  to.word(floatWords[1]!)
}

const addString = (to: Lanes, kind: Kind, value: string): void => {
  to.word(kind)
  to.word(value.length)
  for (let i = 0; i < value.length; i += 2) {
    to.word(value.charCodeAt(i) | (i + 1 < value.length ? value.charCodeAt(i + 1) << 16 : 0))
  }
}

const addBytes = (to: Lanes, bytes: Uint8Array): void => {
  to.word(Kind.Bytes)
  to.word(bytes.length)
  for (let i = 0; i < bytes.length; i += 4) {
    to.word(bytes[i]! | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24))
  }
}

const addSequence = (to: Lanes, kind: Kind, length: number, members: Iterable<unknown>): void => {
  to.word(kind)
  to.word(length)
  for (const member of members) add(to, member)
}

/** Members in any order: each is digested on its own, and the digests are summed. */
class Bag {
  private a = 0
  private b = 0

  member(value: unknown): void {
    const digest = new Lanes()
    add(digest, value)
    this.sum(digest)
  }

  property(key: string, value: unknown): void {
    const digest = new Lanes()
    addString(digest, Kind.String, key)
    add(digest, value)
    this.sum(digest)
  }

  addTo(to: Lanes, kind: Kind, size: number): void {
    to.word(kind)
    to.word(size)
    to.word(this.a)
    to.word(this.b)
  }

  private sum(digest: Lanes): void {
    digest.finish()
    this.a = (this.a + digest.a) | 0
    this.b = (this.b + digest.b) | 0
  }
}

const addBag = (to: Lanes, kind: Kind, size: number, members: Iterable<unknown>): void => {
  const bag = new Bag()
  for (const member of members) bag.member(member)
  bag.addTo(to, kind, size)
}

const addRecord = (to: Lanes, record: object): void => {
  const bag = new Bag()
  let size = 0
  for (const [key, value] of Object.entries(record)) {
    if (value === undefined) continue
    size++
    bag.property(key, value)
  }
  bag.addTo(to, Kind.Record, size)
}
