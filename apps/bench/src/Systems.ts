/**
 * The systems that are measured, in the order of the table. The first is the limit that the others are held against.
 */
import { Bare } from "./bare/Bare.js"
import { Synod } from "./synod/Synod.js"
import type { System } from "./System.js"

export const limit: System = Bare

export const systems: ReadonlyArray<System> = [limit, Synod]
