/**
 * What a machine has to do for an entry.
 *
 * @since 0.1.0
 */
import type { Entry } from "@synod/paxos"
import { Batch } from "@synod/state-machine"

/**
 * The commands of a slot; a stop sign has none, and takes its slot all the same.
 *
 * @since 0.1.0
 * @category getters
 */
export const batchOf = (entry: Entry.Entry): Uint8Array => (entry._tag === "Commands" ? entry.batch : Batch.none)
