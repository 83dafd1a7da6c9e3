/**
 * The primitives of the byte formats: unsigned varints (seven bits a byte, lowest first, the high bit says that more
 * follow) and byte strings behind their length.
 */
import * as Either from "effect/Either"
import { Malformed } from "../Malformed.js"

/** Eight bytes carry 56 bits, enough for every safe integer. */
const MAX_VARINT_BYTES = 8

export const varintSize = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

export const stringSize = (bytes: Uint8Array): number => varintSize(bytes.length) + bytes.length

export const stringsSize = (strings: ReadonlyArray<Uint8Array>): number => {
  let size = varintSize(strings.length)
  for (const bytes of strings) size += stringSize(bytes)
  return size
}

export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Fills a buffer whose size was computed beforehand. */
export class Writer {
  readonly bytes: Uint8Array
  private at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  byte(value: number): void {
    this.bytes[this.at++] = value
  }

  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.at++] = (rest % 0x80) | 0x80
    this.bytes[this.at++] = rest
  }

  string(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  strings(strings: ReadonlyArray<Uint8Array>): void {
    this.varint(strings.length)
    for (const bytes of strings) this.string(bytes)
  }
}

/**
 * Reads untrusted bytes without ever throwing: the first fault is kept, and from then on every read gives zero or
 * nothing, so that a caller reads on and asks once, at the {@link Reader.end}.
 */
export class Reader {
  private at = 0
  private fault: Malformed | undefined

  constructor(
    readonly what: string,
    readonly bytes: Uint8Array
  ) {}

  get failed(): boolean {
    return this.fault !== undefined
  }

  fail(expected: string): void {
    this.fault ??= new Malformed({ what: this.what, at: this.at, expected })
  }

  byte(expected: string): number {
    if (this.fault !== undefined) return 0
    if (this.at < this.bytes.length) return this.bytes[this.at++]!
    this.fail(expected)
    return 0
  }

  varint(expected: string): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte(expected)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 0x80
      if (i === MAX_VARINT_BYTES - 1) this.fail(`${expected} of at most ${MAX_VARINT_BYTES} bytes`)
    }
    if (!Number.isSafeInteger(value)) this.fail(`${expected} below 2^53`)
    return this.failed ? 0 : value
  }

  /** A view of the input, not a copy. */
  string(expected: string): Uint8Array {
    const length = this.varint(`the length of ${expected}`)
    if (length > this.bytes.length - this.at) this.fail(`${length} bytes of ${expected}`)
    return this.failed ? EMPTY : this.bytes.subarray(this.at, (this.at += length))
  }

  strings(expected: string): ReadonlyArray<Uint8Array> {
    const count = this.varint(`the number of ${expected}`)
    // Each takes at least its length byte: a count beyond that is refused before anything is allocated for it.
    if (count > this.bytes.length - this.at) this.fail(`${count} ${expected}`)
    const strings: Array<Uint8Array> = []
    for (let i = 0; i < count && !this.failed; i++) strings.push(this.string(expected))
    return strings
  }

  end<A>(value: A): Either.Either<A, Malformed> {
    if (this.at < this.bytes.length) this.fail("the end")
    return this.fault === undefined ? Either.right(value) : Either.left(this.fault)
  }
}

const EMPTY = new Uint8Array(0)
