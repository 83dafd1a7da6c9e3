/**
 * All states that a search has found, in the order in which it found them, and the set of them, in flat memory.
 *
 * A state is kept whole, not as a fingerprint, so two states are never taken for one: a search that comes to its end has
 * seen everything, without a chance of error to be estimated.
 */
export interface StateTable {
  /** The index of a new state, or -1 if it was known. */
  readonly add: (words: ReadonlyArray<number>, parent: number) => number
  readonly has: (words: ReadonlyArray<number>) => boolean
  readonly wordsOf: (index: number) => Array<number>
  /** The index of the state from which it was found; of a first state, its own. */
  readonly parentOf: (index: number) => number
  readonly size: () => number
}

/** States a chunk: memory grows by pieces, so that nothing large is ever copied but the hash table. */
const chunkBits = 16
const chunkSize = 1 << chunkBits

/** The share of the hash table that may be in use before it doubles: beyond it, runs of full places grow long. */
const fullest = 0.6

export const make = (width: number): StateTable => {
  const words: Array<Uint32Array> = []
  const parents: Array<Uint32Array> = []
  let size = 0
  let capacity = 1 << 12
  // Index + 1, so that 0 marks a free place.
  let places = new Uint32Array(capacity)

  const hashOf = (from: ArrayLike<number>, start: number): number => {
    let hash = 0x243f6a88
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ from[start + i]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash, 0x2c1b3c6d)
    return (hash ^ (hash >>> 13)) >>> 0
  }

  const isAt = (index: number, state: ReadonlyArray<number>): boolean => {
    const chunk = words[index >>> chunkBits]!
    const start = (index & (chunkSize - 1)) * width
    for (let i = 0; i < width; i++) if (chunk[start + i] !== state[i]) return false
    return true
  }

  const placeOf = (state: ReadonlyArray<number>): number => {
    let place = hashOf(state, 0) & (capacity - 1)
    while (places[place] !== 0 && !isAt(places[place]! - 1, state)) place = (place + 1) & (capacity - 1)
    return place
  }

  const grow = (): void => {
    capacity *= 2
    places = new Uint32Array(capacity)
    for (let index = 0; index < size; index++) {
      const hash = hashOf(words[index >>> chunkBits]!, (index & (chunkSize - 1)) * width)
      let place = hash & (capacity - 1)
      while (places[place] !== 0) place = (place + 1) & (capacity - 1)
      places[place] = index + 1
    }
  }

  return {
    add: (state, parent) => {
      const place = placeOf(state)
      if (places[place] !== 0) return -1
      const index = size++
      if ((index & (chunkSize - 1)) === 0) {
        words.push(new Uint32Array(chunkSize * width))
        parents.push(new Uint32Array(chunkSize))
      }
      words[index >>> chunkBits]!.set(state, (index & (chunkSize - 1)) * width)
      parents[index >>> chunkBits]![index & (chunkSize - 1)] = parent < 0 ? index : parent
      places[place] = size
      if (size > capacity * fullest) grow()
      return index
    },
    has: (state) => places[placeOf(state)] !== 0,
    wordsOf: (index) => {
      const chunk = words[index >>> chunkBits]!
      const start = (index & (chunkSize - 1)) * width
      return Array.from(chunk.subarray(start, start + width))
    },
    parentOf: (index) => parents[index >>> chunkBits]![index & (chunkSize - 1)]!,
    size: () => size
  }
}
