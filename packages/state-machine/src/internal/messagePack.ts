/**
 * Values as MessagePack: the plain kinds, `undefined`, dates and big integers, each value written in one way only, so
 * that the same value gives the same bytes on every replica.
 *
 * Bytes are walked before they are read. The walk refuses what we never write (other extensions, record definitions),
 * every length that the rest of the bytes can't hold, and nesting that would leave it to a replica's stack size whether
 * a value can be read; what passes it can be read in bounded memory, alike everywhere.
 */
import * as Either from "effect/Either"
import { Packr } from "msgpackr"
import { Malformed } from "../Malformed.js"

/** Levels of arrays and maps; far below what the reader and `Schema` can recurse through on a default stack. */
export const MAX_DEPTH = 128

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  useBigIntExtension: true,
  moreTypes: false,
  copyBuffers: true
})

/** Fails for what the plain kinds can't hold, and for values nested deeper than `depth`. */
export const encode = (what: string, value: unknown, depth = MAX_DEPTH): Either.Either<Uint8Array, Malformed> => {
  let bytes: Uint8Array
  try {
    bytes = packr.pack(value)
  } catch {
    return Either.left(new Malformed({ what, at: 0, expected: "a value that MessagePack can hold" }))
  }
  // A level of nesting takes at least a byte, so that short values can't be too deep.
  const end = bytes.length > depth ? measure(what, bytes, 0, depth) : bytes.length
  return typeof end === "number" ? Either.right(bytes) : Either.left(end)
}

export const decode = (what: string, bytes: Uint8Array): Either.Either<unknown, Malformed> => {
  const end = measure(what, bytes, 0)
  if (typeof end !== "number") return Either.left(end)
  if (end < bytes.length) return Either.left(new Malformed({ what, at: end, expected: "the end" }))
  return unpack(what, bytes)
}

/** One value, which was measured. */
export const unpack = (what: string, bytes: Uint8Array): Either.Either<unknown, Malformed> => {
  try {
    return Either.right(packr.unpack(bytes))
  } catch {
    return Either.left(new Malformed({ what, at: 0, expected: "MessagePack" }))
  }
}

const EXT_UNDEFINED = 0x00
const EXT_BIGINT = 0x42
const EXT_DATE = 0xff

const LATER = "a value"
const CUT_OFF = "a value that ends within the bytes"

/** Whether there is nothing wrong with a value but that more of it must come. */
export const isCutOff = ({ expected }: Malformed): boolean => expected === CUT_OFF || expected === LATER

/** The header of an array or a map; `size` counts elements or pairs. */
export const header = (kind: "array" | "map", size: number): Uint8Array => {
  const [short, long] = kind === "array" ? [0x90, 0xdc] : [0x80, 0xde]
  if (size < 16) return Uint8Array.of(short | size)
  if (size < 0x10000) return Uint8Array.of(long, size >> 8, size & 0xff)
  return Uint8Array.of(long + 1, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff)
}

/** The header that begins here: how many elements or pairs, and where the first of them is; nothing if it is no such header. */
export const readHeader = (kind: "array" | "map", bytes: Uint8Array, at: number) => {
  const [short, long] = kind === "array" ? [0x90, 0xdc] : [0x80, 0xde]
  const byte = bytes[at] ?? 0
  if ((byte & 0xf0) === short) return { size: byte & 0x0f, end: at + 1 }
  const width = byte === long ? 2 : byte === long + 1 ? 4 : 0
  let size = 0
  for (let i = 1; i <= width; i++) size = size * 0x100 + (bytes[at + i] ?? 0)
  return width === 0 ? undefined : { size, end: at + 1 + width }
}

/**
 * Where the value ends that begins at `start`, if it is complete and of the kinds we write. `remaining[depth]` counts the
 * values still to come at each open level.
 */
export const measure = (what: string, bytes: Uint8Array, start: number, levels = MAX_DEPTH): number | Malformed => {
  const length = bytes.length
  const remaining = [1]
  let depth = 0
  let at = start

  const uint = (size: number): number => {
    let value = 0
    for (let i = 0; i < size; i++) value = value * 0x100 + (bytes[at++] ?? 0)
    return value
  }
  // In two steps: `at += uint(size)` would add to the `at` of before the length was read.
  const skip = (size: number): void => {
    const length = uint(size)
    at += length
  }
  const extension = (size: number): boolean => {
    const type = bytes[at]
    at += 1 + size
    return (
      (type === EXT_UNDEFINED && size === 1) ||
      type === EXT_BIGINT ||
      (type === EXT_DATE && (size === 4 || size === 8 || size === 12))
    )
  }
  const fault = (start: number, expected: string) => new Malformed({ what, at: start, expected })

  for (;;) {
    while (remaining[depth] === 0) {
      if (depth === 0) return at
      depth--
    }
    if (at >= length) return fault(at, LATER)
    remaining[depth]!--
    const began = at
    const byte = bytes[at++]!
    let children = 0
    if (byte <= 0x7f || byte >= 0xe0) {
      /* small integers */
    } else if (byte <= 0x8f) children = (byte & 0x0f) * 2
    else if (byte <= 0x9f) children = byte & 0x0f
    else if (byte <= 0xbf) at += byte & 0x1f
    else {
      switch (byte) {
        case 0xc0: // nil
        case 0xc2: // false
        case 0xc3: // true
          break
        case 0xc4: // bin
        case 0xc5:
        case 0xc6:
          skip(1 << (byte - 0xc4))
          break
        case 0xc7: // ext
        case 0xc8:
        case 0xc9:
          if (!extension(uint(1 << (byte - 0xc7)))) return fault(began, "an extension for undefined, dates or bigints")
          break
        case 0xca: // floats
        case 0xcb:
          at += 4 << (byte - 0xca)
          break
        case 0xcc: // unsigned and signed integers
        case 0xcd:
        case 0xce:
        case 0xcf:
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:
          at += 1 << ((byte - 0xcc) & 3)
          break
        case 0xd4: // fixed ext
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8:
          if (!extension(1 << (byte - 0xd4))) return fault(began, "an extension for undefined, dates or bigints")
          break
        case 0xd9: // str
        case 0xda:
        case 0xdb:
          skip(1 << (byte - 0xd9))
          break
        case 0xdc: // array
        case 0xdd:
          children = uint(2 << (byte - 0xdc))
          break
        case 0xde: // map
        case 0xdf:
          children = uint(2 << (byte - 0xde)) * 2
          break
        default:
          return fault(began, "MessagePack")
      }
    }
    if (at > length || children > length - at) return fault(began, CUT_OFF)
    if (children > 0) {
      if (++depth > levels) return fault(began, `at most ${MAX_DEPTH} levels`)
      remaining[depth] = children
    }
  }
}
