/**
 * The configurations that a search has been in, and whether one of them makes a new one pointless.
 *
 * A configuration is a place in the order of events, a state, and two sets of open operations: those that owe nothing any
 * more (`done`), and those that can't be used again (`used`). Of two at one place and in one state, the one with more
 * done and less used can do all that the other one can.
 */

/** How many configurations at one place and state are compared: more of them cost more than they save. */
const COMPARED = 512

const EMPTY = -1

export class Visited {
  private words: Int32Array
  private next: Int32Array
  /** Open addressing by the hash of a whole configuration; holds its number. */
  private table: Int32Array
  private count = 0
  private readonly heads = new Map<number, number>()
  private readonly width: number

  constructor(
    private readonly doneWords: number,
    usedWords: number
  ) {
    this.width = 2 + doneWords + usedWords
    this.words = new Int32Array(this.width * 1024)
    this.next = new Int32Array(1024)
    this.table = new Int32Array(4096).fill(EMPTY)
  }

  /** In 32-bit words: what is held for the configurations so far. */
  get held(): number {
    return this.count * (this.width + 1)
  }

  /** Adds a configuration, unless one that is at least as good was added before. Answers whether it was added. */
  add(place: number, state: number, bits: Int32Array): boolean {
    const slot = this.find(place, state, bits)
    if (this.table[slot] !== EMPTY) return false
    // Exact below 2^53: places and states are fewer than 2^26 each in any history that fits in memory.
    const group = place * 67_108_864 + state
    const head = this.heads.get(group) ?? EMPTY
    let compared = 0
    for (let other = head; other !== EMPTY && compared < COMPARED; other = this.next[other]!) {
      if (this.covers(other, bits)) return false
      compared++
    }
    this.put(slot, place, state, bits, head)
    this.heads.set(group, this.count - 1)
    return true
  }

  private covers(other: number, bits: Int32Array): boolean {
    const { words } = this
    const at = other * this.width + 2
    for (let i = 0; i < this.doneWords; i++) if ((bits[i]! & ~words[at + i]!) !== 0) return false
    for (let i = this.doneWords; i < this.width - 2; i++) if ((words[at + i]! & ~bits[i]!) !== 0) return false
    return true
  }

  private put(slot: number, place: number, state: number, bits: Int32Array, next: number): void {
    if (this.count === this.next.length) this.grow()
    const at = this.count * this.width
    this.words[at] = place
    this.words[at + 1] = state
    this.words.set(bits, at + 2)
    this.next[this.count] = next
    this.table[slot] = this.count++
    if (this.count * 2 > this.table.length) this.rehash()
  }

  private grow(): void {
    this.words = extended(this.words)
    this.next = extended(this.next)
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 2).fill(EMPTY)
    for (let i = 0; i < this.count; i++) {
      const at = i * this.width
      const bits = this.words.subarray(at + 2, at + this.width)
      this.table[this.find(this.words[at]!, this.words[at + 1]!, bits)] = i
    }
  }

  /** Where the configuration is in the table, or where it belongs. */
  private find(place: number, state: number, bits: Int32Array): number {
    const mask = this.table.length - 1
    let slot = hash(place, state, bits) & mask
    for (; this.table[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.equals(this.table[slot]!, place, state, bits)) return slot
    }
    return slot
  }

  private equals(other: number, place: number, state: number, bits: Int32Array): boolean {
    const { words } = this
    const at = other * this.width
    if (words[at] !== place || words[at + 1] !== state) return false
    for (let i = 0; i < bits.length; i++) if (words[at + 2 + i] !== bits[i]) return false
    return true
  }
}

/** MurmurHash3's mixing. */
const hash = (place: number, state: number, bits: Int32Array): number => {
  let mixed = mix(mix(0x9747b28c, place), state)
  for (let i = 0; i < bits.length; i++) mixed = mix(mixed, bits[i]!)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

const mix = (mixed: number, word: number): number => {
  const turned = Math.imul(word, 0xcc9e2d51)
  const next = mixed ^ Math.imul((turned << 15) | (turned >>> 17), 0x1b873593)
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
}

const extended = (words: Int32Array): Int32Array => {
  const longer = new Int32Array(words.length * 2)
  longer.set(words)
  return longer
}
