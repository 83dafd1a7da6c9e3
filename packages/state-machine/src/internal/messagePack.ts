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

/** Fails for what the plain kinds can't hold, and for values nested deeper than {@link MAX_DEPTH}. */
export const encode = (what: string, value: unknown): Either.Either<Uint8Array, Malformed> => {
  let bytes: Uint8Array
  try {
    bytes = packr.pack(value)
  } catch {
    return Either.left(new Malformed({ what, at: 0, expected: "a value that MessagePack can hold" }))
  }
  // A level of nesting takes at least a byte, so that short values can't be too deep.
  const fault = bytes.length > MAX_DEPTH ? walk(what, bytes) : undefined
  return fault === undefined ? Either.right(bytes) : Either.left(fault)
}

export const decode = (what: string, bytes: Uint8Array): Either.Either<unknown, Malformed> => {
  const fault = walk(what, bytes)
  if (fault !== undefined) return Either.left(fault)
  try {
    return Either.right(packr.unpack(bytes))
  } catch {
    return Either.left(new Malformed({ what, at: 0, expected: "MessagePack" }))
  }
}

const EXT_UNDEFINED = 0x00
const EXT_BIGINT = 0x42
const EXT_DATE = 0xff

/**
 * Is this one value, complete, of the kinds we write? `remaining[depth]` counts the values still to come at each open
 * level.
 */
const walk = (what: string, bytes: Uint8Array): Malformed | undefined => {
  const length = bytes.length
  const remaining = [1]
  let depth = 0
  let at = 0

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
      if (depth === 0) return at === length ? undefined : fault(at, "the end")
      depth--
    }
    if (at >= length) return fault(at, "a value")
    remaining[depth]!--
    const start = at
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
          if (!extension(uint(1 << (byte - 0xc7)))) return fault(start, "an extension for undefined, dates or bigints")
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
          if (!extension(1 << (byte - 0xd4))) return fault(start, "an extension for undefined, dates or bigints")
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
          return fault(start, "MessagePack")
      }
    }
    if (at > length || children > length - at) return fault(start, "a value that ends within the bytes")
    if (children > 0) {
      if (++depth > MAX_DEPTH) return fault(start, `at most ${MAX_DEPTH} levels`)
      remaining[depth] = children
    }
  }
}
