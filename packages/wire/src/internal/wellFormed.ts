/**
 * Walks the tokens of `bytes[start, end)` and says whether they are exactly one MessagePack value that a peer of ours can
 * have sent. It stands before the decoder because a decoder allocates an array from its header alone: here every count is
 * held against the bytes that are left, so five bytes can't ask for gigabytes. Extension types other than timestamps
 * (255) and `undefined` (0) are refused: the decoder would build records, errors and regular expressions out of them.
 *
 * @internal
 */
export const wellFormed = (bytes: Uint8Array, start: number, end: number): boolean => {
  let position = start
  // Values that still have to come.
  let open = 1
  while (open > 0) {
    if (position === end) return false
    const token = bytes[position++]!
    open--
    if (token < 0x80 || token >= 0xe0) continue
    if (token < 0x90) {
      open += 2 * (token & 0x0f)
    } else if (token < 0xa0) {
      open += token & 0x0f
    } else if (token < 0xc0) {
      position += token & 0x1f
    } else {
      switch (token) {
        case 0xc0: // nil
        case 0xc2: // false
        case 0xc3: // true
          break
        case 0xc4: // bin 8
        case 0xd9: // str 8
          if (end - position < 1) return false
          position += 1 + bytes[position]!
          break
        case 0xc5: // bin 16
        case 0xda: // str 16
          if (end - position < 2) return false
          position += 2 + uint16(bytes, position)
          break
        case 0xc6: // bin 32
        case 0xdb: // str 32
          if (end - position < 4) return false
          position += 4 + uint32(bytes, position)
          break
        case 0xcc: // uint 8
        case 0xd0: // int 8
          position += 1
          break
        case 0xcd: // uint 16
        case 0xd1: // int 16
          position += 2
          break
        case 0xca: // float 32
        case 0xce: // uint 32
        case 0xd2: // int 32
          position += 4
          break
        case 0xcb: // float 64
        case 0xcf: // uint 64
        case 0xd3: // int 64
          position += 8
          break
        case 0xdc: // array 16
          if (end - position < 2) return false
          open += uint16(bytes, position)
          position += 2
          break
        case 0xdd: // array 32
          if (end - position < 4) return false
          open += uint32(bytes, position)
          position += 4
          break
        case 0xde: // map 16
          if (end - position < 2) return false
          open += 2 * uint16(bytes, position)
          position += 2
          break
        case 0xdf: // map 32
          if (end - position < 4) return false
          open += 2 * uint32(bytes, position)
          position += 4
          break
        case 0xd4: // fixext 1: undefined, or an invalid date
          if (end - position < 2 || (bytes[position] !== 0x00 && bytes[position] !== 0xff)) return false
          position += 2
          break
        case 0xd6: // fixext 4: timestamp 32
          if (end - position < 5 || bytes[position] !== 0xff) return false
          position += 5
          break
        case 0xd7: // fixext 8: timestamp 64
          if (end - position < 9 || bytes[position] !== 0xff) return false
          position += 9
          break
        case 0xc7: // ext 8: timestamp 96
          if (end - position < 2 || bytes[position] !== 12 || bytes[position + 1] !== 0xff) return false
          position += 14
          break
        default:
          return false
      }
    }
    if (position > end) return false
  }
  return position === end
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!

const uint32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
