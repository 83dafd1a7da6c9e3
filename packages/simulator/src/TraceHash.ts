/**
 * The hash of everything that happened in a run, in its order: two runs of a seed that give the same one took the same steps.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface TraceHash {
  readonly number: (value: number) => void
  readonly text: (value: string) => void
  readonly bytes: (value: Uint8Array) => void
  /** 16 hexadecimal digits; more may be added afterwards. */
  readonly digest: () => string
}

/**
 * Two lanes of 32 bits each: enough to tell runs apart, not to withstand somebody who wants them to collide.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): TraceHash => {
  let a = 0x243f6a88
  let b = 0x85a308d3
  const word = (value: number): void => {
    a = Math.imul(a ^ value, 0x01000193)
    a ^= a >>> 15
    b = Math.imul(b + value, 0x85ebca6b)
    b = ((b << 13) | (b >>> 19)) ^ a
  }
  return {
    number: (value) => {
      word(value | 0)
      // Times and slots exceed 32 bits, and rates are fractions.
      word(Math.floor(value / 4_294_967_296) | 0)
      if (!Number.isInteger(value)) word((value % 1) * 4_294_967_296)
    },
    text: (value) => {
      word(value.length)
      for (let i = 0; i < value.length; i++) word(value.charCodeAt(i))
    },
    bytes: (value) => {
      word(value.length)
      for (let i = 0; i < value.length; i++) word(value[i]!)
    },
    digest: () => hex(a) + hex(b)
  }
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
