/**
 * From two small integers to a third, in flat memory: what a model checker looks up a hundred million times must not be
 * an object.
 */
export interface PairMap {
  /** The value, or -1. */
  readonly get: (a: number, b: number) => number
  /** `a` and `value` are not negative; a pair is set once. */
  readonly set: (a: number, b: number, value: number) => void
}

/** Open addressing over rows of (a + 1, b, value); 0 in the first column marks a free row. */
export const make = (): PairMap => {
  let capacity = 1 << 12
  let rows = new Int32Array(capacity * 3)
  let size = 0

  const rowOf = (a: number, b: number): number => {
    const mask = capacity - 1
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    let at = (hash ^ (hash >>> 13)) & mask
    for (;;) {
      const row = at * 3
      const found = rows[row]!
      if (found === 0 || (found === a + 1 && rows[row + 1] === b)) return row
      at = (at + 1) & mask
    }
  }

  const grow = (): void => {
    const old = rows
    capacity *= 2
    rows = new Int32Array(capacity * 3)
    for (let row = 0; row < old.length; row += 3) {
      if (old[row] !== 0) rows.set(old.subarray(row, row + 3), rowOf(old[row]! - 1, old[row + 1]!))
    }
  }

  return {
    get: (a, b) => {
      const row = rowOf(a, b)
      return rows[row] === 0 ? -1 : rows[row + 2]!
    },
    set: (a, b, value) => {
      if (2 * ++size > capacity) grow()
      const row = rowOf(a, b)
      rows[row] = a + 1
      rows[row + 1] = b
      rows[row + 2] = value
    }
  }
}

/** A function of two small integers that is computed once for each pair. */
export const memo = <A>(compute: (a: number, b: number) => A): ((a: number, b: number) => A) => {
  const known = make()
  const results: Array<A> = []
  return (a, b) => {
    const at = known.get(a, b)
    if (at >= 0) return results[at]!
    const result = compute(a, b)
    known.set(a, b, results.push(result) - 1)
    return result
  }
}
