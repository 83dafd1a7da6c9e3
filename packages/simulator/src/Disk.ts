/**
 * A simulated disk with one file on it, in sectors that are written whole or not at all.
 *
 * ```
 *   write ──► cache ── sync ──► medium        crash: the cache stays
 *             ▲                   │           power loss: what was not synced is gone, or half there
 *   read ─────┘◄── power on ──────┘
 * ```
 *
 * After an fsync that failed, nobody knows what the medium holds: some systems drop what was to be kept, others show it
 * for as long as the power is on and report success the next time (Rebello et al., *Can Applications Recover from fsync
 * Failures?*, 2020). Both are faults here.
 *
 * @since 0.1.0
 */
import type { Counts, Fault, Rates } from "./Fault.js"
import type { Seeded } from "./Seeded.js"

/**
 * Bytes of a sector. Real ones have 512 or 4,096; these are small, so that small writes take several and can be torn.
 *
 * @since 0.1.0
 * @category constants
 */
export const sectorBytes = 64

/**
 * @since 0.1.0
 * @category models
 */
export interface Disk {
  /** The name in error messages. */
  readonly name: string
  /** Who has the file open; a crash lets go of it. */
  holder: object | undefined
  /** Sectors that the file has. */
  readonly length: () => number
  /** A sector as it is seen now; all zero where nothing was ever written. */
  readonly read: (index: number) => Uint8Array
  /** Whether a read fails this time. */
  readonly failsToRead: () => boolean
  /** There is no room for anything more. */
  readonly isFull: () => boolean
  readonly write: (index: number, sector: Uint8Array) => void
  /** Cuts the file off behind so many sectors. */
  readonly truncate: (length: number) => void
  /** Makes what was written durable. `false`: it failed. */
  readonly sync: () => boolean
  /** Milliseconds that the next write and its sync take. */
  readonly latency: () => number
  /** The process that used it has ended; with the power, if `power` says so. */
  readonly crash: (power: boolean) => void
  /** A bit of a sector on the medium flips; false when there is no sector yet. */
  readonly rot: () => boolean
  /** All is gone. */
  readonly wipe: () => void
  readonly setRates: (rates: Rates) => void
  /** It takes no more writes, or takes long for them, for so long as this is on. */
  full: boolean
  slow: boolean
}

/**
 * Milliseconds that a write with its sync takes, at least and at most.
 *
 * @since 0.1.0
 * @category models
 */
export interface Latency {
  readonly least: number
  readonly most: number
}

const usual: Latency = { least: 0.1, most: 1 }

/** A slow disk takes so many times as long. */
const slowness = 100

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (name: string, seeded: Seeded, counts: Counts, latency: Latency = usual): Disk => {
  let cache: Array<Uint8Array> = []
  let medium: Array<Uint8Array | undefined> = []
  let dirty = new Set<number>()
  let rates: Rates = {}
  const happens = (fault: Fault): boolean => {
    if (!seeded.chance(rates[fault] ?? 0)) return false
    counts.fired(fault)
    return true
  }
  const zero = new Uint8Array(sectorBytes)

  const losePower = (): void => {
    const unsynced = [...dirty]
    const torn = unsynced.length > 1 && seeded.chance(rates.tornWrite ?? 0)
    if (torn) counts.fired("tornWrite")
    else if (unsynced.length > 0) counts.fired("lostWrites")
    for (const index of unsynced) if (torn && seeded.chance(0.5)) medium[index] = cache[index]
    cache = Array.from(medium, (sector) => sector ?? zero)
    dirty.clear()
  }

  const disk: Disk = {
    name,
    holder: undefined,
    full: false,
    slow: false,
    length: () => cache.length,
    read: (index) => cache[index] ?? zero,
    failsToRead: () => happens("readError"),
    isFull: () => disk.full,
    write: (index, sector) => {
      cache[index] = sector
      dirty.add(index)
    },
    truncate: (length) => {
      cache.length = Math.min(cache.length, length)
      medium.length = Math.min(medium.length, length)
      dirty = new Set([...dirty].filter((index) => index < length))
    },
    sync: () => {
      if (happens("syncError")) {
        for (const index of dirty) cache[index] = medium[index] ?? zero
        dirty.clear()
        return false
      }
      if (happens("syncLie")) {
        // They are shown until the power goes, and no later sync takes them for its own.
        dirty.clear()
        return false
      }
      for (const index of dirty) medium[index] = cache[index]
      dirty.clear()
      return true
    },
    latency: () => (latency.least + seeded.next() * (latency.most - latency.least)) * (disk.slow ? slowness : 1),
    crash: (power) => {
      disk.holder = undefined
      if (power) losePower()
    },
    rot: () => {
      const written = medium.flatMap((sector, index) => (sector === undefined ? [] : [index]))
      if (written.length === 0) return false
      const index = seeded.pick(written)
      const bit = seeded.below(sectorBytes * 8)
      const rotten = medium[index]!.slice()
      rotten[bit >> 3]! ^= 1 << (bit & 7)
      if (cache[index] === medium[index]) cache[index] = rotten
      medium[index] = rotten
      return true
    },
    wipe: () => {
      cache = []
      medium = []
      dirty.clear()
    },
    setRates: (next) => {
      rates = next
    }
  }
  return disk
}
