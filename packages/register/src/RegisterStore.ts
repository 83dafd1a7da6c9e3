/**
 * Where an acceptor keeps its registers.
 *
 * @since 0.1.0
 */
import { type JournalError, MemoryFile } from "@synod/journal"
import type { RegisterAcceptor } from "@synod/paxos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * @since 0.1.0
 * @category models
 */
export type States = ReadonlyMap<string, RegisterAcceptor.State>

/**
 * What a write that succeeded wrote is durable, all of it; one that failed may have been made or not: until `recover` has succeeded
 * the store answers nothing.
 *
 * @since 0.1.0
 * @category tags
 */
export class RegisterStore extends Context.Tag("@synod/register/RegisterStore")<
  RegisterStore,
  {
    /** Those of these registers that were ever written. */
    readonly read: (keys: ReadonlyArray<string>) => Effect.Effect<States, JournalError.JournalError>
    /** In one transaction; `now` is kept with those that are decided, in milliseconds since 1970. */
    readonly write: (states: States, now: number) => Effect.Effect<void, JournalError.JournalError>
    /** Lets go of registers that were known to be decided before this time, so many at most; which ones. */
    readonly forget: (before: number, most: number) => Effect.Effect<ReadonlyArray<string>, JournalError.JournalError>
    /** Finds out what is there after a write that failed. */
    readonly recover: Effect.Effect<void, JournalError.JournalError>
  }
>() {}

/**
 * What a store in memory writes to. It outlives the store, as a file would.
 *
 * @since 0.1.0
 * @category memory
 */
export interface MemoryDisk extends MemoryFile.MemoryFile {
  /** @internal */
  readonly registers: Map<string, { readonly state: RegisterAcceptor.State; readonly decided: number | null }>
}

/**
 * A new, empty disk.
 *
 * @since 0.1.0
 * @category memory
 */
export const makeMemoryDisk: Effect.Effect<MemoryDisk> = Effect.sync(() => ({ registers: new Map(), locked: false }))

/**
 * Opens the store on a disk in memory. It is durable as far as the process lives, and never fails by itself.
 *
 * @since 0.1.0
 * @category memory
 */
export const makeMemory = (
  disk: MemoryDisk
): Effect.Effect<RegisterStore["Type"], JournalError.JournalLocked, Scope.Scope> =>
  Effect.map(MemoryFile.open(disk), (whenOpen) => {
    const use = <A>(operation: "read" | "write" | "recover", use: () => A) =>
      whenOpen(operation, () => Effect.sync(use))
    return RegisterStore.of({
      read: (keys) =>
        use("read", () => {
          const found = new Map<string, RegisterAcceptor.State>()
          for (const key of keys) {
            const kept = disk.registers.get(key)
            if (kept !== undefined) found.set(key, kept.state)
          }
          return found
        }),
      write: (states, now) =>
        use("write", () => {
          for (const [key, state] of states) disk.registers.set(key, { state, decided: state.decided ? now : null })
        }),
      forget: (before, most) =>
        use("write", () => {
          const old = Array.from(disk.registers.entries())
            .filter(([, { decided }]) => decided !== null && decided < before)
            .slice(0, most)
            .map(([key]) => key)
          for (const key of old) disk.registers.delete(key)
          return old
        }),
      recover: use("recover", () => undefined)
    })
  })

/**
 * The store on a given disk in memory, for restarts within a process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemoryDisk = (disk: MemoryDisk): Layer.Layer<RegisterStore, JournalError.JournalLocked> =>
  Layer.scoped(RegisterStore, makeMemory(disk))

/**
 * A store on a new disk in memory: for tests, and for members that may forget everything when their process ends, though a cluster
 * may not outlive that.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<RegisterStore> = Layer.scoped(
  RegisterStore,
  Effect.flatMap(makeMemoryDisk, (disk) => Effect.orDie(makeMemory(disk)))
)
