/**
 * Reads a value from MessagePack that comes a little at a time, and builds it as it comes: what is held besides the value is
 * about what came last.
 *
 * Bytes may be hostile. Nothing is allocated for what they announce, only for what is there.
 */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import { Malformed } from "../../Malformed.js"
import { concat } from "../bytes.js"
import * as MessagePack from "../messagePack.js"
import type { Collection, Plan, Record, Struct, Tuple } from "./plan.js"

/** So many entries are decoded at once, at most, and about so many bytes. */
const most = { entries: 64, bytes: 16 * 1024 }

/** An entry that has more bytes than that is taken apart, if its schema lets it. */
const large = 64 * 1024

/** Throws what is wrong: a `Malformed`, or what a schema throws. Then it is of no more use. */
export class Decoder {
  private readonly steps: Generator<void, unknown>
  private result: { readonly value: unknown } | undefined
  /** What has come and was not read yet, from `at` on; `come` is not joined to it yet. */
  private bytes: Uint8Array = new Uint8Array(0)
  private at = 0
  private come: Array<Uint8Array> = []
  private size = 0
  /** With fewer bytes there is no use in trying on: a value that is cut off is looked at again from its beginning. */
  private enough = 0

  constructor(
    private readonly what: string,
    plan: Plan
  ) {
    this.steps = this.decode(plan, 0)
  }

  write(bytes: Uint8Array): void {
    this.come.push(bytes)
    this.size += bytes.length
    if (this.size >= this.enough) this.goOn()
  }

  /** These were all. */
  end(): unknown {
    this.goOn()
    if (this.result === undefined) throw this.expected("a value that ends within the bytes")
    return this.result.value
  }

  private goOn(): void {
    this.bytes = concat([this.bytes.subarray(this.at), ...this.come])
    this.come = []
    this.at = 0
    if (this.result === undefined) {
      const step = this.steps.next()
      if (step.done === true) this.result = { value: step.value }
    }
    this.size = this.bytes.length - this.at
    this.enough = 2 * this.size
    if (this.result !== undefined && this.size > 0) throw this.expected("the end")
  }

  private *decode(plan: Plan, level: number): Generator<void, unknown> {
    switch (plan._tag) {
      case "Whole":
        return plan.codec.decode(yield* this.value(level))
      case "Through":
        return plan.step.decode(yield* this.decode(plan.plan, level))
      case "Collection":
        return yield* this.collection(plan, level)
      case "Record":
        return yield* this.record(plan, level)
      case "Tuple":
        return yield* this.tuple(plan, level)
      case "Struct":
        return yield* this.struct(plan, level)
    }
  }

  private *collection({ entries, entry, kind }: Collection, level: number): Generator<void, unknown> {
    const builder = kind.builder()
    for (let left = yield* this.header("array"); left > 0;) {
      const end = this.reach(left, 1, level + 1)
      if (end.entries > 0) {
        left -= end.entries
        for (const one of entries.decode(this.unpack("array", end)) as Iterable<unknown>) builder.add(one)
      } else if (entry._tag !== "Whole" && this.bytes.length - this.at > large) {
        left--
        builder.add(yield* this.decode(entry, level + 1))
      } else yield
    }
    return builder.end()
  }

  private *record({ codec }: Record, level: number): Generator<void, unknown> {
    const record = {}
    for (let left = yield* this.header("map"); left > 0;) {
      const end = this.reach(left, 2, level + 1)
      left -= end.entries
      if (end.entries > 0) Object.assign(record, codec.decode(this.unpack("map", end)))
      else yield
    }
    return record
  }

  private *tuple({ elements }: Tuple, level: number): Generator<void, unknown> {
    if ((yield* this.header("array")) !== elements.length) throw this.expected(`${elements.length} elements`)
    const tuple: Array<unknown> = []
    for (const element of elements) tuple.push(yield* this.decode(element, level + 1))
    return tuple
  }

  private *struct({ properties }: Struct, level: number): Generator<void, unknown> {
    const fields = new Map<unknown, unknown>()
    for (let left = yield* this.header("map"); left > 0; left--) {
      const name = yield* this.value(level + 1)
      const property = properties.find((one) => one.name === name)
      // What the schema doesn't know is passed over, as it is everywhere.
      if (property === undefined) yield* this.value(level + 1)
      else fields.set(name, yield* this.decode(property.plan, level + 1))
    }
    // What is missing is asked of its schema, which may have it so.
    for (const { name, optional, plan } of properties) {
      if (!fields.has(name) && !optional) fields.set(name, plan.codec.decode(undefined))
    }
    return Object.fromEntries(fields)
  }

  /** A value that is complete. */
  private *value(level: number): Generator<void, unknown> {
    for (;;) {
      const end = this.measure(this.at, level)
      if (end !== undefined) {
        const value = this.decoded(this.bytes.subarray(this.at, end))
        this.at = end
        return value
      }
      yield
    }
  }

  private *header(kind: "array" | "map"): Generator<void, number> {
    for (;;) {
      if (this.at < this.bytes.length) {
        const header = MessagePack.readHeader(kind, this.bytes, this.at)
        if (header === undefined) throw this.expected(kind === "array" ? "an array" : "a map")
        if (header.end <= this.bytes.length) {
          this.at = header.end
          return header.size
        }
      }
      yield
    }
  }

  /** How far entries of so many values each are complete, and how many of them are to be decoded at once. */
  private reach(left: number, values: number, level: number): Reach {
    let end = this.at
    let entries = 0
    while (entries < Math.min(left, most.entries) && end - this.at < most.bytes) {
      let next: number | undefined = end
      for (let i = 0; i < values && next !== undefined; i++) next = this.measure(next, level)
      if (next === undefined) break
      end = next
      entries++
    }
    return { end, entries }
  }

  private unpack(kind: "array" | "map", { end, entries }: Reach): unknown {
    const value = this.decoded(concat([MessagePack.header(kind, entries), this.bytes.subarray(this.at, end)]))
    this.at = end
    return value
  }

  private decoded(bytes: Uint8Array): unknown {
    return Either.getOrThrowWith(MessagePack.unpack(this.what, bytes), identity)
  }

  /** Where the value ends that begins here, unless that has not come yet. */
  private measure(start: number, level: number): number | undefined {
    const end = MessagePack.measure(this.what, this.bytes, start, MessagePack.MAX_DEPTH - level)
    if (typeof end === "number") return end
    if (MessagePack.isCutOff(end)) return undefined
    throw end
  }

  private expected(expected: string): Malformed {
    return new Malformed({ what: this.what, at: this.at, expected })
  }
}

interface Reach {
  readonly end: number
  readonly entries: number
}
