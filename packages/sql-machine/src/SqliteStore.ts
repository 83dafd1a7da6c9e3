/**
 * Machines' tables in SQLite files.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as FileDatabase from "./internal/fileDatabase.js"
import * as MemoryDatabase from "./internal/memoryDatabase.js"
import { type Owner, SqlStore } from "./SqlStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The file of a machine, made when it does not exist. Its directory must exist. Where several replicas run in one process,
   * a function gives each its own.
   */
  readonly filename: string | ((owner: Owner) => string)
  /**
   * What SQLite may keep of the file in memory, in bytes. Default: 64 MiB, which holds the pages that a ledger of some
   * million accounts uses again and again.
   */
  readonly cacheBytes?: number
  /**
   * How many pages of 4 KiB the write-ahead log collects before a commit copies them into the file. Default: 4,000, or
   * 16 MiB: fewer mean more syncs, more a longer pause for each.
   */
  readonly checkpointPages?: number
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaults = { cacheBytes: 64 * 1024 * 1024, checkpointPages: 4_000 } as const

/**
 * Tables in files.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = ({ filename, ...bounds }: Options): Layer.Layer<SqlStore> => {
  const nameOf = (owner: Owner) => (typeof filename === "string" ? filename : filename(owner))
  const config = { ...defaults, ...bounds }
  return Layer.succeed(SqlStore, {
    open: (owner) => FileDatabase.open(nameOf(owner), config),
    apart: (owner) => FileDatabase.apart(nameOf(owner), config)
  })
}

/**
 * Tables in memory, gone with the machine: for tests. A replica rebuilds them from its journal.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<SqlStore> = Layer.succeed(SqlStore, {
  open: () => MemoryDatabase.open(),
  apart: () => MemoryDatabase.open()
})

/**
 * A database in memory, which gives its bytes.
 *
 * @since 0.1.0
 * @category models
 */
export type Memory = MemoryDatabase.MemoryDatabase

/**
 * A database in memory with this content, or empty: for stores of one's own, such as simulated disks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const memory = (content?: Uint8Array): Memory => MemoryDatabase.open(content)
