/**
 * Where a replica keeps its journal. The replica opens it, since it knows whose journal it must be.
 *
 * @since 0.1.0
 */
import type { NodeId } from "@synod/paxos/NodeId"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Journal from "./Journal.js"
import type * as JournalError from "./JournalError.js"

/**
 * Whose journal it is; one of another owner is refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface Owner {
  readonly cluster: string
  readonly node: NodeId
}

/**
 * @since 0.1.0
 * @category tags
 */
export class JournalStore extends Context.Tag("@synod/journal/JournalStore")<
  JournalStore,
  {
    /** Opens the owner's journal, or begins it; closed with the scope. */
    readonly open: (owner: Owner) => Effect.Effect<Journal.Journal["Type"], JournalError.OpenError, Scope.Scope>
  }
>() {}

/**
 * Journals in memory, for tests and for replicas that may forget everything when their process ends.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (disk: Journal.MemoryDisk): Layer.Layer<JournalStore> =>
  Layer.succeed(JournalStore, { open: () => Journal.makeMemory(disk) })
