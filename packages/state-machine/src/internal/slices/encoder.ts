/**
 * A value as MessagePack, a little at a time: the bytes that encoding it in one go would give.
 */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import { concat } from "../bytes.js"
import * as MessagePack from "../messagePack.js"
import { isLarge, isWhole, type Plan, present } from "./plan.js"

/** So many entries of a collection are encoded at once, at most: with more, one call more or less doesn't count. */
const most = 64

/** A value with fewer entries is encoded in one go. */
const few = 64

export class Encoder {
  private readonly steps: Generator<void>
  private made: Array<Uint8Array> = []
  private size = 0
  private goal = 0

  /** `what` names the value in errors. */
  constructor(
    private readonly what: string,
    plan: Plan,
    value: unknown
  ) {
    this.steps = this.encode(plan, value, 0)
  }

  /**
   * About so many bytes, or fewer at the end; nothing after it. Throws for a value that its schema refuses, or that
   * MessagePack can't hold.
   */
  next(bytes: number): Uint8Array | undefined {
    this.goal = bytes
    while (this.size < bytes && this.steps.next().done !== true);
    if (this.size === 0) return undefined
    const next = concat(this.made)
    this.made = []
    this.size = 0
    return next
  }

  /** `level` counts the values around it. */
  private *encode(plan: Plan, value: unknown, level: number): Generator<void> {
    if (plan._tag === "Whole" || !isLarge(plan, value, few)) return this.put(this.pack(plan.codec.encode(value), level))
    switch (plan._tag) {
      case "Through":
        return yield* this.encode(plan.plan, plan.step.encode(value), level)
      case "Collection": {
        const { entries, entry, kind } = plan
        this.put(MessagePack.header("array", kind.size(value)))
        return yield* this.batches(
          kind.entries(value),
          (batch) => this.pack(entries.encode(batch), level),
          (one) => (isWhole(entry) || !isLarge(entry, one, few) ? undefined : this.encode(entry, one, level + 1))
        )
      }
      case "Record": {
        const record = value as Fields
        const keys = Object.keys(record)
        const part = (keys: ReadonlyArray<string>) => Object.fromEntries(keys.map((key) => [key, record[key]]))
        this.put(MessagePack.header("map", keys.length))
        return yield* this.batches(keys, (batch) => this.pack(plan.codec.encode(part(batch)), level))
      }
      case "Tuple":
        this.put(MessagePack.header("array", plan.elements.length))
        for (const [i, element] of plan.elements.entries()) {
          yield* this.encode(element, (value as ReadonlyArray<unknown>)[i], level + 1)
          yield
        }
        return
      case "Struct": {
        const fields = value as Fields
        const properties = present(plan.properties, fields)
        this.put(MessagePack.header("map", properties.length))
        for (const { name, plan: property } of properties) {
          this.put(this.pack(name, level + 1))
          yield* this.encode(property, fields[name], level + 1)
          yield
        }
        return
      }
    }
  }

  /** Entries, as many together as come to about the goal; but each `alone` that is to be taken apart. */
  private *batches<Entry>(
    entries: Iterable<Entry>,
    together: (batch: ReadonlyArray<Entry>) => Uint8Array,
    alone: (entry: Entry) => Generator<void> | undefined = () => undefined
  ): Generator<void> {
    let batch: Array<Entry> = []
    let count = 1
    const flush = (): void => {
      if (batch.length === 0) return
      const bytes = together(batch)
      const start = headerSize(bytes, batch.length)
      this.put(bytes.subarray(start))
      batch = []
      count = bytes.length > this.goal ? Math.max(1, count >> 1) : Math.min(most, count << 1)
    }
    for (const entry of entries) {
      const steps = alone(entry)
      if (steps !== undefined) {
        flush()
        yield* steps
      } else if (batch.push(entry) < count) continue
      flush()
      yield
    }
    flush()
  }

  private put(bytes: Uint8Array): void {
    this.made.push(bytes)
    this.size += bytes.length
  }

  private pack(encoded: unknown, level: number): Uint8Array {
    return Either.getOrThrowWith(MessagePack.encode(this.what, encoded, MessagePack.MAX_DEPTH - level), identity)
  }
}

type Fields = { readonly [name: string]: unknown }

/** The bytes before the entries of a batch that stand in the place of those of the whole. */
const headerSize = (bytes: Uint8Array, entries: number): number => {
  const header = MessagePack.readHeader("array", bytes, 0) ?? MessagePack.readHeader("map", bytes, 0)
  if (header?.size !== entries)
    throw new TypeError(`${entries} entries of the state are encoded as another number of them`)
  return header.end
}
