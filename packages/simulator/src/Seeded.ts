/**
 * Chance, from a seed: the same seed gives the same numbers on any machine.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface Seeded {
  /** A number from 0 up to but not including 1, in steps of 2⁻³². */
  readonly next: () => number
  /** An integer from 0 to `n - 1`. */
  readonly below: (n: number) => number
  /** An integer from `low` to `high`, both of them among what may come. */
  readonly between: (low: number, high: number) => number
  /** True with probability `p`; a `p` of 0 costs no number. */
  readonly chance: (p: number) => boolean
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  readonly shuffle: <A>(items: ReadonlyArray<A>) => Array<A>
  /** A generator of its own, so that what one part of a world draws does not depend on what another one does. */
  readonly fork: (label: string) => Seeded
}

/**
 * Doty-Humphrey's sfc32 (PractRand): 128 bits of state, a few instructions a number.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (seed: number, label = ""): Seeded => {
  let a = mix(seed >>> 0)
  let b = mix(Math.floor(seed / 2 ** 32) ^ 0x9e3779b9)
  let c = hashOf(label)
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (p) => p > 0 && next() < p,
    pick: (items) => items[below(items.length)]!,
    shuffle: (items) => {
      const shuffled = [...items]
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const held = shuffled[i]!
        shuffled[i] = shuffled[j]!
        shuffled[j] = held
      }
      return shuffled
    },
    fork: (child) => make(seed, `${label}/${child}`)
  }
}

/** FNV-1a. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}

/** Neighbouring seeds must not begin alike. */
const mix = (n: number): number => {
  let x = Math.imul(n ^ (n >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}
