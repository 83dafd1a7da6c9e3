/**
 * Where a machine on tables keeps them in a simulated world.
 *
 * ```
 *   commit ──► commit ──► commit … sync        crash: the last one stays
 *                                              power loss: any since the last sync, whole
 * ```
 *
 * SQLite in WAL mode with `synchronous = NORMAL` promises just that. There may be no room, as on the journal's disk, and a write
 * may fail: then nothing of it is there.
 *
 * @since 0.1.0
 */
import { type SqlStore, SqliteStore } from "@synod/sql-machine"
import type { Disk } from "./Disk.js"
import type { Counts, Rates } from "./Fault.js"
import type { Seeded } from "./Seeded.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface TableDisk {
  readonly store: SqlStore.SqlStore["Type"]
  /** What the machine holds now. */
  readonly bytes: () => Uint8Array
  /** The process that used it has ended; with the power, if `power` says so. */
  readonly crash: (power: boolean) => void
  /** Everything is gone; nobody has it open. */
  readonly wipe: () => void
  readonly setRates: (rates: Rates) => void
  /** How often commits were lost. */
  readonly fallbacks: () => number
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (seeded: Seeded, counts: Counts, disk: Disk): TableDisk => {
  /** What was committed since the last sync, and what was synced then. */
  let kept: Array<Uint8Array> = []
  let open: SqliteStore.Memory | undefined
  let rates: Rates = {}
  let fallbacks = 0

  const writing = (): void => {
    if (disk.isFull()) throw failure("SQLITE_FULL")
    if (!seeded.chance(rates.syncError ?? 0)) return
    counts.fired("syncError")
    throw failure("SQLITE_IOERR_WRITE")
  }

  const store: SqlStore.SqlStore["Type"] = {
    apart: () => SqliteStore.memory(),
    open: () => {
      const database = SqliteStore.memory(kept.at(-1))
      open = database
      const keep = (): void => void kept.push(database.bytes())
      const sync = (): void => {
        kept = [database.bytes()]
      }
      return {
        ...database,
        commit: () => {
          writing()
          database.commit()
          keep()
        },
        sync,
        freeze: () => {
          sync()
          return database.freeze()
        },
        restore: () => {
          const incoming = database.restore()
          return {
            ...incoming,
            write: (bytes) => {
              writing()
              incoming.write(bytes)
            },
            adopt: () => {
              incoming.adopt()
              sync()
            }
          }
        }
      }
    }
  }

  return {
    store,
    bytes: () => open!.bytes(),
    crash: (power) => {
      open?.close()
      open = undefined
      if (!power || kept.length === 0) return
      const last = seeded.below(kept.length)
      if (last < kept.length - 1) fallbacks++
      kept.length = last + 1
    },
    wipe: () => {
      kept = []
    },
    setRates: (next) => {
      rates = next
    },
    fallbacks: () => fallbacks
  }
}

/** What SQLite throws then. */
const failure = (code: string): Error => Object.assign(new Error(code), { code })
