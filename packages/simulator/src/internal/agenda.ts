/**
 * What is to happen when: a binary heap, in the order of time and then of entry, so that equal times keep their order.
 *
 * @internal
 */
export interface Agenda<A> {
  readonly add: (time: number, what: A) => Entry<A>
  /** The earliest entry that was not cancelled, without taking it. */
  readonly peek: () => Entry<A> | undefined
  readonly take: () => Entry<A> | undefined
}

/** @internal */
export interface Entry<A> {
  readonly time: number
  readonly order: number
  readonly what: A
  cancelled: boolean
}

/** @internal */
export const make = <A>(): Agenda<A> => {
  const heap: Array<Entry<A>> = []
  let order = 0

  const before = (a: Entry<A>, b: Entry<A>): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

  const rise = (from: number): void => {
    const entry = heap[from]!
    let i = from
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  const sink = (): void => {
    const entry = heap[0]!
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, entry)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = entry
  }

  const pop = (): Entry<A> | undefined => {
    const top = heap[0]
    const last = heap.pop()
    if (heap.length > 0) {
      heap[0] = last!
      sink()
    }
    return top
  }

  const peek = (): Entry<A> | undefined => {
    while (heap.length > 0 && heap[0]!.cancelled) pop()
    return heap[0]
  }

  return {
    add: (time, what) => {
      const entry = { time, order: order++, what, cancelled: false }
      heap.push(entry)
      rise(heap.length - 1)
      return entry
    },
    peek,
    take: () => (peek() === undefined ? undefined : pop())
  }
}
