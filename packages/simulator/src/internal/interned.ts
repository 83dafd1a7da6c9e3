/**
 * Small integers for things: equal ones, by their key, get the same number.
 */
export interface Interned<A> {
  readonly idOf: (item: A) => number
  readonly at: (id: number) => A
  readonly size: () => number
}

export const make = <A>(keyOf: (item: A) => string): Interned<A> => {
  const ids = new Map<string, number>()
  const items: Array<A> = []
  return {
    idOf: (item) => {
      const key = keyOf(item)
      const known = ids.get(key)
      if (known !== undefined) return known
      ids.set(key, items.length)
      return items.push(item) - 1
    },
    at: (id) => {
      if (id >= items.length) throw new RangeError(`no item has the number ${id}: there are ${items.length}`)
      return items[id]!
    },
    size: () => items.length
  }
}
